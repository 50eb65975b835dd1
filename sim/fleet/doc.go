// Package fleet holds the instances of functions on the nodes of a cluster, in
// virtual time and under a pool policy: the part that all simulators share.
//
// A Host invokes functions and is told when an invocation is served, ends or
// fails. An invocation takes the instance that was idle for the shortest time;
// if there is none, a busy one with room; otherwise the one that is being
// started ahead and will be ready first; otherwise one is started for it. A new
// instance goes to the node on which it leaves the least memory free (best fit).
// If no node has room, idle instances make place on the node where the least
// must go; if that is not enough the invocation waits in line, until its
// patience ends.
//
// An instance is idle from its start until an invocation claims it and after it
// has served, busy in between, so that starting ahead is paid as idle time.
package fleet
