package sim

import (
	"fmt"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/pool"
	"github.com/aquatope/aquatope/sim/fleet"
)

// Config describes the world and what counts.
type Config struct {
	// Window is the time between plans, positive.
	Window time.Duration
	// Lead is how long before the end of a window its plan is made, less than
	// Window, so that what is started ahead is ready when the next begins.
	Lead time.Duration
	// From and Until bound the time whose figures count, as instants since the
	// epoch. What comes before From warms up.
	From, Until time.Duration
	// Capacity is the memory of all instances together in bytes; 0 is unlimited.
	Capacity int64
	// Patience is how long an invocation waits for memory; 0 means DefaultPatience.
	Patience time.Duration
}

// DefaultPatience is how long an invocation waits for memory before it is rejected.
const DefaultPatience = 30 * time.Second

// Sim is one run of a policy.
type Sim struct {
	cfg   Config
	fleet *fleet.Fleet
	fns   []fn
	// nextMinute is when the current minute ends.
	nextMinute time.Duration
	result     Result
}

// fn is one function, and what the quiet part of its idle memory needs.
type fn struct {
	pool.Function
	called bool          // in the current minute
	closed time.Duration // idle time until the end of the last minute
	quiet  time.Duration // of it, in minutes without a call
}

// New returns a run that begins at instant 0. It panics on a window that is not
// positive and on a function without memory: programmer errors.
func New(functions []pool.Function, p pool.Policy, cfg Config) *Sim {
	if cfg.Patience == 0 {
		cfg.Patience = DefaultPatience
	}
	s := &Sim{cfg: cfg, fns: make([]fn, len(functions)), nextMinute: time.Minute, result: Result{latency: newLatencies()}}
	list := make([]fleet.Function, len(functions))
	for i, f := range functions {
		if f.ColdStart < 0 {
			panic(fmt.Sprintf("sim: function %q starts within %v", f.Name, f.ColdStart))
		}
		s.fns[i].Function = f
		list[i] = fleet.Function{
			Name: f.Name, Resources: function.Resources{Memory: f.Memory}, ColdStart: f.ColdStart, Concurrency: f.Concurrency, Max: f.Max,
		}
	}
	c := fleet.Config{Window: cfg.Window, Lead: cfg.Lead, From: cfg.From, Until: cfg.Until, Patience: cfg.Patience}
	if cfg.Capacity > 0 {
		c.Nodes = []fleet.Node{{Memory: function.Bytes(cfg.Capacity)}}
	}
	s.fleet = fleet.New(list, p, (*host)(s), c)
	return s
}

// Feed runs arrivals, which are in order of time over all calls.
func (s *Sim) Feed(batch []Arrival) {
	for i := range batch {
		a := &batch[i]
		if a.At < s.fleet.Now() {
			panic("sim: arrivals out of order")
		}
		s.Advance(a.At)
		s.fns[a.Function].called = true
		if s.fleet.Counted(int64(a.At)) {
			s.result.Invocations++
		}
		s.fleet.Invoke(int32(a.Function), int64(a.Service))
		s.fleet.Foresee(a.Function)
	}
}

// Advance runs events and plans up to and including the instant t.
func (s *Sim) Advance(t time.Duration) {
	for s.nextMinute <= t {
		s.fleet.RunTo(s.nextMinute)
		s.closeMinute()
		s.nextMinute += time.Minute
	}
	s.fleet.RunTo(t)
}

// closeMinute charges the idle time of the minute that ends now.
func (s *Sim) closeMinute() {
	counts := s.nextMinute > s.cfg.From && s.nextMinute <= s.cfg.Until
	for i := range s.fns {
		f := &s.fns[i]
		if counts {
			idle := s.fleet.Idle(int32(i))
			if !f.called {
				f.quiet += idle - f.closed
			}
			f.closed = idle
		}
		f.called = false
	}
}

// Finish runs to the end of the counted time and returns what was measured. The
// run is over then.
func (s *Sim) Finish() *Result {
	s.Advance(s.cfg.Until)
	s.fleet.Settle()
	r := &s.result
	for i := range s.fns {
		f := &s.fns[i]
		for _, u := range s.fleet.Usage(int32(i)) {
			r.BusyGBSeconds += f.GB() * u.Busy.Seconds()
			r.IdleGBSeconds += f.GB() * u.Idle.Seconds()
		}
		r.QuietGBSeconds += f.GB() * f.quiet.Seconds()
	}
	c := s.fleet.Counts()
	r.StartedAhead, r.Evicted = c.StartedAhead, c.Evicted
	r.Open = r.Invocations - r.Warm - r.Cold - r.Joined - r.Waited - r.Rejected - r.TooLarge
	return r
}
