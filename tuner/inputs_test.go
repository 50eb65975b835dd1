package tuner_test

import (
	"math"
	"strings"
	"testing"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/stats"
	"github.com/aquatope/aquatope/tuner"
	"github.com/aquatope/aquatope/workflow"
)

// Inputs of very different sizes are no noise: with them known, the promised
// percentile is predicted for the mix of inputs, and kept.
func TestStructuredKnowsInputs(t *testing.T) {
	weights, factor := []float64{8, 3, 1}, []float64{1, 2, 6}
	space := function.Space{
		CPU:    function.Range{Min: 100, Max: 2000, Step: 100},
		Memory: function.Range{Min: int64(64 * function.MiB), Max: int64(512 * function.MiB), Step: int64(64 * function.MiB)},
	}
	p := &tuner.Problem{
		Graph: &workflow.Graph{
			Stages: []workflow.Stage{{Path: "a", Name: "a", Function: "a"}, {Path: "b", Name: "b", Function: "b"}},
			Root:   &workflow.Node{Kind: workflow.KindSeries, Children: []*workflow.Node{{Stage: 0}, {Stage: 1}}},
		},
		Functions: []tuner.Function{{Name: "a", Space: space}, {Name: "b", Space: space}},
		Target:    tuner.Target{Seconds: 1.2, Percentile: 95},
		Price:     function.Price{PerVCPUSecond: 2.4e-5, PerGiBSecond: 2.5e-6},
		Inputs:    weights,
	}
	rng := stats.Stream(3, "runs")
	service := func(f int, r function.Resources, input int) float64 {
		return (0.004 + []float64{0.05, 0.12}[f]*factor[input]/r.CPU.Cores()) * math.Exp(0.05*rng.NormFloat64())
	}
	order := []int{0, 1, 0, 0, 2, 0, 1, 0, 0, 1, 0, 0}
	var history []tuner.Run
	s := &tuner.Structured{}
	for k := range 24 {
		next, err := s.Next(p, history, 1, 24-k, stats.Stream(uint64(k), "decision"))
		if err != nil {
			t.Fatal(err)
		}
		r := tuner.Run{Configuration: next[0], Input: order[k%len(order)] + 1}
		for f := range 2 {
			sec := service(f, next[0][f], r.Input-1)
			r.Latency += sec
			r.Invocations = append(r.Invocations, tuner.Invocation{Stage: f, Seconds: sec, Outcome: function.OutcomeOK})
		}
		history = append(history, r)
	}
	res, err := s.Recommend(p, history, stats.Stream(1, "recommendation"))
	if err != nil || !res.Feasible {
		t.Fatalf("feasible %v, %v", res.Feasible, err)
	}
	var latency []float64
	for range 3000 {
		for i, w := range weights {
			for range int(w) {
				latency = append(latency, service(0, res.Configuration[0], i)+service(1, res.Configuration[1], i))
			}
		}
	}
	p95 := stats.Quantiles(latency, 0.95)[0]
	if p95 > 1.2*1.02 {
		t.Errorf("%v is recommended, whose p95 is %.3f s", res.Configuration, p95)
	}
	if ratio := res.Promised.Mean / p95; ratio < 0.9 || ratio > 1.1 {
		t.Errorf("the p95 of %.3f s is predicted as %.3f s", p95, res.Promised.Mean)
	}
}

// The input that is slow for each part has fewer parts. As no run has many slow
// parts, a mixture of the two promises far too little.
func TestStructuredKnowsWaysOfInputs(t *testing.T) {
	weights, factor, parts := []float64{2, 1}, []float64{1, 5}, []int{6, 1}
	space := function.Space{
		CPU:    function.Range{Min: 100, Max: 2000, Step: 100},
		Memory: function.Range{Min: int64(64 * function.MiB), Max: int64(512 * function.MiB), Step: int64(64 * function.MiB)},
	}
	loop := &workflow.Node{Kind: workflow.KindLoop, Width: 1, Children: []*workflow.Node{{Stage: 0}}, Inputs: []workflow.Ways{{Count: 6}, {Count: 1}}}
	p := &tuner.Problem{
		Graph:     &workflow.Graph{Stages: []workflow.Stage{{Path: "a", Name: "a", Function: "a"}}, Root: loop},
		Functions: []tuner.Function{{Name: "a", Space: space}},
		Target:    tuner.Target{Seconds: 1.2, Percentile: 95},
		Price:     function.Price{PerVCPUSecond: 2.4e-5, PerGiBSecond: 2.5e-6},
		Inputs:    weights,
	}
	p.Graph.Mix(weights)
	rng := stats.Stream(3, "runs")
	service := func(r function.Resources, input int) float64 {
		return (0.004 + 0.1*factor[input]/r.CPU.Cores()) * math.Exp(0.05*rng.NormFloat64())
	}
	var history []tuner.Run
	s := &tuner.Structured{}
	for k := range 18 {
		next, err := s.Next(p, history, 1, 18-k, stats.Stream(uint64(k), "decision"))
		if err != nil {
			t.Fatal(err)
		}
		r := tuner.Run{Configuration: next[0], Input: 1 + k%3/2}
		for range parts[r.Input-1] {
			sec := service(next[0][0], r.Input-1)
			r.Latency += sec
			r.Invocations = append(r.Invocations, tuner.Invocation{Seconds: sec, Outcome: function.OutcomeOK})
		}
		history = append(history, r)
	}
	res, err := s.Recommend(p, history, stats.Stream(1, "recommendation"))
	if err != nil || !res.Feasible {
		t.Fatalf("feasible %v, %v", res.Feasible, err)
	}
	var latency []float64
	var cost float64
	const runs = 9000
	for i := range runs {
		input := i % 3 / 2
		var l float64
		for range parts[input] {
			l += service(res.Configuration[0], input)
		}
		latency = append(latency, l)
		cost += p.Price.Busy(res.Configuration[0], 1e9) * l / runs
	}
	p95 := stats.Quantiles(latency, 0.95)[0]
	if p95 > 1.2*1.02 {
		t.Errorf("%v is recommended, whose p95 is %.3f s", res.Configuration, p95)
	}
	if ratio := res.Promised.Mean / p95; ratio < 0.9 || ratio > 1.1 {
		t.Errorf("the p95 of %.3f s is predicted as %.3f s", p95, res.Promised.Mean)
	}
	if ratio := res.Cost.Mean / cost; ratio < 0.9 || ratio > 1.1 {
		t.Errorf("the cost of %.4g is predicted as %.4g", cost, res.Cost.Mean)
	}
}

func TestInputsAreChecked(t *testing.T) {
	p := &tuner.Problem{Inputs: []float64{1, math.NaN()}}
	if err := p.Check(); err == nil {
		t.Error("a weight that is no number is accepted")
	}
	p = &tuner.Problem{Inputs: []float64{1, 1}, Graph: &workflow.Graph{
		Stages: []workflow.Stage{{}}, Root: &workflow.Node{Kind: workflow.KindLoop, Children: []*workflow.Node{{}}, Inputs: make([]workflow.Ways, 3)},
	}}
	if err := p.Check(); err == nil || !strings.Contains(err.Error(), "tells 3 inputs apart") {
		t.Errorf("a graph of three inputs where there are two: %v", err)
	}
	if err := p.CheckHistory([]tuner.Run{{Latency: 1, Input: 3}}); err == nil {
		t.Error("a run with an input that there is not is accepted")
	}
}
