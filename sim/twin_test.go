package sim_test

import (
	"math"
	"slices"
	"time"

	"github.com/aquatope/aquatope/pool"
	"github.com/aquatope/aquatope/sim"
)

// twin is the simulator written for the reader instead of the machine: instances
// are objects in a list, and every step looks at all of them for what happens
// next. It has no limit on memory.
type twin struct {
	functions []pool.Function
	policy    pool.Policy
	cfg       sim.Config
	instances []*twinInstance
	target    []pool.Target
	preWarm   []twinPreWarm
	states    []pool.State
	ends      []twinEnd
	nextPlan  time.Duration
	idleNanos []int64
	busyNanos []int64
	result    sim.Result
}

type twinInstance struct {
	function int
	started  time.Duration // charged from here until claimed
	ready    time.Duration
	work     int
	idle     bool
	claimed  bool
	since    time.Duration
	expiry   time.Duration
	keep     time.Duration // when it gets ready; 0 as the target says
	byTarget bool
	release  bool
	order    int // of falling idle
}

type twinEnd struct {
	at       time.Duration
	instance *twinInstance
}

type twinPreWarm struct {
	at       time.Duration
	pending  bool
	keepNext time.Duration
}

const never = time.Duration(math.MaxInt64)

func newTwin(functions []pool.Function, p pool.Policy, cfg sim.Config) *twin {
	n := len(functions)
	return &twin{
		functions: functions, policy: p, cfg: cfg, target: make([]pool.Target, n), preWarm: make([]twinPreWarm, n),
		states: make([]pool.State, n), idleNanos: make([]int64, n), busyNanos: make([]int64, n), nextPlan: cfg.Window - cfg.Lead,
	}
}

func (t *twin) of(f int) []*twinInstance {
	var out []*twinInstance
	for _, x := range t.instances {
		if x.function == f {
			out = append(out, x)
		}
	}
	return out
}

func (t *twin) counts(f int) (busy, idle, starting int) {
	for _, x := range t.of(f) {
		switch {
		case x.work > 0:
			busy++
		case x.idle:
			idle++
		default:
			starting++
		}
	}
	return
}

func (t *twin) remove(x *twinInstance) {
	t.instances = slices.DeleteFunc(t.instances, func(y *twinInstance) bool { return x == y })
}

func (t *twin) chargeIdle(x *twinInstance, from, to time.Duration) {
	t.idleNanos[x.function] += clip(from, to, t.cfg.From, t.cfg.Until)
}

func clip(a, b, from, to time.Duration) int64 { return int64(max(0, min(b, to)-max(a, from))) }

// run advances to the instant, everything at it included.
func (t *twin) run(until time.Duration) {
	for {
		at, kind, do := until, 9, func() {}
		consider := func(when time.Duration, k int, f func()) {
			if when < at || when == at && k < kind {
				at, kind, do = when, k, f
			}
		}
		for i := range t.ends {
			consider(t.ends[i].at, 0, func() { t.end(i) })
		}
		for _, x := range t.instances {
			if !x.idle && x.work == 0 {
				consider(x.ready, 1, func() { t.becomeReady(x) })
			}
			if x.idle {
				busy, idle, starting := t.counts(x.function)
				if x.release || busy+idle+starting > t.target[x.function].Warm {
					consider(x.expiry, 2, func() { t.expire(x) })
				}
			}
		}
		for f := range t.preWarm {
			if p := &t.preWarm[f]; p.pending {
				consider(p.at, 3, func() { t.firePreWarm(f) })
			}
		}
		consider(t.nextPlan, 5, t.plan)
		if kind == 9 {
			return
		}
		do()
	}
}

func (t *twin) arrive(a sim.Arrival) {
	t.run(a.At)
	f := a.Function
	t.states[f].Arrivals++
	t.preWarm[f] = twinPreWarm{}
	counted := a.At >= t.cfg.From && a.At < t.cfg.Until
	kind := &t.result.Warm
	var take *twinInstance
	for _, x := range t.of(f) { // a busy one with room, else the last that fell idle
		switch {
		case x.work > 0 && x.work < max(1, t.functions[f].Concurrency) && (take == nil || x.ready < take.ready):
			take = x
		}
	}
	if take == nil || take.ready > a.At {
		for _, x := range t.of(f) {
			if x.idle && (take == nil || !take.idle || x.order > take.order) {
				take = x
			}
		}
	}
	cold := false
	switch {
	case take != nil && take.idle:
		t.chargeIdle(take, take.since, a.At)
		take.idle, take.since, take.claimed = false, a.At, true
	case take != nil && take.ready > a.At:
		kind = &t.result.Joined
	case take == nil:
		kind, cold = &t.result.Cold, true
		for _, x := range t.of(f) {
			if !x.idle && x.work == 0 && (take == nil || x.ready < take.ready) {
				take = x
			}
		}
		if take != nil {
			t.chargeIdle(take, take.started, a.At)
		} else {
			take = &twinInstance{function: f, ready: a.At + t.functions[f].ColdStart}
			t.instances = append(t.instances, take)
		}
		take.since, take.claimed = a.At, true
	}
	take.work++
	t.ends = append(t.ends, twinEnd{max(a.At, take.ready) + a.Service, take})
	busy, idle, _ := t.counts(f)
	t.states[f].Peak = max(t.states[f].Peak, busy)
	if counted {
		t.result.Invocations++
		*kind++
	}
	t.policy.Arrive(pool.Event{Function: f, At: a.At, Busy: busy, Idle: idle, Cold: cold})
}

func (t *twin) end(i int) {
	e := t.ends[i]
	t.ends = slices.Delete(t.ends, i, i+1)
	x := e.instance
	if x.work--; x.work > 0 {
		return
	}
	f := x.function
	t.busyNanos[f] += clip(x.since, e.at, t.cfg.From, t.cfg.Until)
	x.idle = true // for the counts; it may go at once
	busy, idle, _ := t.counts(f)
	r, ok := t.policy.Idle(pool.Event{Function: f, At: e.at, Busy: busy, Idle: idle})
	x.since, x.order = e.at, t.nextOrder()
	x.byTarget, x.release, x.expiry = true, false, e.at+t.target[f].KeepAlive
	if ok {
		x.byTarget, x.release = false, r.Release
		t.preWarm[f].pending = false
		switch {
		case r.PreWarm > 0:
			x.expiry = e.at
			t.preWarm[f] = twinPreWarm{at: e.at + r.PreWarm, keepNext: r.KeepAlive, pending: true}
		case r.KeepAlive == pool.UntilPlan:
			x.expiry, x.byTarget = never, true
		default:
			x.expiry = e.at + r.KeepAlive
		}
	}
	t.settle(x, e.at)
}

// settle lets an instance go that fell idle with nothing to stay for.
func (t *twin) settle(x *twinInstance, now time.Duration) {
	f := x.function
	busy, idle, starting := t.counts(f)
	others := busy + idle + starting - 1
	if x.expiry <= now && (x.release || others >= t.target[f].Warm) {
		t.target[f].Warm = min(t.target[f].Warm, others)
		t.remove(x)
	}
}

func (t *twin) nextOrder() int {
	n := 0
	for _, x := range t.instances {
		n = max(n, x.order)
	}
	return n + 1
}

func (t *twin) becomeReady(x *twinInstance) {
	t.chargeIdle(x, x.started, x.ready)
	x.idle, x.since, x.order = true, x.ready, t.nextOrder()
	x.byTarget, x.expiry = true, x.ready+t.target[x.function].KeepAlive
	if x.keep > 0 {
		x.byTarget, x.expiry = false, x.ready+x.keep
	}
	t.settle(x, x.ready)
}

func (t *twin) expire(x *twinInstance) {
	busy, idle, starting := t.counts(x.function)
	if alive := busy + idle + starting; alive <= t.target[x.function].Warm {
		t.target[x.function].Warm--
	}
	t.chargeIdle(x, x.since, max(x.expiry, x.since))
	t.remove(x)
}

func (t *twin) firePreWarm(f int) {
	p := &t.preWarm[f]
	p.pending = false
	if len(t.of(f)) == 0 {
		t.start(f, p.at, p.keepNext)
	}
}

func (t *twin) start(f int, now, keep time.Duration) {
	t.instances = append(t.instances, &twinInstance{function: f, started: now, ready: now + t.functions[f].ColdStart, keep: keep})
}

func (t *twin) plan() {
	now := t.nextPlan
	t.nextPlan += t.cfg.Window
	for f := range t.states {
		s := &t.states[f]
		s.Busy, s.Idle, s.Starting = t.counts(f)
		s.Peak = max(s.Peak, s.Busy)
	}
	p := t.policy.Plan(&pool.Snapshot{Now: now, Next: now + t.cfg.Lead, Window: t.cfg.Window, States: t.states})
	for f := range t.states {
		t.states[f] = pool.State{Peak: t.states[f].Busy}
	}
	for f := range p {
		t.target[f] = p[f]
		for len(t.of(f)) < p[f].Warm {
			t.start(f, now, 0)
		}
		idle := t.of(f)
		slices.SortFunc(idle, func(a, b *twinInstance) int { return a.order - b.order })
		t.part(f, p[f].Part, idle, now)
		idle = t.of(f)
		slices.SortFunc(idle, func(a, b *twinInstance) int { return a.order - b.order })
		for _, x := range idle {
			if x.idle && x.byTarget {
				x.expiry = x.since + p[f].KeepAlive
			}
			if x.idle && x.expiry <= now && (x.release || len(t.of(f)) > p[f].Warm) {
				t.chargeIdle(x, x.since, now)
				if len(t.of(f)) <= t.target[f].Warm {
					t.target[f].Warm--
				}
				t.remove(x)
			}
		}
	}
}

// part has one instance for a part of the window, of all that there are in the
// order in which they fell idle.
func (t *twin) part(f int, r pool.Retention, all []*twinInstance, now time.Duration) {
	if r.KeepAlive <= 0 {
		return
	}
	if r.PreWarm > 0 {
		t.preWarm[f] = twinPreWarm{at: now + r.PreWarm, keepNext: r.KeepAlive, pending: true}
		return
	}
	for _, x := range slices.Backward(all) {
		if x.idle {
			x.byTarget, x.release, x.expiry = false, true, now+r.KeepAlive
			return
		}
	}
	if len(all) == 0 {
		t.start(f, now, r.KeepAlive)
	}
}

func (t *twin) finish() *sim.Result {
	t.run(t.cfg.Until)
	for _, x := range t.instances {
		switch {
		case x.work > 0:
			t.busyNanos[x.function] += clip(x.since, t.cfg.Until, t.cfg.From, t.cfg.Until)
		case x.idle:
			t.chargeIdle(x, x.since, t.cfg.Until)
		default:
			t.chargeIdle(x, x.started, t.cfg.Until)
		}
	}
	for f := range t.functions {
		t.result.IdleGBSeconds += t.functions[f].GB() * float64(t.idleNanos[f]) / 1e9
		t.result.BusyGBSeconds += t.functions[f].GB() * float64(t.busyNanos[f]) / 1e9
	}
	return &t.result
}
