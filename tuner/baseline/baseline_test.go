package baseline_test

import (
	"math"
	"strings"
	"testing"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/stats"
	"github.com/aquatope/aquatope/tuner"
	"github.com/aquatope/aquatope/tuner/baseline"
	"github.com/aquatope/aquatope/workflow"
)

// chain is two functions in series, f taking 2/cores seconds, g 1/cores.
func chain(target float64) *tuner.Problem {
	space := function.Space{
		CPU:    function.Range{Min: 500, Max: 4000, Step: 500},
		Memory: function.Range{Min: int64(128 * function.MiB), Max: int64(8 * function.GiB), Step: int64(128 * function.MiB)},
	}
	price, err := function.LookupPrice("paper")
	if err != nil {
		panic(err)
	}
	return &tuner.Problem{
		Graph: &workflow.Graph{
			Stages: []workflow.Stage{{Name: "f", Function: "f"}, {Name: "g", Function: "g"}},
			Root: &workflow.Node{Kind: workflow.KindSeries, Children: []*workflow.Node{
				{Kind: workflow.KindStage, Stage: 0}, {Kind: workflow.KindStage, Stage: 1},
			}},
		},
		Functions: []tuner.Function{{Name: "f", Space: space}, {Name: "g", Space: space}},
		Target:    tuner.Target{Seconds: target, Percentile: 95},
		Price:     price,
	}
}

func seconds(f int, r function.Resources) float64 {
	return []float64{2, 1}[f]/r.CPU.Cores() + 0.1*r.CPU.Cores()*float64(f)
}

func run(c tuner.Configuration) tuner.Run {
	r := tuner.Run{Configuration: c}
	for f, res := range c {
		t := seconds(f, res)
		r.Latency += t
		r.Invocations = append(r.Invocations, tuner.Invocation{Stage: f, Seconds: t, Outcome: function.OutcomeOK, PeakMemory: 100 * function.MiB})
	}
	return r
}

func latency(c tuner.Configuration) float64 { return seconds(0, c[0]) + seconds(1, c[1]) }

func oracle(t *testing.T, p *tuner.Problem) (tuner.Configuration, float64, bool) {
	t.Helper()
	c, cost, _, ok, err := baseline.Oracle(baseline.Truth{
		Problem:  p,
		Works:    func(int, function.Resources) bool { return true },
		Mean:     seconds,
		Quantile: func(f, _ int, r function.Resources, _ float64) float64 { return seconds(f, r) },
		Runs:     4,
		Column: func(slot int, r function.Resources, dst []float64) {
			for i := range dst {
				dst[i] = seconds(slot, r)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c, cost, ok
}

// The oracle's choice is that of trying all 64 pairs of CPU.
func TestOracleAgainstBruteForce(t *testing.T) {
	p := chain(2)
	c, cost, ok := oracle(t, p)
	best := math.Inf(1)
	for _, fn := range []int64{0, 1, 2, 3, 4, 5, 6, 7} {
		for _, gn := range []int64{0, 1, 2, 3, 4, 5, 6, 7} {
			d := tuner.Configuration{
				{CPU: function.MilliCPU(500 + 500*fn), Memory: 128 * function.MiB},
				{CPU: function.MilliCPU(500 + 500*gn), Memory: 128 * function.MiB},
			}
			if latency(d) <= 2 {
				best = math.Min(best, p.Cost(run(d)))
			}
		}
	}
	if !ok || math.Abs(cost-best) > 1e-9*best || latency(c) > 2 {
		t.Errorf("cost %v at %v, the best has %v", cost, c, best)
	}
	if _, _, ok := oracle(t, chain(0.1)); ok {
		t.Error("keeps a promise that nothing keeps")
	}
}

// A grid that is finer than anyone can look through is refused.
func TestOracleRefusesEndlessGrids(t *testing.T) {
	p := chain(2)
	p.Functions[1].Space.Memory = function.Range{Min: 1, Max: int64(function.GiB), Step: 1}
	if _, _, _, _, err := baseline.Oracle(baseline.Truth{Problem: p}); err == nil || !strings.Contains(err.Error(), "raise the steps") {
		t.Errorf("a memory of any byte: %v", err)
	}
}

// On a workflow without noise every method stays in the space, and those that
// model what they see end within the target at no more than twice the least cost.
func TestMethods(t *testing.T) {
	p := chain(2)
	_, least, _ := oracle(t, p)
	for _, c := range []struct {
		s       tuner.Strategy
		closeTo float64 // of the least cost; 0 makes no claim
	}{
		{baseline.Orion{}, 2},
		{baseline.Jolteon{}, 2},
		{baseline.Parrotfish{}, 2},
		{baseline.CLITE{}, 2},
		{baseline.Random{}, 2},
		{baseline.Autoscale{}, 0},
		{baseline.Autoscale{Conservative: true}, 0},
	} {
		var history []tuner.Run
		for len(history) < 25 {
			next, err := c.s.Next(p, history, 1, 25-len(history), stats.Stream(uint64(len(history)), "next"))
			if err != nil {
				t.Fatalf("%s: %v", c.s.Name(), err)
			}
			if len(next) == 0 {
				break
			}
			for f, r := range next[0] {
				if !p.Functions[f].Space.Contains(r) {
					t.Fatalf("%s asks for %v", c.s.Name(), r)
				}
			}
			history = append(history, run(next[0]))
		}
		res, err := c.s.Recommend(p, history, stats.Stream(1, "recommend"))
		if err != nil {
			t.Fatalf("%s: %v", c.s.Name(), err)
		}
		cost := p.Cost(run(res.Configuration))
		t.Logf("%s: %v, %.3f of the least cost, %.3f s", c.s.Name(), res.Configuration, cost/least, latency(res.Configuration))
		if c.closeTo > 0 && (cost > c.closeTo*least || latency(res.Configuration) > 2.1) {
			t.Errorf("%s: cost %.2f of the least, latency %.2f s", c.s.Name(), cost/least, latency(res.Configuration))
		}
	}
}

// Nothing that failed, nothing at all, and a promise that cannot be kept are no
// reason to panic.
func TestMethodsOnPoorHistories(t *testing.T) {
	impossible := chain(0.01)
	failed := tuner.Run{Configuration: impossible.Largest(), Failed: true, Invocations: []tuner.Invocation{{Stage: 0, Outcome: function.OutcomeOOM}}}
	for _, s := range []tuner.Strategy{
		baseline.Orion{}, baseline.Jolteon{}, baseline.Parrotfish{}, baseline.CLITE{}, baseline.Random{}, baseline.Autoscale{},
	} {
		for name, history := range map[string][]tuner.Run{
			"empty":      nil,
			"failed":     {failed, failed, failed, failed, failed, failed},
			"same":       {run(impossible.Largest()), run(impossible.Largest()), run(impossible.Largest()), run(impossible.Largest())},
			"impossible": {run(impossible.Largest()), run(tuner.Configuration{impossible.Functions[0].Space.Smallest(), impossible.Functions[1].Space.Smallest()}), failed, failed, failed},
		} {
			if _, err := s.Next(impossible, history, 1, 5, stats.Stream(1, "")); err != nil {
				t.Errorf("%s, %s: %v", s.Name(), name, err)
			}
			res, err := s.Recommend(impossible, history, stats.Stream(1, ""))
			if err != nil || len(res.Configuration) != 2 {
				t.Errorf("%s, %s: %+v, %v", s.Name(), name, res, err)
			}
			if name != "empty" && res.Feasible {
				t.Errorf("%s, %s: believes that the impossible is possible", s.Name(), name)
			}
		}
	}
}
