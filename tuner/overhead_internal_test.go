package tuner

import (
	"math"
	"testing"
	"time"

	"github.com/aquatope/aquatope/workflow"
)

// What a run did not come to says nothing of how long it took: of the ways of a
// choice the one with invocations was taken, whatever stands in the others.
func TestObservedFollowsTheWayThatWasTaken(t *testing.T) {
	stage := func(k int) *workflow.Node { return &workflow.Node{Kind: workflow.KindStage, Stage: k} }
	node := func(kind workflow.Kind, children ...*workflow.Node) *workflow.Node {
		return &workflow.Node{Kind: kind, Children: children, Width: 1}
	}
	nothing := node(workflow.KindSeries)
	wait := &workflow.Node{Kind: workflow.KindDelay, Delay: 10 * time.Second}
	loop := node(workflow.KindLoop, stage(0))
	inner := node(workflow.KindChoice, stage(0), nothing)
	for name, c := range map[string]struct {
		root *workflow.Node
		want float64
	}{
		"the other way is a loop":   {node(workflow.KindChoice, loop, stage(1)), 2},
		"the other way is a choice": {node(workflow.KindChoice, inner, stage(1)), 2},
		"the other way waits":       {node(workflow.KindChoice, node(workflow.KindSeries, wait), stage(1)), 2},
		"nothing is the other way":  {node(workflow.KindChoice, nothing, stage(1)), 2},
		"within a series":           {node(workflow.KindSeries, node(workflow.KindChoice, loop, stage(1)), stage(2)), 5},
		"nothing was taken":         {node(workflow.KindSeries, node(workflow.KindChoice, loop, nothing), stage(2)), 3},
		"a wait, or nothing":        {node(workflow.KindSeries, node(workflow.KindChoice, wait, nothing), stage(2)), math.NaN()},
		"nothing, repeated":         {node(workflow.KindSeries, node(workflow.KindLoop, nothing), stage(2)), 3},
		"both ways have one stage":  {node(workflow.KindChoice, stage(1), node(workflow.KindSeries, wait, stage(1))), math.NaN()},
	} {
		got := observed(c.root, [][]float64{nil, {2}, {3}})
		if got != c.want && !(math.IsNaN(got) && math.IsNaN(c.want)) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
