package tuner_test

import (
	"math"
	"testing"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/stats"
	"github.com/aquatope/aquatope/tuner"
	"github.com/aquatope/aquatope/workflow"
)

// A stage that calls something elsewhere is not invoked on a platform, so that a run
// shows how long it took only by how long the run did. It is part of the promise.
func TestStagesElsewhereTakeTime(t *testing.T) {
	stage := func(k int) *workflow.Node { return &workflow.Node{Kind: workflow.KindStage, Stage: k} }
	space := function.Space{CPU: function.Range{Min: 500, Max: 2000, Step: 500}, Memory: function.Range{Min: int64(function.GiB), Max: int64(function.GiB), Step: int64(function.GiB)}}
	p := &tuner.Problem{
		Graph: &workflow.Graph{
			Stages: []workflow.Stage{{Name: "a", Function: "a"}, {Name: "partner"}, {Name: "b", Function: "b"}},
			Root:   &workflow.Node{Kind: workflow.KindSeries, Children: []*workflow.Node{stage(0), stage(1), stage(2)}},
		},
		Functions: []tuner.Function{{Name: "a", Space: space}, {Name: "b", Space: space}},
		Target:    tuner.Target{Seconds: 1, Percentile: 95},
	}
	rng := stats.Stream(1, "elsewhere")
	var history []tuner.Run
	for i := range 12 {
		r := function.Resources{CPU: function.MilliCPU(500 * (1 + i%4)), Memory: function.GiB}
		run := tuner.Run{Configuration: tuner.Configuration{r, r}, Latency: 0.3 * math.Exp(0.02*rng.NormFloat64())}
		for _, k := range []int{0, 2} {
			s := 0.1 / r.CPU.Cores() * math.Exp(0.05*rng.NormFloat64())
			run.Invocations = append(run.Invocations, tuner.Invocation{Stage: k, Seconds: s, Outcome: function.OutcomeOK})
			run.Latency += s
		}
		history = append(history, run)
	}
	c := tuner.Configuration{{CPU: 1000, Memory: function.GiB}, {CPU: 1000, Memory: function.GiB}}
	res, err := (&tuner.Structured{}).Predict(p, history, c, rng)
	if err != nil {
		t.Fatal(err)
	}
	if m := res.Promised.Mean; m < 0.48 || m > 0.6 {
		t.Errorf("the 95th percentile of 0.1 + 0.3 + 0.1 s is predicted as %.3f s", m)
	}
}
