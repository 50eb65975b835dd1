package tuner_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/profile/synthetic"
	"github.com/aquatope/aquatope/stats"
	"github.com/aquatope/aquatope/tuner"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// After 20 runs of a small workflow the promise holds, or almost, and the cost is
// far below that of the largest configuration.
func TestStructuredFindsACheapConfiguration(t *testing.T) {
	for _, family := range []synthetic.Family{synthetic.Amdahl, synthetic.Plateau, synthetic.Cliff} {
		w := newWorld(t, synthetic.Options{Family: family, Shape: synthetic.ML, Seed: 31})
		share, seeds := 0.0, []uint64{5, 6}
		for _, seed := range seeds {
			s := &tuner.Structured{}
			history := w.search(t, s, 20, 1, seed)
			res, err := s.Recommend(w.problem, history, stats.Stream(seed, "recommend"))
			if err != nil {
				t.Fatal(err)
			}
			if excess := w.truth(res.Configuration)/w.problem.Target.Seconds - 1; excess > 0.05 {
				t.Errorf("%s: over the promise by %.1f %%", family, 100*excess)
			}
			share += w.cost(res.Configuration) / w.cost(w.problem.Largest()) / float64(len(seeds))
			if !res.Feasible || len(res.Latency) == 0 || len(res.Shares) != len(w.problem.Functions) {
				t.Errorf("%s: incomplete result %+v", family, res)
			}
			if !(res.Promised.Low <= res.Promised.Mean && res.Promised.Mean <= res.Promised.High) {
				t.Errorf("%s: band %+v", family, res.Promised)
			}
		}
		if share > 0.8 {
			t.Errorf("%s: costs %.2f of the largest configuration", family, share)
		}
	}
}

// A strategy that has decided before answers like a fresh one: nothing but time
// depends on what it remembers.
func TestStructuredIsPure(t *testing.T) {
	w := newWorld(t, synthetic.Options{Family: synthetic.Mixed, Shape: synthetic.Chain, Seed: 3})
	used := &tuner.Structured{}
	history := w.search(t, used, 14, 2, 1)
	ask := func(s *tuner.Structured) (next []tuner.Configuration, res tuner.Result) {
		next, err := s.Next(w.problem, history, 2, 10, stats.Stream(9, "next"))
		if err != nil {
			t.Fatal(err)
		}
		if res, err = s.Recommend(w.problem, history, stats.Stream(9, "recommend")); err != nil {
			t.Fatal(err)
		}
		return next, res
	}
	// The same runs under other ranges, as after a change of the manifest.
	other := *w.problem
	other.Functions = slices.Clone(other.Functions)
	for f := range other.Functions {
		other.Functions[f].Space.CPU.Max = 3000
	}
	elsewhere := &tuner.Structured{}
	if _, err := elsewhere.Recommend(&other, history, stats.Stream(9, "recommend")); err != nil {
		t.Fatal(err)
	}
	n2, r2 := ask(&tuner.Structured{})
	n1, r1 := ask(used)
	n3, r3 := ask(elsewhere)
	if d := cmp.Diff(n3, n2) + cmp.Diff(r3, r2); d != "" {
		t.Errorf("asked with other ranges before: %s", d)
	}
	if d := cmp.Diff(n1, n2); d != "" {
		t.Errorf("next: %s", d)
	}
	if d := cmp.Diff(r1, r2); d != "" {
		t.Errorf("recommendation: %s", d)
	}
}

func TestImpossibleTargetNamesTheBlocker(t *testing.T) {
	w := newWorld(t, synthetic.Options{Family: synthetic.Amdahl, Shape: synthetic.Chain, Seed: 3})
	w.problem.Target.Seconds /= 20
	s := &tuner.Structured{}
	history := w.search(t, s, 12, 1, 1)
	if !slices.ContainsFunc(history, func(r tuner.Run) bool { return slices.Equal(r.Configuration, w.problem.Largest()) }) {
		t.Error("the largest configuration was not tried")
	}
	res, err := s.Recommend(w.problem, history, stats.Stream(1, ""))
	if err != nil {
		t.Fatal(err)
	}
	if res.Feasible || res.Blocker == "" || !strings.Contains(res.Reason, res.Blocker) {
		t.Errorf("result %+v", res)
	}
	if best := w.truth(w.problem.Largest()); w.truth(res.Configuration) > 1.25*best {
		t.Errorf("comes to %.3f s, the largest configuration to %.3f s", w.truth(res.Configuration), best)
	}
}

func TestFunctionThatAlwaysFails(t *testing.T) {
	w := newWorld(t, synthetic.Options{Family: synthetic.Amdahl, Shape: synthetic.Chain, Seed: 3})
	s := &tuner.Structured{}
	var history []tuner.Run
	for range 20 {
		next, err := s.Next(w.problem, history, 1, 20, stats.Stream(1, ""))
		if err != nil {
			t.Fatal(err)
		}
		if len(next) == 0 {
			break
		}
		history = append(history, tuner.Run{Configuration: next[0], Failed: true, Invocations: []tuner.Invocation{
			{Stage: 0, Seconds: 0.1, Outcome: function.OutcomeOK}, {Stage: 1, Seconds: 0.1, Outcome: function.OutcomeError},
		}})
	}
	if len(history) > 8 {
		t.Errorf("kept trying for %d runs", len(history))
	}
	res, err := s.Recommend(w.problem, history, stats.Stream(1, ""))
	if err != nil {
		t.Fatal(err)
	}
	if res.Feasible || res.Blocker != "f2" {
		t.Errorf("result %+v", res)
	}
}

func TestEmptyHistory(t *testing.T) {
	w := newWorld(t, synthetic.Options{Family: synthetic.Amdahl, Shape: synthetic.Chain, Seed: 3})
	for _, s := range []tuner.Strategy{&tuner.Structured{}, &tuner.Blackbox{}} {
		res, err := s.Recommend(w.problem, nil, stats.Stream(1, ""))
		if err != nil || len(res.Configuration) != 3 || res.Feasible {
			t.Errorf("%s: %+v, %v", s.Name(), res, err)
		}
	}
}

func TestBadProblems(t *testing.T) {
	good := newWorld(t, synthetic.Options{Family: synthetic.Amdahl, Shape: synthetic.Chain, Seed: 3})
	for name, spoil := range map[string]func(p *tuner.Problem){
		"NaN target":      func(p *tuner.Problem) { p.Target.Seconds = math.NaN() },
		"zero target":     func(p *tuner.Problem) { p.Target.Seconds = 0 },
		"percentile 100":  func(p *tuner.Problem) { p.Target.Percentile = 100 },
		"NaN percentile":  func(p *tuner.Problem) { p.Target.Percentile = math.NaN() },
		"no functions":    func(p *tuner.Problem) { p.Functions = nil },
		"inverted range":  func(p *tuner.Problem) { p.Functions[1].Space.CPU.Max = 50 },
		"no step":         func(p *tuner.Problem) { p.Functions[1].Space.Memory.Step = 0 },
		"same name twice": func(p *tuner.Problem) { p.Functions[1].Name = p.Functions[0].Name },
		"no graph":        func(p *tuner.Problem) { p.Graph = nil },
		"standing, alone": func(p *tuner.Problem) { p.Functions, p.Standing = nil, []float64{math.NaN()} },
		"NaN starting":    func(p *tuner.Problem) { p.Starting = []float64{0, math.NaN(), 0} },
		"endless waiting": func(p *tuner.Problem) { p.Waiting = [][]float64{nil, {math.Inf(1)}, nil} },
	} {
		p := *good.problem
		p.Functions = append([]tuner.Function(nil), p.Functions...)
		spoil(&p)
		for _, s := range []tuner.Strategy{&tuner.Structured{}, &tuner.Blackbox{}} {
			if _, err := s.Next(&p, nil, 1, 1, stats.Stream(1, "")); err == nil {
				t.Errorf("%s: %s asks for runs", name, s.Name())
			}
			if _, err := s.Recommend(&p, nil, stats.Stream(1, "")); err == nil {
				t.Errorf("%s: %s recommends", name, s.Name())
			}
		}
	}
	p := good.problem
	full := p.Largest()
	for name, r := range map[string]tuner.Run{
		"short configuration": {Latency: 1},
		"NaN latency":         {Configuration: full, Latency: math.NaN()},
		"negative latency":    {Configuration: full, Latency: -1},
		"unknown stage":       {Configuration: full, Latency: 1, Invocations: []tuner.Invocation{{Stage: 7}}},
		"NaN service time":    {Configuration: full, Latency: 1, Invocations: []tuner.Invocation{{Outcome: function.OutcomeOK, Seconds: math.NaN()}}},
		"NaN timeout":         {Configuration: full, Failed: true, Invocations: []tuner.Invocation{{Outcome: function.OutcomeTimeout, Seconds: math.NaN()}}},
		"endless timeout":     {Configuration: full, Failed: true, Invocations: []tuner.Invocation{{Outcome: function.OutcomeTimeout, Seconds: math.Inf(1)}}},
		"kill before it ran":  {Configuration: full, Failed: true, Invocations: []tuner.Invocation{{Outcome: function.OutcomeOOM, Seconds: -1}}},
		"no resources":        {Configuration: make(tuner.Configuration, 3), Latency: 1},
	} {
		if _, err := (&tuner.Structured{}).Next(p, []tuner.Run{r}, 1, 1, stats.Stream(1, "")); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// Whatever runs come back, strategies give configurations of the space and
// results without NaN, or an error.
func TestStrategiesAreSound(t *testing.T) {
	w := newWorld(t, synthetic.Options{Family: synthetic.Amdahl, Shape: synthetic.Chain, Seed: 3})
	rapid.Check(t, func(t *rapid.T) {
		var history []tuner.Run
		same := rapid.Bool().Draw(t, "always the same configuration")
		rng := stats.Stream(rapid.Uint64().Draw(t, "seed"), "runs")
		for range rapid.IntRange(6, 14).Draw(t, "runs") {
			r := tuner.Run{Configuration: w.problem.Largest(), Latency: rapid.SampledFrom([]float64{1e-9, 0.5, 0.5, 1e9}).Draw(t, "latency")}
			if !same {
				for f, fn := range w.problem.Functions {
					r.Configuration[f].CPU = function.MilliCPU(fn.Space.CPU.At(rng.IntN(fn.Space.CPU.Len())))
				}
			}
			for stage := range 3 {
				inv := tuner.Invocation{
					Stage:      stage,
					Seconds:    rapid.SampledFrom([]float64{1e-9, 0.1, 0.1, 0.1, 1e9}).Draw(t, "seconds"),
					Outcome:    rapid.SampledFrom([]function.Outcome{function.OutcomeOK, function.OutcomeOK, function.OutcomeOOM, function.OutcomeTimeout, function.OutcomeError}).Draw(t, "outcome"),
					PeakMemory: rapid.SampledFrom([]function.Bytes{0, 1, 1 << 62}).Draw(t, "peak"),
				}
				r.Failed = r.Failed || inv.Outcome != function.OutcomeOK
				r.Invocations = append(r.Invocations, inv)
			}
			history = append(history, r)
		}
		s := &tuner.Structured{}
		next, err := s.Next(w.problem, history, 2, 5, rng)
		if err != nil {
			t.Fatal(err)
		}
		res, err := s.Recommend(w.problem, history, rng)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range append(next, res.Configuration) {
			for f, r := range c {
				if !w.problem.Functions[f].Space.Contains(r) {
					t.Fatalf("%v is not in the space", r)
				}
			}
		}
		for _, v := range []float64{res.Promised.Low, res.Promised.Mean, res.Promised.High, res.Cost.Mean} {
			if math.IsNaN(v) {
				t.Fatalf("result %+v", res)
			}
		}
	})
}

func BenchmarkDecision(b *testing.B) {
	for _, functions := range []int{12, 30} {
		w := newWorld(b, synthetic.Options{Family: synthetic.Mixed, Shape: synthetic.Random, Functions: functions, Seed: 2})
		b.Run(map[int]string{12: "functions=12", 30: "functions=30"}[functions], func(b *testing.B) {
			// Whole searches, so that fits, which not every decision needs, count
			// as often as they happen; one unit is one decision.
			decisions := 0
			for b.Loop() {
				decisions += len(w.search(b, &tuner.Structured{}, 25, 1, uint64(decisions)))
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(decisions)/1e6, "ms/decision")
		})
	}
}
