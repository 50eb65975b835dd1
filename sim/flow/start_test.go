package flow_test

import (
	"testing"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/sim/flow"
	"github.com/aquatope/aquatope/workflow"
)

// A function that serves for a second of CPU and computes for three while it
// starts, with one CPU and then, after other resources were given, with two.
func TestStartsDependOnResources(t *testing.T) {
	t.Parallel()
	w := flow.Workflow{Name: "w", Graph: &workflow.Graph{Stages: []workflow.Stage{{Name: "a", Function: "a"}}, Root: stage(0)}, Functions: []flow.Function{constant("a")}}
	w.Functions[0].ColdStart = func(r function.Resources) []float64 { return []float64{3 / r.CPU.Cores()} }
	var got []float64
	s := flow.New([]flow.Workflow{w}, keep(time.Minute), flow.Config{Window: time.Minute, Until: time.Hour, OnRun: func(r flow.Run) { got = append(got, r.Latency.Seconds()) }})
	s.Feed([]flow.Arrival{{At: 0}})
	s.Advance(10 * time.Minute)
	s.SetResources(0, []function.Resources{{CPU: 2000, Memory: function.GiB}})
	s.Feed([]flow.Arrival{{At: 11 * time.Minute}})
	s.Finish()
	check(t, "with one and two CPUs", got, 3+1, 1.5+0.5)
}
