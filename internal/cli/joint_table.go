package cli

import (
	"fmt"
	"strings"

	"github.com/aquatope/aquatope/server/api"
)

// namedPlan is a joint plan and the workflow that it is about.
type namedPlan struct {
	workflow string
	*api.JointPlan
}

// jointTable shows what was decided over resources and warm pool together.
func jointTable(plans []namedPlan) Table {
	t := Table{
		Title:   "Resources and warm pool together",
		Columns: []string{"workflow", "decided", "applied", "promise kept", "cold start worth", "on demand", "violations", "in force", "cost of a run", "in force"},
		Note:    "From rehearsals of recorded runs on functions as tuning knows them: a cold start is worth so many seconds of an idle instance; functions on demand are not kept between runs; in force is what was served with when it was decided.",
	}
	for _, p := range plans {
		onDemand := "none"
		if len(p.OnDemand) > 0 {
			onDemand = strings.Join(p.OnDemand, ", ")
		}
		t.Rows = append(t.Rows, []any{
			p.workflow, human(p.Decided), p.Applied, p.Feasible, fmt.Sprintf("%.4g s", p.PriceSeconds), onDemand,
			fmt.Sprintf("%.2f %%", 100*p.Expected.Violations), fmt.Sprintf("%.2f %%", 100*p.InForce.Violations),
			fmt.Sprintf("%.3g", p.Expected.CostPerRun), fmt.Sprintf("%.3g", p.InForce.CostPerRun),
		})
	}
	return t
}
