package tuner

import (
	"math"
	"testing"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/stats"
	"github.com/aquatope/aquatope/workflow"
	"github.com/google/go-cmp/cmp"
)

// More CPU may help large inputs more than small ones; and what was met once is
// known less than what was met often.
func TestEffectsOfInputs(t *testing.T) {
	rng := stats.Stream(1, "inputs")
	var e evidence
	for i := range 60 {
		cores := []float64{0.25, 0.5, 1, 2}[i%4]
		input := 1 + i/4%2
		if i == 50 {
			input = 3
		}
		y := -math.Log(cores) + 0.05*rng.NormFloat64()
		if input == 2 {
			y += 1 - 0.4*math.Log(cores)
		}
		e.resources = append(e.resources, function.Resources{CPU: function.MilliCPU(1000 * cores), Memory: function.GiB})
		e.logTime, e.input, e.run = append(e.logTime, y), append(e.input, input), append(e.run, i)
		e.censored = append(e.censored, false)
	}
	effects := fitEffects(&e, []float64{0.5, 0.4, 0.1}, true)
	for _, cores := range []float64{0.25, 2} {
		c := math.Log(cores)
		if got, want := effects.at(1, c)-effects.at(0, c), 1-0.4*c; math.Abs(got-want) > 0.1 {
			t.Errorf("with %v cores the second input takes e^%.3f times as long, want e^%.3f", cores, got, want)
		}
	}
	if often, once := effects.off[0][1], effects.off[0][2]; !(once > 3*often && once < 0.5) {
		t.Errorf("effects are known to %v after 30 runs, to %v after one", often, once)
	}
}

// An input may be steadier than another, and is then known better from as many
// observations.
func TestNoiseOfInputs(t *testing.T) {
	for name, test := range map[string]struct{ sd, want [2]float64 }{
		"alike":           {sd: [2]float64{0.1, 0.1}, want: [2]float64{1, 1}},
		"one is steadier": {sd: [2]float64{0.2, 0.02}, want: [2]float64{1, 0.1}},
	} {
		rng := stats.Stream(1, "noise of inputs")
		var e evidence
		for i := range 120 {
			cores := []float64{0.25, 0.5, 1, 2}[i%4]
			k := i / 4 % 2
			e.resources = append(e.resources, function.Resources{CPU: function.MilliCPU(1000 * cores), Memory: function.GiB})
			e.logTime = append(e.logTime, float64(k)-math.Log(cores)+test.sd[k]*rng.NormFloat64())
			e.input, e.run, e.censored = append(e.input, k+1), append(e.run, i), append(e.censored, false)
		}
		effects := fitEffects(&e, []float64{0.5, 0.5}, true)
		// The prior weighs as much as four observations that are alike.
		ratio, want := effects.size[1]/effects.size[0], test.want[1]/test.want[0]
		if ratio < 0.75*want || ratio > 0.3+want {
			t.Errorf("%s: the noise of the second input is %.2f times that of the first, want about %.2f", name, ratio, want)
		}
		if name == "alike" && math.Abs(effects.size[0]-1) > 0.2 {
			t.Errorf("%s: the noise of an input is %.2f times that of all", name, effects.size[0])
		}
	}
}

// An input that never comes to a stage says nothing of its invocations.
func TestSharesOfInvocations(t *testing.T) {
	p := &Problem{
		Graph: &workflow.Graph{
			Stages: []workflow.Stage{{Path: "a", Function: "a"}, {Path: "b", Function: "b"}},
			Root: &workflow.Node{Kind: workflow.KindSeries, Children: []*workflow.Node{
				{Stage: 0},
				{Kind: workflow.KindLoop, Width: 1, Children: []*workflow.Node{{Stage: 1}}, Inputs: []workflow.Ways{{Count: 0}, {Count: 1}, {Count: 3}}},
			}},
		},
		Functions: []Function{{Name: "a"}, {Name: "b"}},
		Inputs:    []float64{2, 1, 1},
	}
	p.Graph.Mix(p.Inputs)
	want := [][]float64{{0.5, 0.25, 0.25}, {0, 0.25, 0.75}}
	if got := invocationShares(p); !cmp.Equal(got, want) {
		t.Errorf("the inputs have shares %v of the invocations, want %v", got, want)
	}
}
