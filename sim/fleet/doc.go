// Package fleet holds the instances of functions on the nodes of a cluster, in
// virtual time and under a pool policy: the part that all simulators share.
//
// A Host invokes functions and is told when an invocation is served, ends or
// fails. An invocation takes a busy instance with room, else the one that was
// idle for the shortest time. Otherwise it claims the one that is being started
// ahead and will be ready first, or else one is started for it; if waiting is
// Shared it is served by whichever instance is free or ready first. A new
// instance goes to the node on which it leaves the least memory free (best fit).
// If no node has room, idle instances make place on the node where the least
// must go; if that is not enough the invocation waits in line, until its
// patience ends.
//
// An instance is idle from its start until an invocation claims it and after it
// has served, busy in between, so that starting ahead is paid as idle time.
package fleet
