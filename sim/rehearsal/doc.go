// Package rehearsal tries plans for a workflow before they are applied: arrivals
// that were recorded come once more, in virtual time, to functions that behave as
// the tuner believes, under the pool's own policy with what the plan says. It
// gives [control.Joint] its configurations and its predictions; nothing in it
// knows more than a server does.
package rehearsal
