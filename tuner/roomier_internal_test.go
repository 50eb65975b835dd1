package tuner

import (
	"testing"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/tuner/search"
	"github.com/aquatope/aquatope/workflow"
)

// What costs next to nothing gets more CPU, as far as the budget for that goes; what
// costs most does not, nor may the promise suffer.
func TestRoomier(t *testing.T) {
	t.Parallel()
	size := func(cpu function.MilliCPU, cost, time float64) search.Option {
		return search.Option{Resources: function.Resources{CPU: cpu, Memory: function.MiB}, Cost: cost, Time: time}
	}
	graph := &workflow.Graph{
		Root: &workflow.Node{Kind: workflow.KindSeries, Children: []*workflow.Node{
			{Kind: workflow.KindStage, Stage: 0}, {Kind: workflow.KindStage, Stage: 1},
		}},
		Stages: []workflow.Stage{{Name: "small", Function: "small"}, {Name: "large", Function: "large"}},
	}
	composition, err := workflow.NewComposition(graph)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		times function.MilliCPU // the small function's sizes are those of a tenth of a core
		time  float64           // of the small function with twice the CPU
		want  [2]function.MilliCPU
	}{
		"nearly free":               {1, 0.9, [2]function.MilliCPU{200, 1000}},
		"nearly free, and harmful":  {1, 1.1, [2]function.MilliCPU{100, 1000}},
		"nearly free up to a core":  {5, 0.9, [2]function.MilliCPU{1000, 1000}},
		"nearly free beyond a core": {6, 0.9, [2]function.MilliCPU{600, 1000}},
	} {
		options := [][]search.Option{
			{size(200*c.times, 0.002, c.time), size(400*c.times, 0.2, 1), size(100*c.times, 0.001, 1)},
			{size(2000, 1.5, 1), size(1000, 1, 1)},
		}
		sp := &search.Space{
			Graph: graph, Composition: composition, Variable: []int{0, 1}, Options: options, Runs: 1,
			Column:    func(slot, option int, dst []float64) { dst[0] = options[slot][option].Time },
			Statistic: func(latency []float64) float64 { return latency[0] },
		}
		chosen := []int{2, 1}
		b := &belief{p: &Problem{Functions: make([]Function, 2), Target: Target{Seconds: 2}}}
		for v, i := range b.roomier(sp, search.Solution{Choice: chosen, Value: 2, Feasible: true}) {
			if cpu := options[v][i].Resources.CPU; cpu != c.want[v] {
				t.Errorf("%s: function %d has %v, not %v", name, v, cpu, c.want[v])
			}
		}
		if chosen[0] != 2 {
			t.Errorf("%s: the solution itself was changed", name)
		}
	}
}
