// Package run is the vocabulary of runs: one execution of a workflow, the
// stages it went through, the problem that ended it, and the events that make
// up the durable log of an asynchronous run. It holds values only; package
// engine produces them and package store keeps them.
package run
