package tuner_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/stats"
	"github.com/aquatope/aquatope/tuner"
	"github.com/aquatope/aquatope/tuner/baseline"
	"github.com/aquatope/aquatope/workflow"
)

// deal returns how often a search of n runs tries each input of a function that is
// slow for the last of them.
func deal(t *testing.T, s tuner.Strategy, target tuner.Target, n int) []int {
	t.Helper()
	weights, factor := []float64{6, 5, 1}, []float64{1, 1, 10}
	p := &tuner.Problem{
		Graph: &workflow.Graph{Stages: []workflow.Stage{{Path: "a", Name: "a", Function: "a"}}, Root: &workflow.Node{Stage: 0}},
		Functions: []tuner.Function{{Name: "a", Space: function.Space{
			CPU:    function.Range{Min: 100, Max: 2000, Step: 100},
			Memory: function.Range{Min: int64(64 * function.MiB), Max: int64(512 * function.MiB), Step: int64(64 * function.MiB)},
		}}},
		Target: target, Price: function.Price{PerVCPUSecond: 2.4e-5, PerGiBSecond: 2.5e-6}, Inputs: weights,
	}
	rng := stats.Stream(3, "runs")
	var history []tuner.Run
	counts := make([]int, len(weights))
	for k := range n {
		next, err := s.Next(p, history, 1, n-k, stats.Stream(uint64(k), "decision"))
		if err != nil {
			t.Fatal(err)
		}
		input, err := tuner.NextInput(s, p, history, next[0], stats.Stream(uint64(k), "input"))
		if err != nil {
			t.Fatal(err)
		}
		counts[input]++
		sec := (0.004 + 0.05*factor[input]/next[0][0].CPU.Cores()) * math.Exp(0.05*rng.NormFloat64())
		history = append(history, tuner.Run{
			Configuration: next[0], Input: input + 1, Latency: sec,
			Invocations: []tuner.Invocation{{Seconds: sec, Outcome: function.OutcomeOK}},
		})
	}
	return counts
}

// One run in twelve has the slow input, which takes half of the time and all of the
// error budget: it is tried far more often than it comes, and the others still are.
func TestNextInputTriesWhatMatters(t *testing.T) {
	for name, target := range map[string]tuner.Target{
		"percentile": {Seconds: 0.8, Percentile: 95}, "mean": {Seconds: 0.3},
	} {
		if got := deal(t, &tuner.Structured{}, target, 18); got[2] < 5 || got[0] < 3 || got[1] < 3 {
			t.Errorf("%s: inputs are tried %v times", name, got)
		}
	}
}

// Peers, which do not tell inputs apart, get them as often as they come.
func TestNextInputByWeight(t *testing.T) {
	if got := deal(t, baseline.Random{}, tuner.Target{Seconds: 0.8, Percentile: 95}, 12); got[0] != 6 || got[1] != 5 || got[2] != 1 {
		t.Errorf("inputs are tried %v times, want 6, 5 and 1", got)
	}
	input, err := tuner.NextInput(&tuner.Structured{}, &tuner.Problem{}, nil, nil, nil)
	if input != -1 || err != nil {
		t.Errorf("without inputs: %d, %v", input, err)
	}
}

// What nothing can be made of is said, not passed over: only where no invocation has
// worked yet are inputs dealt by their weights.
func TestInputSharesErrors(t *testing.T) {
	run := func(seconds float64, outcome function.Outcome) tuner.Run {
		return tuner.Run{
			Configuration: tuner.Configuration{{CPU: 1000, Memory: 128 * function.MiB}}, Input: 1, Latency: 1,
			Invocations: []tuner.Invocation{{Seconds: seconds, Outcome: outcome}},
		}
	}
	p := &tuner.Problem{
		Graph:     &workflow.Graph{Stages: []workflow.Stage{{Path: "a", Name: "a", Function: "a"}}, Root: &workflow.Node{Stage: 0}},
		Functions: []tuner.Function{{Name: "a", Space: function.Space{CPU: function.Range{Min: 100, Max: 2000, Step: 100}, Memory: function.Range{Min: int64(128 * function.MiB), Max: int64(128 * function.MiB), Step: 1}}}},
		Target:    tuner.Target{Seconds: 1, Percentile: 95}, Inputs: []float64{2, 1},
	}
	for name, c := range map[string]struct {
		run  tuner.Run
		says string
	}{
		"nothing worked":   {run(1, function.OutcomeError), ""},
		"not even numbers": {run(math.NaN(), function.OutcomeOK), `fitting function "a"`},
	} {
		shares, err := (&tuner.Structured{}).InputShares(p, slices.Repeat([]tuner.Run{c.run}, 12), c.run.Configuration, stats.Stream(1, "x"))
		switch {
		case c.says == "" && (err != nil || len(shares) != 2 || shares[0] != 2*shares[1]):
			t.Errorf("%s: %v, %v", name, shares, err)
		case c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)):
			t.Errorf("%s: %v, %v", name, shares, err)
		}
	}
}
