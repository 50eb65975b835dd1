package control_test

import (
	"context"
	"errors"
	"iter"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/aquatope/aquatope/control"
	"github.com/aquatope/aquatope/forecast"
	"github.com/aquatope/aquatope/forecast/prior"
	"github.com/aquatope/aquatope/function"
)

// remembered answers as the store does, from what was observed.
type remembered []function.Observation

func (m remembered) history(_ context.Context, fn string, before int64) (*forecast.History, error) {
	var h *forecast.History
	counts := map[int64]float64{}
	first := before
	for _, o := range m {
		if w := control.WindowAt(o.Time, window); o.Function == fn && w < before {
			counts[w]++
			first = min(first, w)
		}
	}
	for w := first; w < before; w++ {
		if h == nil {
			h = forecast.NewHistory(fn, "", first)
		}
		if err := h.Observe(w, counts[w]); err != nil {
			return nil, err
		}
	}
	return h, nil
}

func (m remembered) invocations(_ context.Context, fn string, since, until time.Time) iter.Seq2[function.Observation, error] {
	return func(yield func(function.Observation, error) bool) {
		for _, o := range m {
			if o.Function == fn && !o.Time.Before(since) && o.Time.Before(until) && !yield(o, nil) {
				return
			}
		}
	}
}

// After a restart the pool knows what it knew: whose forecasts it trusts, how well
// they fit, what they were worth and what came in the last windows.
func TestRecall(t *testing.T) {
	model, err := prior.Load()
	if err != nil {
		t.Fatal(err)
	}
	v := newVirtual(t, control.ModeApply, model, 1)
	r := rand.New(rand.NewPCG(1, 1))
	// In this order: other draws of the timer may strike while plans are made.
	for _, f := range []struct {
		name string
		how  arrivals
	}{{"timer", timer(7)}, {"bursts", bursts(12)}, {"never", func(int, *rand.Rand) []time.Duration { return nil }}} {
		v.add(f.name, 300*time.Millisecond, 200*time.Millisecond)
		for _, at := range f.how(200, r) {
			v.at(start.Add(at), func() { v.invoke(call(f.name), nil) })
		}
	}
	v.run(start.Add(200*window - 10*time.Second))
	restarted := func(m remembered, broken error) *control.Pool {
		c := control.PoolConfig{
			Mode: control.ModeApply, Window: window, World: v, Meter: control.NewMeter(), Model: model,
			Functions: func() []function.Revision {
				return []function.Revision{v.of["timer"].revision, v.of["bursts"].revision, v.of["never"].revision}
			},
			History: m.history, Invocations: m.invocations,
		}
		if broken != nil {
			c.Invocations = func(context.Context, string, time.Time, time.Time) iter.Seq2[function.Observation, error] {
				return func(yield func(function.Observation, error) bool) { yield(function.Observation{}, broken) }
			}
		}
		p := control.NewPool(c, v.now)
		if err := p.Step(t.Context(), v.now); err != nil {
			t.Fatal(err)
		}
		return p
	}
	p := restarted(v.reported, nil)
	for _, fn := range []string{"timer", "bursts", "never"} {
		was, _ := v.pool.State(fn)
		is, _ := p.State(fn)
		if is.Trust != was.Trust || math.Abs(is.Coverage-was.Coverage) > 0.05 || math.Abs(float64(is.Scored-was.Scored)) > 2 ||
			math.Abs(float64(is.Account.Windows-was.Account.Windows)) > 1 || math.Abs(is.Account.ColdFixed-was.Account.ColdFixed) > 1 {
			t.Errorf("%s: before %+v\nafter %+v", fn, was, is)
		}
		if a, b := len(v.pool.Past(fn, 100)), len(p.Past(fn, 100)); a-b > 2 || b-a > 2 {
			t.Errorf("%s: %d past windows before, %d after", fn, a, b)
		}
	}
	if s, _ := p.State("timer"); s.Trust != control.TrustFull || s.ColdStart == 0 || s.Service == 0 {
		t.Errorf("timer: %+v", s)
	}
	// A store that cannot be read costs the proof, not the server.
	if s, _ := restarted(v.reported, errors.New("disk on fire")).State("timer"); s.Trust != control.TrustUnproven {
		t.Errorf("without invocations: %+v", s)
	}
}

// It also knows what following runs was worth: which functions' invocations runs
// foretell, and the cold starts that they were spared.
func TestRecallFollowsRuns(t *testing.T) {
	t.Parallel()
	_, v := followRuns(t, control.ModeApply, true, bursts(25), 1)
	model, err := prior.Load()
	if err != nil {
		t.Fatal(err)
	}
	m := remembered(v.reported)
	c := v.config(control.ModeApply, model)
	c.History, c.Invocations = m.history, m.invocations
	p := control.NewPool(c, v.now)
	if err := p.Step(t.Context(), v.now); err != nil {
		t.Fatal(err)
	}
	for _, fn := range []string{"first", "left", "right", "third", "last"} {
		was, _ := v.pool.State(fn)
		is, _ := p.State(fn)
		if is.Followed != was.Followed || math.Abs(is.Foreseen-was.Foreseen) > 0.1 || is.Trust != was.Trust {
			t.Errorf("%s: before %+v\nafter %+v", fn, was, is)
		}
		a, b := was.Account, is.Account
		if math.Abs(a.Cold-b.Cold) > 2 || math.Abs(a.Saved-b.Saved) > 0.2*max(a.Saved, 10) || math.Abs(a.Idle.Seconds()-b.Idle.Seconds()) > 0.05*a.IdleFixed.Seconds() {
			t.Errorf("%s: account before %+v\nafter %+v", fn, a, b)
		}
	}
}

// What is decided over a workflow as a whole sets the price that the pool has for a
// function, at once: the past is judged anew by it.
func TestTerms(t *testing.T) {
	t.Parallel()
	model, err := prior.Load()
	if err != nil {
		t.Fatal(err)
	}
	v := newVirtual(t, control.ModeApply, model, 1)
	c := v.config(control.ModeApply, model)
	c.History = func(ctx context.Context, fn string, before int64) (*forecast.History, error) {
		return remembered(v.reported).history(ctx, fn, before)
	}
	c.Invocations = func(ctx context.Context, fn string, since, until time.Time) iter.Seq2[function.Observation, error] {
		return remembered(v.reported).invocations(ctx, fn, since, until)
	}
	v.pool = control.NewPool(c, v.now)
	r := rand.New(rand.NewPCG(1, 2))
	for _, fn := range []string{"dear", "cheap", "demanded"} {
		v.add(fn, 300*time.Millisecond, 200*time.Millisecond)
		for _, at := range poisson(0.3)(200, r) {
			v.at(start.Add(at), func() { v.invoke(call(fn), nil) })
		}
	}
	idle := func(from, to int) (sum map[string]float64) {
		sum = map[string]float64{}
		for w := from; w < to; w++ {
			v.run(start.Add(time.Duration(w+1) * window))
			for fn, f := range v.of {
				sum[fn] += float64(len(f.idle))
			}
		}
		return sum
	}
	before := idle(0, 100)
	v.pool.SetTerms(map[string]control.Terms{"cheap": {Price: 0.1}, "dear": {Price: 7200}, "demanded": {Price: 7200, OnDemand: true}})
	after := idle(100, 200)
	if before["cheap"] < 60 || before["dear"] < 60 || before["demanded"] < 60 {
		t.Errorf("at the pool's own price there were too few idle instances to tell: %v", before)
	}
	if after["cheap"] > 2 || after["dear"] < 95 || after["demanded"] > 2 {
		t.Errorf("idle at the end of 100 windows: %v", after)
	}
	if s, _ := v.pool.State("cheap"); s.Price != 0.1 || s.Trust != control.TrustFull {
		t.Errorf("%+v", s)
	}
}
