package cli

import (
	"strings"
	"testing"

	"github.com/aquatope/aquatope/server/api"
	"github.com/aquatope/aquatope/workflow"
)

// Progress says where a session stands, and what a wait is for.
func TestTuneNote(t *testing.T) {
	kept := &api.Recommendation{Verdict: "feasible", Promised: &api.Interval{Low: 400, Mean: 450, High: 500}, Cost: &api.Interval{Mean: 2.5e-6}}
	for want, state := range map[string]api.Tuning{
		"starting":                    {Message: "starting"},
		"5 left; best so far keeps":   {Budget: 25, Runs: 20, QoS: workflow.QoS{Percentile: 95}, Recommendation: kept},
		"p95 450ms (400ms to 500ms)":  {Budget: 25, QoS: workflow.QoS{Percentile: 95}, Recommendation: kept},
		"2.5 $ per 1M runs":           {Recommendation: kept},
		"waiting; 40 live runs, 3 of": {Message: "waiting", Online: &api.OnlineCounts{Runs: 40, Trials: 3, Violations: 2}},
		"2 broke the promise":         {Recommendation: kept, Online: &api.OnlineCounts{Runs: 40, Trials: 3, Violations: 2}},
		"run 3 of 9; disturbed":       {Message: "run 3 of 9", Disturbance: "disturbed by other runs"},
	} {
		if got := tuneNote(state); !strings.Contains(got, want) {
			t.Errorf("%q, want %q in it", got, want)
		}
	}
}
