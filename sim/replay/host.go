package replay

import (
	"math/rand/v2"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/run"
	"github.com/aquatope/aquatope/sim/fleet"
)

// host makes the invocations of recorded runs.
type host struct {
	history  *History
	cfg      Config
	begin    time.Time
	fleet    *fleet.Fleet
	index    map[string]int32
	accounts *accounts
	cold     [][]time.Duration // recorded starts, by function
	random   *rand.Rand
	seen     map[string]bool // revisions

	runs   []active
	spare  []int32
	active int
	// current is the invocation that is being made; nil when an instance is
	// started for none.
	current *run.Stage
}

// A token names a step of a run under way, and whether it begins or ends.
func token(slot, step int32, ends bool) int64 {
	t := int64(slot)<<32 | int64(step)<<1
	if ends {
		t |= 1
	}
	return t
}

func parse(t int64) (slot, step int32, ends bool) {
	return int32(t >> 32), int32(t&0xffffffff) >> 1, t&1 == 1
}

// start begins a run.
func (x *host) start(r *run.Run, counted bool) {
	now := int64(x.fleet.Now())
	a := active{run: r, steps: x.history.causes(r, x.index), counted: counted, begin: now, last: now}
	recorded := r.Start
	for i := range a.steps {
		if s := a.steps[i].stage; s.Outcome != function.OutcomeCanceled && ended(s).After(recorded) {
			recorded = ended(s)
		}
	}
	a.tail = max(0, int64(r.End.Sub(recorded)))
	var slot int32
	if n := len(x.spare); n > 0 {
		slot = x.spare[n-1]
		x.spare = x.spare[:n-1]
		x.runs[slot] = a
	} else {
		slot = int32(len(x.runs))
		x.runs = append(x.runs, a)
	}
	x.active++
	for i := range a.steps {
		if s := &a.steps[i]; s.waits == 0 {
			x.runs[slot].flying++
			x.fleet.Wake(s.gap, token(slot, int32(i), false))
		}
	}
	x.settle(slot)
}

// Wake implements fleet.Host.
func (x *host) Wake(t int64) {
	slot, i, ends := parse(t)
	s := &x.runs[slot].steps[i]
	switch {
	case ends:
		x.done(slot, i)
	case s.function < 0:
		x.fleet.Wake(s.after, token(slot, i, true))
	default:
		x.deploy(s)
		x.current = s.stage
		x.fleet.Invoke(s.function, token(slot, i, true))
		x.current = nil
		if a := &x.runs[slot]; !a.begun {
			a.begun = true
			x.fleet.Foresee(int(s.function))
		}
	}
}

// deploy takes up a revision when it is invoked for the first time.
func (x *host) deploy(s *step) {
	r, ok := x.history.Revisions[s.stage.Revision]
	if !ok || x.seen[s.stage.Revision] {
		return
	}
	x.seen[s.stage.Revision] = true
	x.fleet.SetResources(s.function, r)
}

// ColdStart implements fleet.Host: the start that the invocation waited for when
// it was recorded, or else one that was recorded of the function.
func (x *host) ColdStart(f int32, _ function.Resources) int64 {
	if x.cfg.InstantStarts {
		return 0
	}
	if s := x.current; s != nil && s.Cold && s.ColdStart > 0 {
		return int64(s.ColdStart)
	}
	known := x.cold[f]
	if len(known) == 0 {
		return int64(UnknownStart)
	}
	return int64(known[x.random.IntN(len(known))])
}

// UnknownStart is how long instances start when no start was recorded at all.
const UnknownStart = 500 * time.Millisecond

// Serve implements fleet.Host.
func (x *host) Serve(t int64, served *fleet.Served) (service int64, fatal bool) {
	slot, i, _ := parse(t)
	a := &x.runs[slot]
	s := &a.steps[i]
	if a.counted {
		cold := served.How == fleet.Cold || served.How == fleet.Joined
		wait := time.Duration(0)
		if cold {
			wait = time.Duration(served.Begin - served.Arrived)
		}
		x.accounts.invocation(a.run, x.history.resources(s.stage, s.function), time.Duration(s.service), wait, cold)
	}
	switch s.stage.Outcome {
	case function.OutcomeOOM, function.OutcomeCrash, function.OutcomeTimeout:
		fatal = true
	}
	return s.service, fatal
}

// End implements fleet.Host.
func (x *host) End(t int64, _ *fleet.Served) {
	slot, i, _ := parse(t)
	if after := x.runs[slot].steps[i].after; after > 0 {
		x.fleet.Wake(after, t)
		return
	}
	x.done(slot, i)
}

// Fail implements fleet.Host: the run of an invocation that is turned away ends.
func (x *host) Fail(t int64, _ *fleet.Served, _ fleet.Failure) {
	slot, i, _ := parse(t)
	a := &x.runs[slot]
	if a.counted {
		x.accounts.get(a.run).Rejected++
	}
	a.rejected = true
	x.done(slot, i)
}

// done goes on after a step.
func (x *host) done(slot, i int32) {
	a := &x.runs[slot]
	a.flying--
	if a.steps[i].stage.Outcome != function.OutcomeCanceled {
		a.last = int64(x.fleet.Now())
	}
	if !a.rejected {
		for _, j := range a.steps[i].next {
			s := &a.steps[j]
			if s.waits--; s.waits == 0 {
				a.flying++
				x.fleet.Wake(s.gap, token(slot, j, false))
			}
		}
	}
	x.settle(slot)
}

// settle ends a run of which nothing is under way.
func (x *host) settle(slot int32) {
	a := &x.runs[slot]
	if a.flying > 0 {
		return
	}
	if a.counted {
		x.accounts.ended(a.run, time.Duration(a.last+a.tail-a.begin), a.rejected)
	}
	*a = active{}
	x.spare = append(x.spare, slot)
	x.active--
}
