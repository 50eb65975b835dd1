package tuner

import (
	"math"
	"slices"
	"testing"

	"github.com/aquatope/aquatope/function"
)

func TestRunsBecomePoints(t *testing.T) {
	var e evidence
	add := func(run int, logs ...float64) {
		for _, y := range logs {
			e.resources = append(e.resources, function.Resources{CPU: function.MilliCPU(100 * (run + 1)), Memory: function.GiB})
			e.logTime, e.run = append(e.logTime, y), append(e.run, run)
			e.censored = append(e.censored, false)
		}
	}
	add(0, 1.0, 1.2, 1.1, 1.1, 3.0) // one invocation stalled
	add(1, 2.0)
	add(2, 0.5, 0.7)
	e.censored[len(e.censored)-1] = true // one ran into its timeout
	p := gatherPoints(e, 100)
	want := [][]int{{4}, {0, 1, 2, 3}, {5}, {7}, {6}}
	if !slices.EqualFunc(p.of, want, slices.Equal) {
		t.Fatalf("points %v, want %v", p.of, want)
	}
	if math.Abs(p.value[1]-1.1) > 1e-12 || math.Abs(p.scatter[1]-0.02) > 1e-12 {
		t.Errorf("mean %v and scatter %v, want 1.1 and 0.02", p.value[1], p.scatter[1])
	}
	if !(p.weight[1] > 3 && p.weight[1] < 4) || p.weight[2] != 1 {
		t.Errorf("weights %v: four of one run count for almost four, one for one", p.weight)
	}
	if p := gatherPoints(e, 2); len(p.of) != 2 || p.of[1][0] != 6 {
		t.Errorf("the newest two are %v", p.of)
	}
}
