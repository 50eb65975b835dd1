package experiment

import (
	"testing"

	"github.com/aquatope/aquatope/control"
	"github.com/aquatope/aquatope/sim/flow"
	"github.com/aquatope/aquatope/sim/rehearsal"
)

// More CPU is given when runs are slow, and not when they wait for cold starts.
func TestGuardTellsSlowRunsFromColdOnes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		violations, cold int64
		slow             bool
	}{
		"within the budget":                       {violations: 40, cold: 0},
		"cold starts take twice the budget":       {violations: 105, cold: 100},
		"slow runs take twice the budget":         {violations: 100, cold: 5, slow: true},
		"slow runs take what cold starts need":    {violations: 60, cold: 25, slow: true},
		"a little over by cold starts, few slow":  {violations: 60, cold: 45},
		"far over by cold starts, some slow runs": {violations: 200, cold: 150, slow: true},
	} {
		a := newGuardAccount(0.05, rehearsal.Outcome{JointPrediction: control.JointPrediction{Violations: 0.04}, Slow: 0.01})
		a.add(&flow.WorkflowResult{Runs: 1000, Violations: c.violations, ColdViolations: c.cold})
		if a.slow() != c.slow {
			t.Errorf("%s: too slow %v, want %v", name, a.slow(), c.slow)
		}
	}
}
