package pool_test

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/aquatope/aquatope/forecast"
	"github.com/aquatope/aquatope/pool"
	"github.com/aquatope/aquatope/workflow"
)

// fixed is a forecaster that always says the same.
type fixed struct{ d forecast.Distribution }

func (f fixed) Forecast(h []*forecast.History, _ int) [][]forecast.Distribution {
	out := make([][]forecast.Distribution, len(h))
	for i := range out {
		out[i] = []forecast.Distribution{f.d}
	}
	return out
}

func functions(n int) []pool.Function {
	out := make([]pool.Function, n)
	for i := range out {
		out[i] = pool.Function{Name: string(rune('a' + i)), Memory: 5e8, ColdStart: time.Second, Service: 100 * time.Millisecond, Concurrency: 1}
	}
	return out
}

func plan(p *pool.Aquatope, minute, arrivals int) pool.Plan {
	now := time.Duration(minute)*time.Minute - 2*time.Second
	return p.Plan(&pool.Snapshot{Now: now, Next: now + 2*time.Second, Window: time.Minute, States: []pool.State{{Arrivals: arrivals}}})
}

func TestWithoutForecasterBreakEven(t *testing.T) {
	t.Parallel()
	p := pool.NewAquatope(functions(1), nil, pool.Config{Price: 60, Window: time.Minute})
	got := plan(p, 1, 3)
	if got[0].Warm != 0 || got[0].KeepAlive != 2*time.Minute {
		t.Errorf("plan %+v, want none warm, kept for price / memory = 2m", got[0])
	}
	if _, ok := p.Idle(pool.Event{At: 61 * time.Second, Idle: 1}); ok {
		t.Error("has an opinion without a forecast")
	}
	if h := p.Histories()[0]; h.Sum(0, 10) != 3 || h.Next() != 1 {
		t.Errorf("history has %v until window %d, want 3 until 1", h.Sum(0, 10), h.Next())
	}
}

func TestPlanFollowsPrice(t *testing.T) {
	t.Parallel()
	// Called in every fifth window: worth a window of idling, half a gigabyte
	// for 60 s less half of the window when it is used, from 135 GB-s on.
	d := forecast.NewEmpirical([]float64{0, 0, 0, 0, 1})
	for _, c := range []struct {
		price float64
		warm  int
	}{{120, 0}, {150, 1}} {
		p := pool.NewAquatope(functions(1), fixed{d}, pool.Config{Price: c.price, Window: time.Minute})
		if got := plan(p, 1, 0)[0].Warm; got != c.warm {
			t.Errorf("at %v GB-s for a cold start: %d warm, want %d", c.price, got, c.warm)
		}
	}
}

func TestReleasesWhenNoMoreIsExpected(t *testing.T) {
	t.Parallel()
	p := pool.NewAquatope(functions(1), fixed{forecast.NewEmpirical([]float64{1})}, pool.Config{Price: 100, Window: time.Minute})
	plan(p, 1, 1)
	at := 70 * time.Second
	p.Arrive(pool.Event{At: at, Busy: 1})
	r, ok := p.Idle(pool.Event{At: at + time.Second, Idle: 1})
	if !ok || !r.Release || r.KeepAlive != 0 {
		t.Errorf("the one call of the window came: %+v, %v; want to let go", r, ok)
	}
	// So late staying costs less than starting again for the next window.
	if r, _ = p.Idle(pool.Event{At: 119500 * time.Millisecond, Idle: 1}); r.KeepAlive != pool.UntilPlan {
		t.Errorf("half a second before the end of the window: %+v, want to stay", r)
	}
}

func TestLooksAhead(t *testing.T) {
	t.Parallel()
	lags := []workflow.Lag{
		{Stage: 0, Reached: 1, Seconds: []float64{0, 0, 0}},
		{Stage: 1, Reached: 1, Seconds: []float64{0.2, 0.3, 0.4}}, // sooner than it starts
		{Stage: 2, Reached: 0.5, Seconds: []float64{8, 10, 12}},
	}
	p := pool.NewAquatope(functions(3), fixed{forecast.NewEmpirical([]float64{1})}, pool.Config{
		Price: 100, Window: time.Minute, Successors: map[int][]pool.Successor{0: pool.Successors(lags, []int{0, 1, 2})},
	})
	ahead := p.Foresee(0)
	if len(ahead) != 1 || ahead[0].Function != 2 {
		t.Fatalf("a run foresees %+v, want function 2 only", ahead)
	}
	if ready := ahead[0].After + time.Second; ready > 8*time.Second || ready < 2*time.Second {
		t.Errorf("ready %v after the start of a run that needs it after 8 s at the earliest", ready)
	}
	if end := ahead[0].After + time.Second + ahead[0].Hold; end < 12*time.Second {
		t.Errorf("given up %v after the start of a run that may need it after 12 s", end)
	}
	got := p.Plan(&pool.Snapshot{Now: 58 * time.Second, Next: time.Minute, Window: time.Minute, States: make([]pool.State, 3)})
	if got[0].Warm == 0 || got[1].Warm == 0 || got[2].Warm != 0 {
		t.Errorf("plan %+v: entry and the stage that is reached too soon are kept, the other is not", got)
	}
	if p.Foresee(2) != nil {
		t.Error("a later stage foresees")
	}
	p.SetFunctions(functions(2), nil)
	if p.Foresee(0) != nil {
		t.Error("foresees functions of another numbering")
	}
}

func TestOnDemandIsNotKept(t *testing.T) {
	t.Parallel()
	fns := functions(3)
	for i := range fns {
		fns[i].IdleCost, fns[i].OnDemand = 1, i != 1
	}
	lags := []workflow.Lag{
		{Stage: 0, Reached: 1, Seconds: []float64{0, 0, 0}},
		{Stage: 1, Reached: 1, Seconds: []float64{0.2, 0.3, 0.4}}, // sooner than it starts
		{Stage: 2, Reached: 1, Seconds: []float64{0.2, 0.3, 0.4}},
	}
	successors := pool.Successors(lags, []int{0, 1, 2})
	successors[1].Instances = 3
	p := pool.NewAquatope(fns, fixed{forecast.NewEmpirical([]float64{9})}, pool.Config{
		Price: 100, Hurry: true, Window: time.Minute, Successors: map[int][]pool.Successor{0: successors},
	})
	got := p.Plan(&pool.Snapshot{Now: 58 * time.Second, Next: time.Minute, Window: time.Minute, States: make([]pool.State, 3)})
	if got[0].Warm != 0 || got[1].Warm == 0 || got[2].Warm != 0 {
		t.Errorf("plan %+v: only the function in the middle is to be kept", got)
	}
	of := map[int]int{}
	for _, a := range p.Foresee(0) {
		of[a.Function]++
		if a.After != 0 {
			t.Errorf("function %d starts %v after the run, want at once: it will be late", a.Function, a.After)
		}
		if end := a.After + fns[a.Function].ColdStart + a.Hold; end < time.Second {
			t.Errorf("function %d is given up after %v", a.Function, end)
		}
	}
	if of[1] != 1 || of[2] != 3 {
		t.Errorf("a run foresees %v instances, want 1 and 3", of)
	}
	// Longer than it takes to start again, an instance is not worth keeping.
	r, ok := p.Idle(pool.Event{Function: 0, At: 61 * time.Second, Idle: 1})
	if !ok || !r.Release || r.KeepAlive < 0 || r.KeepAlive > 2*time.Second {
		t.Errorf("%+v, %v: want it gone within about its start-up", r, ok)
	}
	p.SetForecaster(nil)
	if got = p.Plan(&pool.Snapshot{Now: 118 * time.Second, Next: 2 * time.Minute, Window: time.Minute, States: make([]pool.State, 3)}); got[0].KeepAlive > 2*time.Second || got[1].KeepAlive != 100*time.Second {
		t.Errorf("without a forecaster: %+v", got)
	}
}

// TestDecisionsAreSound plays events in any order at the policy.
func TestDecisionsAreSound(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		fns := functions(rapid.IntRange(1, 3).Draw(t, "functions"))
		var f forecast.Forecaster
		if rapid.Bool().Draw(t, "forecaster") {
			f = fixed{forecast.NewEmpirical(rapid.SliceOfN(rapid.Float64Range(-1, 1e6), 0, 5).Draw(t, "sample"))}
		}
		p := pool.NewAquatope(fns, f, pool.Config{Price: rapid.Float64Range(0, 1e9).Draw(t, "price"), Window: time.Minute})
		now := time.Duration(0)
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			now += time.Duration(rapid.Int64Range(-1e9, 1e11).Draw(t, "step")) // the clock may go back a little
			e := pool.Event{
				Function: rapid.IntRange(0, len(fns)-1).Draw(t, "function"), At: now,
				Busy: rapid.IntRange(0, 50).Draw(t, "busy"), Idle: rapid.IntRange(1, 50).Draw(t, "idle"),
			}
			switch rapid.IntRange(0, 2).Draw(t, "kind") {
			case 0:
				e.Busy++
				p.Arrive(e)
			case 1:
				if r, _ := p.Idle(e); r.PreWarm < 0 || r.KeepAlive < 0 && r.KeepAlive != pool.UntilPlan {
					t.Fatalf("wants %+v", r)
				}
			default:
				states := make([]pool.State, len(fns))
				for i := range states {
					states[i].Arrivals = rapid.IntRange(0, math.MaxInt32).Draw(t, "arrivals")
				}
				for _, x := range p.Plan(&pool.Snapshot{Now: now, Next: now, Window: time.Minute, States: states}) {
					if x.Warm < 0 || x.KeepAlive < 0 {
						t.Fatalf("plans %+v", x)
					}
				}
			}
		}
	})
}

// A stage is told by whom tells it best: a branch by its first stage, and the
// last stage by the one before it, from whose start its own is less uncertain.
func TestBestTeller(t *testing.T) {
	t.Parallel()
	wide := []float64{4, 6, 8, 10, 12, 14, 16}
	lags := []workflow.Lag{
		{Stage: 0, Reached: 1, Seconds: []float64{0, 0}},
		{Stage: 1, Reached: 0.5, Seconds: wide},
		{Stage: 2, Reached: 0.5, Seconds: []float64{7, 9, 11, 13, 15, 17, 19}},
	}
	between := [][]workflow.Lag{
		{{Stage: 0}, lags[1], lags[2]},
		{{Stage: 0}, {Stage: 1}, {Stage: 2, Reached: 1, Seconds: []float64{3, 3, 3, 3}}},
		{{Stage: 0}, {Stage: 1}, {Stage: 2}},
	}
	p := pool.NewAquatope(functions(3), nil, pool.Config{
		Price: 100, Window: time.Minute, Successors: map[int][]pool.Successor{0: pool.Relayed(lags, between, []int{0, 1, 2})},
	})
	if got := p.Foresee(0); len(got) != 1 || got[0].Function != 1 {
		t.Errorf("the start of a run foresees %+v, want function 1 only", got)
	}
	got := p.Follow(1)
	if len(got) != 1 || got[0].Function != 2 {
		t.Fatalf("stage 1 foresees %+v, want function 2", got)
	}
	if ready := got[0].After + time.Second; ready > 3*time.Second || ready < 1500*time.Millisecond {
		t.Errorf("ready %v after a stage that takes 3 s", ready)
	}
}

// A function that is called by a clock is started just before it strikes.
func TestWaitsForTheClock(t *testing.T) {
	t.Parallel()
	p := pool.NewAquatope(functions(1), fixed{forecast.NewEmpirical([]float64{1})}, pool.Config{Price: 100, Window: time.Minute})
	for m := 1; m < 6; m++ {
		plan(p, m, 1)
		at := time.Duration(m)*time.Minute + 30*time.Second // 32 s after the plan
		p.Arrive(pool.Event{At: at, Busy: 1})
		p.Idle(pool.Event{At: at + time.Second, Idle: 1})
	}
	got := plan(p, 6, 1)
	if part := got[0].Part; got[0].Warm != 0 || part.PreWarm < 25*time.Second || part.PreWarm > 31*time.Second || part.KeepAlive <= 0 {
		t.Fatalf("plans %+v, want an instance shortly before 32 s", got[0])
	}
	// An instance that falls idle before the strike makes room for that one.
	r, ok := p.Idle(pool.Event{At: 6*time.Minute + 2*time.Second, Idle: 1})
	if !ok || !r.Release || r.PreWarm < 20*time.Second || r.PreWarm > 28*time.Second {
		t.Errorf("idle 28 s before the strike: %+v, %v", r, ok)
	}
	r, ok = p.Idle(pool.Event{At: 6*time.Minute + 29*time.Second + 500*time.Millisecond, Idle: 1})
	if !ok || r.PreWarm != 0 || r.KeepAlive < 500*time.Millisecond && r.KeepAlive != pool.UntilPlan {
		t.Errorf("idle half a second before the strike: %+v, %v", r, ok)
	}
}
