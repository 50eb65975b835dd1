package fleet

import "github.com/aquatope/aquatope/function"

// Host is who invokes functions. Its methods are called at the instant Now.
type Host interface {
	// ColdStart returns how long, in nanoseconds, an instance of a function that
	// is started now takes until it is ready.
	ColdStart(f int32, r function.Resources) int64
	// Serve is called when an instance is given an invocation, and returns how
	// long it serves it, in nanoseconds, and whether that kills the instance. It
	// must not invoke anything.
	Serve(token int64, x *Served) (service int64, fatal bool)
	// End is called when an invocation was served.
	End(token int64, x *Served)
	// Fail is called when an invocation ended in another way.
	Fail(token int64, x *Served, why Failure)
	// Wake is called at the instants that Wake asked for.
	Wake(token int64)
}

// Served is how an invocation is served.
type Served struct {
	Function int32
	Node     int32
	How      Start
	Arrived  int64 // instant of Invoke
	Begin    int64 // instant from which an instance serves it, which may be to come
	// Resources of the instance.
	Resources function.Resources
	// CPU is the CPU of all busy instances of the node relative to the node's,
	// this one included, when the invocation was given its instance; 0 on a node
	// without a limit.
	CPU float64
}

// Start is how an invocation came to its instance.
type Start uint8

// The ways to start.
const (
	// Warm found an instance that could serve at once.
	Warm Start = iota
	// Cold had an instance started for it, or waited for one that was being
	// started ahead.
	Cold
	// Joined waited for a start that was counted already.
	Joined
	// Waited waited in line, then was given a warm instance.
	Waited
)

// Failure is why an invocation was not served.
type Failure uint8

// The reasons.
const (
	// Rejected found no room before its deadline.
	Rejected Failure = iota
	// TooLarge needs an instance larger than any node.
	TooLarge
	// Lost was on a node that was lost.
	Lost
)
