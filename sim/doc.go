// Package sim runs pool policies in virtual time: discrete events, no clock, no
// goroutines. Arrivals come from a trace or any other source in order of time;
// every one of them ends served or rejected with a reason.
//
// One instance serves one invocation at a time. An invocation takes the
// instance that was idle for the shortest time; if there is none, the one that
// is being started ahead and will be ready first; otherwise one is started for
// it, a cold start. Memory is charged from the start of an instance to its end:
// as busy from the moment an invocation has claimed it, as idle otherwise, so
// that instances that are started ahead pay for their start.
package sim
