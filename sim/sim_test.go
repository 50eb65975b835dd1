package sim_test

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/pool"
	"github.com/aquatope/aquatope/pool/baseline"
	"github.com/aquatope/aquatope/sim"
)

// erratic is a policy whose answers are a fixed, wild function of what it is
// asked, so that two simulators that ask the same get the same.
type erratic struct {
	seed  uint64
	plans bool
	plan  pool.Plan
}

func (*erratic) Name() string      { return "erratic" }
func (*erratic) Arrive(pool.Event) {}

func (p *erratic) draw(xs ...uint64) *rand.Rand {
	h := fnv.New64a()
	for _, x := range append(xs, p.seed) {
		h.Write([]byte{byte(x), byte(x >> 8), byte(x >> 16), byte(x >> 24), byte(x >> 32), byte(x >> 40), byte(x >> 48), byte(x >> 56)})
	}
	return rand.New(rand.NewPCG(h.Sum64(), 1))
}

func (p *erratic) Plan(s *pool.Snapshot) pool.Plan {
	if !p.plans {
		return nil
	}
	p.plan = make(pool.Plan, len(s.States))
	for i, x := range s.States {
		r := p.draw(uint64(s.Now), uint64(i), uint64(x.Arrivals), uint64(x.Peak), uint64(x.Busy), uint64(x.Idle), uint64(x.Starting))
		p.plan[i] = pool.Target{Warm: r.IntN(4), KeepAlive: time.Duration(r.IntN(40e9))}
		if p.plan[i].Warm == 0 {
			p.plan[i].Part = pool.Retention{PreWarm: time.Duration(max(0, r.IntN(40e9)-10e9)), KeepAlive: time.Duration(r.IntN(20e9))}
		}
	}
	return p.plan
}

func (p *erratic) Idle(e pool.Event) (pool.Retention, bool) {
	r := p.draw(uint64(e.Function), uint64(e.At), uint64(e.Busy), uint64(e.Idle))
	switch r.IntN(6) {
	case 0:
		return pool.Retention{}, false
	case 1:
		return pool.Retention{KeepAlive: pool.UntilPlan}, true
	case 2:
		return pool.Retention{PreWarm: time.Duration(1 + r.IntN(30e9)), KeepAlive: time.Duration(1 + r.IntN(30e9))}, true
	case 3:
		return pool.Retention{KeepAlive: time.Duration(r.IntN(60e9)), Release: true}, true
	case 4:
		return pool.Retention{KeepAlive: 0, Release: r.IntN(2) == 0}, true
	}
	return pool.Retention{KeepAlive: time.Duration(r.IntN(60e9))}, true
}

type scenario struct {
	functions []pool.Function
	arrivals  []sim.Arrival
	cfg       sim.Config
}

func newScenario(r *rand.Rand, n int) scenario {
	var s scenario
	for range 1 + r.IntN(3) {
		s.functions = append(s.functions, pool.Function{
			Memory: function.Bytes(1 + r.IntN(1000)), ColdStart: time.Duration(r.IntN(5e9)), Concurrency: 1,
		})
	}
	span := time.Duration(1+r.IntN(600)) * time.Second
	for range n {
		s.arrivals = append(s.arrivals, sim.Arrival{
			At: time.Duration(r.Int64N(int64(span))), Service: time.Duration(1 + r.Int64N(1+r.Int64N(20e9))), Function: r.IntN(len(s.functions)),
		})
	}
	slices.SortFunc(s.arrivals, func(a, b sim.Arrival) int { return int(a.At - b.At) })
	s.cfg = sim.Config{Window: 20 * time.Second, Lead: time.Duration(r.IntN(5e9)), From: span / 4, Until: span + 30*time.Second}
	return s
}

// TestAgainstTwin compares with a simulator that is too simple to be wrong.
func TestAgainstTwin(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		r := rand.New(rand.NewPCG(seed, 2))
		sc := newScenario(r, rapid.IntRange(0, 60).Draw(t, "arrivals"))
		// With one invocation to an instance, or room for all, there is never a
		// choice between busy instances with room.
		concurrency := rapid.SampledFrom([]int{1, 1000}).Draw(t, "concurrency")
		for i := range sc.functions {
			sc.functions[i].Concurrency = concurrency
		}
		plans := rapid.Bool().Draw(t, "plans")
		fast := sim.New(sc.functions, &erratic{seed: seed, plans: plans}, sc.cfg)
		fast.Feed(sc.arrivals)
		got := fast.Finish()
		slow := newTwin(sc.functions, &erratic{seed: seed, plans: plans}, sc.cfg)
		for _, a := range sc.arrivals {
			slow.arrive(a)
		}
		want := slow.finish()
		if got.Invocations != want.Invocations || got.Warm != want.Warm || got.Cold != want.Cold || got.Joined != want.Joined {
			t.Fatalf("invocations, warm, cold, joined: got %d, %d, %d, %d, want %d, %d, %d, %d",
				got.Invocations, got.Warm, got.Cold, got.Joined, want.Invocations, want.Warm, want.Cold, want.Joined)
		}
		if math.Abs(got.IdleGBSeconds-want.IdleGBSeconds) > 1e-12 || math.Abs(got.BusyGBSeconds-want.BusyGBSeconds) > 1e-12 {
			t.Fatalf("idle, busy: got %g, %g, want %g, %g", got.IdleGBSeconds, got.BusyGBSeconds, want.IdleGBSeconds, want.BusyGBSeconds)
		}
	})
}

// checkScenario runs a scenario under pressure and checks that every arrival
// ends in one way and that no instance or byte is lost.
func checkScenario(t interface{ Fatalf(string, ...any) }, seed uint64, n int) {
	r := rand.New(rand.NewPCG(seed, 3))
	sc := newScenario(r, n)
	for i := range sc.functions {
		sc.functions[i].Concurrency = 1 + r.IntN(4)
		sc.functions[i].Max = r.IntN(4)
	}
	if r.IntN(4) > 0 {
		sc.cfg.Capacity = int64(1 + r.IntN(3000))
	}
	sc.cfg.Patience = time.Duration(1 + r.IntN(30e9))
	var p pool.Policy = &erratic{seed: seed, plans: r.IntN(2) == 0}
	if r.IntN(3) == 0 {
		p = baseline.NewFaasCache(sc.functions)
	}
	s := sim.New(sc.functions, p, sc.cfg)
	for i := range sc.arrivals {
		s.Feed(sc.arrivals[i : i+1])
		if err := s.Check(); err != nil {
			t.Fatalf("after arrival %d: %v", i, err)
		}
	}
	res := s.Finish()
	ended := res.Warm + res.Cold + res.Joined + res.Waited + res.Rejected + res.TooLarge + res.Open
	if ended != res.Invocations {
		t.Fatalf("%d invocations, %d ends: %+v", res.Invocations, ended, res)
	}
	if !(res.IdleGBSeconds >= 0) || !(res.BusyGBSeconds >= 0) || res.StartLatency(0.99) < 0 {
		t.Fatalf("not sound: %+v", res)
	}
}

func TestBooksBalance(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		checkScenario(t, rapid.Uint64().Draw(t, "seed"), rapid.IntRange(0, 200).Draw(t, "arrivals"))
	})
}

func FuzzSim(f *testing.F) {
	f.Add(uint64(1), uint8(50))
	f.Add(uint64(2), uint8(0))
	f.Add(uint64(77), uint8(255))
	f.Fuzz(func(t *testing.T, seed uint64, n uint8) { checkScenario(t, seed, int(n)) })
}

// keepFor is a policy that keeps for a fixed time.
func keepFor(d time.Duration) pool.Policy { return baseline.KeepAlive{Timeout: d} }

func TestKeepAliveByHand(t *testing.T) {
	t.Parallel()
	fns := []pool.Function{{Memory: 1e9, ColdStart: time.Second}}
	s := sim.New(fns, keepFor(10*time.Second), sim.Config{Window: time.Minute, Until: time.Minute})
	s.Feed([]sim.Arrival{
		{At: 0, Service: 2 * time.Second},                // cold, busy until 3 s
		{At: 5 * time.Second, Service: 1 * time.Second},  // warm after 2 s idle, until 6 s
		{At: 20 * time.Second, Service: 1 * time.Second}, // expired at 16 s: cold, until 22 s
	})
	r := s.Finish()
	if r.Cold != 2 || r.Warm != 1 {
		t.Errorf("cold %d, warm %d", r.Cold, r.Warm)
	}
	// Idle 3-5, 6-16 and 22-32; busy 0-3, 5-6, 20-22.
	if r.IdleGBSeconds != 22 || r.BusyGBSeconds != 6 {
		t.Errorf("idle %v, busy %v GB-s", r.IdleGBSeconds, r.BusyGBSeconds)
	}
	if got := r.StartLatency(0.99); got < 990*time.Millisecond || got > 1010*time.Millisecond {
		t.Errorf("p99 of the start is %v", got)
	}
	if got := r.StartLatency(0.2); got != 0 {
		t.Errorf("p20 of the start is %v", got)
	}
}

// By the minute only what is kept in minutes without a call is idle.
func TestQuietMinutes(t *testing.T) {
	t.Parallel()
	fns := []pool.Function{{Memory: 1e9, ColdStart: time.Second}}
	s := sim.New(fns, keepFor(100*time.Second), sim.Config{Window: time.Minute, From: time.Minute, Until: 10 * time.Minute})
	s.Feed([]sim.Arrival{
		{At: 0, Service: time.Second},                 // idle 2-102 s: 60-102 s counts, in a minute without a call
		{At: 200 * time.Second, Service: time.Second}, // idle 202-302 s: from 240 s in minutes without a call
	})
	r := s.Finish()
	if r.IdleGBSeconds != 42+100 || r.QuietGBSeconds != 42+62 {
		t.Errorf("idle %v and quiet %v GB-s, want 142 and 104", r.IdleGBSeconds, r.QuietGBSeconds)
	}
}

// foresees asks for function 1 two seconds after every call of function 0.
type foresees struct{ pool.Policy }

func (foresees) Foresee(entry int) []pool.Ahead {
	if entry != 0 {
		return nil
	}
	return []pool.Ahead{{Function: 1, After: 2 * time.Second, Hold: 3 * time.Second}}
}

func TestForeseenIsReady(t *testing.T) {
	t.Parallel()
	fns := []pool.Function{{Memory: 1e9, ColdStart: time.Second}, {Memory: 1e9, ColdStart: time.Second}}
	s := sim.New(fns, foresees{keepFor(0)}, sim.Config{Window: time.Minute, Until: 5 * time.Minute})
	s.Feed([]sim.Arrival{
		{At: 0, Service: time.Second},
		{At: 4 * time.Second, Service: time.Second, Function: 1}, // ready since 3 s
		{At: 20 * time.Second, Service: time.Second},             // the next one does not come
	})
	r := s.Finish()
	// Function 0 starts twice cold; function 1 never, but is started ahead twice:
	// idle 2-4 s, and from 22 s for its start and the hold.
	if r.Cold != 2 || r.Warm != 1 || r.StartedAhead != 2 || r.IdleGBSeconds < 2+4 || r.IdleGBSeconds > 2+5 {
		t.Errorf("cold %d, warm %d, started ahead %d, idle %v GB-s", r.Cold, r.Warm, r.StartedAhead, r.IdleGBSeconds)
	}
}

func TestBusyIsNeverEvicted(t *testing.T) {
	t.Parallel()
	fns := []pool.Function{{Memory: 6e8, ColdStart: time.Second}, {Memory: 6e8, ColdStart: time.Second}}
	s := sim.New(fns, keepFor(pool.Forever), sim.Config{Window: time.Minute, Until: 2 * time.Minute, Capacity: 1e9})
	s.Feed([]sim.Arrival{
		{At: 0, Service: 10 * time.Second, Function: 0},
		{At: time.Second, Service: time.Second, Function: 1},      // waits until 11 s, then evicts function 0
		{At: 20 * time.Second, Service: time.Hour, Function: 0},   // evicts function 1
		{At: 30 * time.Second, Service: time.Second, Function: 1}, // is rejected after 30 s
	})
	r := s.Finish()
	if r.Cold != 3 || r.Evicted != 2 || r.Rejected != 1 {
		t.Errorf("cold %d, evicted %d, rejected %d", r.Cold, r.Evicted, r.Rejected)
	}
	if got := r.StartLatency(1).Seconds(); math.Abs(got-11) > 0.2 {
		t.Errorf("the one that waited started after %v s, want 11", got)
	}
}

// wants is a policy with the same plan for every window.
type wants struct {
	pool.Planner
	plan pool.Plan
}

func (wants) Name() string                    { return "wants" }
func (w wants) Plan(*pool.Snapshot) pool.Plan { return w.plan }

func TestPartOfTheWindow(t *testing.T) {
	t.Parallel()
	fns := []pool.Function{{Memory: 1e9, ColdStart: time.Second}}
	part := pool.Retention{PreWarm: 29 * time.Second, KeepAlive: 5 * time.Second}
	s := sim.New(fns, wants{plan: pool.Plan{{Part: part}}}, sim.Config{Window: time.Minute, From: time.Minute, Until: 3 * time.Minute})
	s.Feed([]sim.Arrival{{At: 92 * time.Second, Service: time.Second}}) // idle 89-92 s
	r := s.Finish()
	// Again at 149 s, in vain until 155 s.
	if r.Cold != 0 || r.Warm != 1 || r.StartedAhead != 2 || r.IdleGBSeconds != 3+6 {
		t.Errorf("cold %d, warm %d, started ahead %d, idle %v GB-s", r.Cold, r.Warm, r.StartedAhead, r.IdleGBSeconds)
	}
}

// wantsAndForesees wants an instance of function 1 late in each window, and
// foresees function 1 after every call of function 0.
type wantsAndForesees struct {
	wants
	foresees
}

func (wantsAndForesees) Name() string                      { return "both" }
func (w wantsAndForesees) Plan(s *pool.Snapshot) pool.Plan { return w.wants.Plan(s) }
func (wantsAndForesees) Arrive(pool.Event)                 {}
func (wantsAndForesees) Idle(pool.Event) (pool.Retention, bool) {
	return pool.Retention{}, true
}

// What is started for a run is kept for the run, whatever else is wanted later.
func TestForeseenIsNotKeptForThePart(t *testing.T) {
	t.Parallel()
	fns := []pool.Function{{Memory: 1e9, ColdStart: time.Second}, {Memory: 1e9, ColdStart: time.Second}}
	part := pool.Retention{PreWarm: 50 * time.Second, KeepAlive: 9 * time.Second}
	s := sim.New(fns, wantsAndForesees{wants: wants{plan: pool.Plan{{}, {Part: part}}}}, sim.Config{Window: time.Minute, From: time.Minute, Until: 100 * time.Second})
	s.Feed([]sim.Arrival{{At: 70 * time.Second, Service: time.Second}}) // function 1 is ready at 73 s until 76 s, in vain
	if r := s.Finish(); r.StartedAhead != 1 || r.IdleGBSeconds != 4 {
		t.Errorf("started ahead %d, idle %v GB-s; want 1, 4", r.StartedAhead, r.IdleGBSeconds)
	}
}
