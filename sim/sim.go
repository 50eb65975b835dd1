package sim

import (
	"fmt"
	"math"
	"time"

	"github.com/aquatope/aquatope/pool"
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
	cfg      Config
	policy   pool.Policy
	evictor  pool.Evictor
	foreseer pool.Foreseer
	fns      []fn
	events   queue
	now      int64
	nextPlan int64
	// nextMinute is when the current minute ends.
	nextMinute int64
	// from and until are the counted time.
	from, until int64

	used    int64 // bytes of all instances
	victims victims
	line    waitingLine

	states []pool.State
	result Result
}

// fn is the state of one function.
type fn struct {
	memory int64 // bytes
	cold   int64 // ns to start
	max    int32

	concurrency int32

	busy   int32 // instances with invocations
	atWork int32 // invocations that have an instance
	warm   int32
	keep   int64 // keep-alive of instances beyond warm
	idle   []idleInstance
	// starting holds when the unclaimed instances that are being started
	// ahead will be ready, in order.
	starting []int64
	// preWarmAt is when the pending retention starts an instance, 0 if none.
	preWarmAt, preWarmKeep int64
	// expireAt is the instant of the pending expire event, 0 if none.
	expireAt int64
	waiting  []int64 // positions in the waiting line
	// due are until when invocations that were foreseen are expected, and hold
	// is how long an instance waits for one.
	due  []int64
	hold int64

	// Busy instances have slots; open are the slots of those that can take
	// one invocation more.
	slots []slot
	free  []int32
	open  []int32

	arrivals, peak int32
	load           int64 // invocation-nanoseconds since the last plan
	loadSince      int64

	busyNanos, idleNanos int64 // counted

	called     bool  // in the current minute
	closedIdle int64 // idle time until the end of the last minute, counted
	quietNanos int64 // of it, in minutes without a call
}

type idleInstance struct {
	since, expiry int64
	stamp         float64
	uses          int
	// byTarget: the function's target decides how long it stays, not a
	// retention of its own. release: it goes even if the target wants it.
	byTarget, release bool
}

func (f *fn) alive() int32 { return f.busy + int32(len(f.idle)) + int32(len(f.starting)) }

// New returns a run that begins at instant 0. It panics on a window that is not
// positive and on a function without memory: programmer errors.
func New(functions []pool.Function, p pool.Policy, cfg Config) *Sim {
	if cfg.Window <= 0 || cfg.Lead < 0 || cfg.Lead >= cfg.Window {
		panic("sim: window must be positive, and the lead shorter")
	}
	if cfg.Patience == 0 {
		cfg.Patience = DefaultPatience
	}
	s := &Sim{
		cfg: cfg, policy: p, fns: make([]fn, len(functions)), states: make([]pool.State, len(functions)),
		from: int64(cfg.From), until: int64(cfg.Until), result: Result{latency: newLatencies()},
	}
	s.evictor, _ = p.(pool.Evictor)
	s.foreseer, _ = p.(pool.Foreseer)
	for i, f := range functions {
		if f.Memory <= 0 || f.ColdStart < 0 {
			panic(fmt.Sprintf("sim: function %q has %d bytes and starts within %v", f.Name, f.Memory, f.ColdStart))
		}
		s.fns[i] = fn{memory: int64(f.Memory), cold: int64(f.ColdStart), max: int32(f.Max), concurrency: int32(max(1, f.Concurrency))}
		if f.Max <= 0 {
			s.fns[i].max = math.MaxInt32
		}
	}
	s.nextPlan, s.nextMinute = int64(cfg.Window-cfg.Lead), nsPerMinute
	return s
}

// Feed runs arrivals, which are in order of time over all calls.
func (s *Sim) Feed(batch []Arrival) {
	for i := range batch {
		a := &batch[i]
		at := int64(a.At)
		if at < s.now {
			panic("sim: arrivals out of order")
		}
		s.runTo(at)
		s.arrive(int32(a.Function), at, int64(a.Service))
	}
}

// Advance runs events and plans up to and including the instant t.
func (s *Sim) Advance(t time.Duration) { s.runTo(int64(t)) }

// runTo processes what happens until t: events before plans at the same instant.
func (s *Sim) runTo(t int64) {
	for s.nextMinute <= t {
		s.runPlans(s.nextMinute)
		s.closeMinute()
		s.nextMinute += nsPerMinute
	}
	s.runPlans(t)
}

func (s *Sim) runPlans(t int64) {
	for s.nextPlan <= t {
		s.runEvents(s.nextPlan)
		s.now = s.nextPlan
		s.plan()
		s.nextPlan += int64(s.cfg.Window)
	}
	s.runEvents(t)
	s.now = t
}

func (s *Sim) runEvents(t int64) {
	for len(s.events) > 0 && s.events[0].at <= t {
		e := s.events.pop()
		s.now = e.at
		f := e.function()
		switch e.kind() {
		case complete:
			s.complete(f, e.slot())
		case ready:
			s.ready(f)
		case expire:
			s.expire(f)
		case preWarm:
			s.preWarm(f)
		case foreseen:
			s.foresee(f)
		case deadline:
			s.giveUp(f)
		}
	}
}

// counts reports whether an arrival at t counts.
func (s *Sim) counts(t int64) bool { return t >= s.from && t < s.until }

func (s *Sim) arrive(i int32, at, service int64) {
	f := &s.fns[i]
	f.arrivals++
	f.called = true
	f.preWarmAt, f.preWarmKeep = 0, 0
	if s.counts(at) {
		s.result.Invocations++
	}
	cold := s.start(f, i, at, service)
	e := pool.Event{Function: int(i), At: time.Duration(at), Busy: int(f.busy), Idle: len(f.idle), Cold: cold}
	s.policy.Arrive(e)
	if len(f.due) > 0 {
		f.due = append(f.due[:0], f.due[1:]...)
	}
	if s.foreseer != nil {
		for _, a := range s.foreseer.Foresee(e.Function) {
			s.fns[a.Function].hold = int64(a.Hold)
			s.events.push(newEvent(add(at, int64(a.After)), foreseen, int32(a.Function), 0))
		}
	}
}

// start serves an invocation that arrived now, or lets it wait or rejects it. It
// reports whether an instance is started for it or it claims one that is not
// ready yet.
func (s *Sim) start(f *fn, i int32, at, service int64) (cold bool) {
	switch slot := f.openSlot(at); {
	case slot >= 0 && f.slots[slot].ready <= at:
		s.join(f, i, slot, at, service, &s.result.Warm)
	case len(f.idle) > 0:
		last := f.idle[len(f.idle)-1]
		f.idle = f.idle[:len(f.idle)-1]
		f.idleNanos += clip(last.since, at, s.from, s.until)
		s.join(f, i, f.occupy(at, at, last.uses), at, service, &s.result.Warm)
	case slot >= 0:
		s.join(f, i, slot, at, service, &s.result.Joined)
	case len(f.starting) > 0:
		readyAt := f.starting[0]
		f.starting = append(f.starting[:0], f.starting[1:]...)
		f.idleNanos += clip(readyAt-f.cold, at, s.from, s.until)
		s.join(f, i, f.occupy(at, readyAt, 0), at, service, &s.result.Cold)
		return true
	case s.obtain(i, f.memory):
		s.used += f.memory
		s.join(f, i, f.occupy(at, add(at, f.cold), 0), at, service, &s.result.Cold)
		return true
	default:
		s.wait(f, i, at, service)
	}
	return false
}

// account brings the function's load up to t.
func (s *Sim) account(f *fn, t int64) {
	f.load += int64(f.atWork) * (t - f.loadSince)
	f.loadSince = t
}

func (s *Sim) complete(i, slot int32) {
	f := &s.fns[i]
	s.account(f, s.now)
	f.atWork--
	x := &f.slots[slot]
	x.work--
	if x.open < 0 {
		x.open = int32(len(f.open))
		f.open = append(f.open, slot)
	}
	if len(f.waiting) > 0 {
		s.joinWaiting(f, i, slot)
		return
	}
	if x.work > 0 {
		return
	}
	f.shut(x)
	f.free = append(f.free, slot)
	f.busy--
	f.busyNanos += clip(x.since, s.now, s.from, s.until)
	r, ok := s.policy.Idle(pool.Event{Function: int(i), At: time.Duration(s.now), Busy: int(f.busy), Idle: len(f.idle) + 1})
	rest := idleInstance{expiry: add(s.now, f.keep), uses: x.uses, byTarget: true}
	if ok {
		f.preWarmAt = 0
		rest.byTarget, rest.release = false, r.Release
		switch {
		case r.PreWarm > 0:
			rest.expiry = s.now
			f.preWarmAt, f.preWarmKeep = add(s.now, int64(r.PreWarm)), int64(r.KeepAlive)
			s.events.push(newEvent(f.preWarmAt, preWarm, i, 0))
		case r.KeepAlive == pool.UntilPlan:
			rest.expiry, rest.byTarget = math.MaxInt64, true
		default:
			rest.expiry = add(s.now, int64(r.KeepAlive))
		}
	}
	s.rest(f, i, rest)
	s.serveLine()
}

func (s *Sim) preWarm(i int32) {
	f := &s.fns[i]
	if f.preWarmAt != s.now {
		return // cancelled or replaced
	}
	f.preWarmAt = 0
	if f.alive() > 0 || !s.startAhead(f, i) {
		f.preWarmKeep = 0
	}
}

// startAhead starts an instance that nobody waits for, into free memory only.
func (s *Sim) startAhead(f *fn, i int32) bool {
	if f.alive() >= f.max || s.cfg.Capacity > 0 && s.used+f.memory > s.cfg.Capacity {
		return false
	}
	s.used += f.memory
	if s.counts(s.now) {
		s.result.StartedAhead++
	}
	at := add(s.now, f.cold)
	f.starting = append(f.starting, at)
	s.events.push(newEvent(at, ready, i, 0))
	return true
}
