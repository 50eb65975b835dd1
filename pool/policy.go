package pool

import (
	"time"

	"github.com/aquatope/aquatope/function"
)

// Function is what a policy may know of a function before it is called.
type Function struct {
	Name string
	// App groups functions that are deployed together; empty if unknown.
	App string
	// Memory of one instance, positive.
	Memory function.Bytes
	// ColdStart is the measured time from the start of an instance until it is ready.
	ColdStart time.Duration
	// Service is the mean time that one invocation keeps an instance busy.
	Service time.Duration
	// Concurrency is how many invocations one instance serves at once; 0 means 1.
	Concurrency int
	// Max is the hard cap on instances; 0 means none.
	Max int
	// IdleCost is what an instance costs for each second that it is idle, in the
	// unit in which a cold start has its price; 0 means its memory in GB.
	IdleCost float64
	// Price of a cold start, in that unit; 0 means that of the policy.
	Price float64
	// OnDemand functions are not kept between uses, whatever is forecast: their
	// instances start with the run that needs them.
	OnDemand bool
}

// GB returns the memory of one instance in gigabytes (1e9 bytes), the unit of
// every account of memory.
func (f Function) GB() float64 { return float64(f.Memory) / 1e9 }

// idleCost is what an idle second of one instance costs.
func (f Function) idleCost() float64 {
	if f.IdleCost > 0 {
		return f.IdleCost
	}
	return f.GB()
}

// price is what a cold start costs under a policy with that price.
func (f Function) price(of float64) float64 {
	if f.Price > 0 {
		return f.Price
	}
	return of
}

// State is what happened to one function since the last plan, and what there is now.
type State struct {
	Arrivals int     // invocations that arrived
	Peak     int     // largest number of busy instances at once
	Load     float64 // mean number of invocations at work

	Busy, Idle, Starting int // instances now; Starting are not yet claimed by an invocation
}

// Alive is the number of instances, in whatever state.
func (s State) Alive() int { return s.Busy + s.Idle + s.Starting }

// Snapshot is the state of all functions when the next window is planned: at
// the end of the last, or a little earlier so that instances have time to start.
type Snapshot struct {
	Now    time.Duration // since the epoch
	Next   time.Duration // when the window that is planned begins, not before Now
	Window time.Duration // its length, and the time since the last plan
	States []State       // by index of function
}

// Target is what is wanted of one function until the next plan; it has the
// meaning of platform.Scale: Warm instances are kept whether used or not, those
// beyond them are retired after being idle for KeepAlive.
type Target struct {
	Warm      int
	KeepAlive time.Duration
	// Part, when its KeepAlive is positive, wants one instance for a part of the
	// window, beside Warm, which is 0 then: PreWarm from now one is started unless
	// there is one or an invocation came before, and is kept idle for its
	// KeepAlive. With a PreWarm of 0 one that is idle now serves. A world that
	// cannot start instances between plans takes it as a Warm of 1.
	Part Retention
}

// Plan holds the targets of all functions by index. Nil leaves everything as it is.
type Plan []Target

// Event tells of one invocation.
type Event struct {
	Function int
	At       time.Duration // since the epoch
	// Busy and Idle count the instances of the function after the event.
	Busy, Idle int
	// Cold says that the invocation found no idle instance.
	Cold bool
}

// Retention is what is wanted of an instance that just became idle. When
// PreWarm is positive the instance is unloaded at once, one is started again
// after PreWarm unless an invocation comes first, and that one is kept idle for
// KeepAlive; otherwise the instance itself is kept idle for KeepAlive, or
// UntilPlan. Instances that a target wants warm stay beyond their KeepAlive,
// unless Release is set: then the target is lowered instead.
type Retention struct {
	PreWarm   time.Duration
	KeepAlive time.Duration
	Release   bool
}

// UntilPlan as KeepAlive keeps an instance until the next plan, which decides
// over it by its target.
const UntilPlan = time.Duration(-1)

// Forever keeps an instance until memory lacks.
const Forever = time.Duration(1<<63 - 1)

// Policy decides what is kept warm. It is used by one goroutine, along one line
// of time, and deterministic given its construction and what it is told.
type Policy interface {
	Name() string
	// Plan is called at the end of every window. The plan is valid until the
	// next call, the snapshot only during it.
	Plan(s *Snapshot) Plan
	// Arrive is called for every invocation when it arrives.
	Arrive(e Event)
	// Idle is called when an instance ends an invocation and none waits for it.
	// Without an opinion (ok is false) the target's KeepAlive holds.
	Idle(e Event) (r Retention, ok bool)
}

// Evictor is a policy that chooses who goes when memory lacks. Of policies that
// do not, the instance that is idle for longest goes. Only idle instances go.
type Evictor interface {
	// Stamp is remembered with an instance from when it becomes idle.
	Stamp(f int) float64
	// Worth is what an idle instance with that stamp is worth now; the least
	// goes first. It does not fall while instances of f come and are used.
	Worth(f int, stamp float64) float64
	// Evicted tells that an instance of that worth went, and how many
	// invocations it had served.
	Evicted(f int, worth float64, uses int)
}

// Planner is embedded by policies that decide once per window only.
type Planner struct{}

// Arrive implements Policy.
func (Planner) Arrive(Event) {}

// Idle implements Policy.
func (Planner) Idle(Event) (Retention, bool) { return Retention{}, false }

// Reactor is embedded by policies that decide on events only.
type Reactor struct{}

// Plan implements Policy.
func (Reactor) Plan(*Snapshot) Plan { return nil }

// Arrive implements Policy.
func (Reactor) Arrive(Event) {}
