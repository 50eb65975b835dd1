// Package tuner finds the cheapest CPU and memory for every function of a
// workflow such that the workflow keeps its promise.
//
// A [Strategy] is asked what to try next and told nothing: it decides from the
// whole history of runs, so that a session can stop, be stored and resume
// anywhere. [Structured], the default, models every function by itself and
// composes latency along the graph; [Blackbox] is the method of the Aquatope
// paper. The peers they are compared with are in package baseline.
package tuner
