package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/aquatope/aquatope/server/api"
)

func newStatusCmd(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "status",
		GroupID: groupRun,
		Short:   "Show functions, instances, workflows and whether their promises hold",
		Long: `Shows what the server runs at this moment: the instances of every function and
the requests that wait for one, and for every workflow whether its runs of the
last minutes kept the promise. It shows, too, how many instances
the pool scheduler wants warm and what it expects, and what was decided over the
resources and the warm pool of tuned workflows together. The page at the server's address shows the same.`,
		Example: "  aquatope status\n  aquatope status -o json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := env.client()
			if err != nil {
				return err
			}
			s, err := c.Status(cmd.Context())
			if err != nil {
				return err
			}
			for _, w := range s.Warnings {
				env.Notef("warning: %s", w)
			}
			return env.Print("Status", s, statusTables(s)...)
		},
	}
	return env.serverFlag(cmd)
}

func statusTables(s api.Status) []Table {
	tables := []Table{workflowsTable(s.Workflows), functionsTable(s), warmPoolTable(s)}
	var plans []namedPlan
	for _, w := range s.Workflows {
		if w.Joint != nil {
			plans = append(plans, namedPlan{w.Name, w.Joint})
		}
	}
	if len(plans) > 0 {
		tables = append(tables, jointTable(plans))
	}
	return tables
}

func workflowsTable(workflows []api.Workflow) Table {
	t := Table{
		Title:   "Workflows",
		Columns: []string{"workflow", "stages", "target", "promise", "runs", "running", "failed", "violations", "p50", "p95", "p99"},
	}
	for _, w := range workflows {
		r := w.Recent
		promise := "none"
		if w.QoS.Latency > 0 {
			promise = "no runs yet"
		}
		if r.QoSMet != nil {
			promise = map[bool]string{true: "met", false: "broken"}[*r.QoSMet]
		}
		t.Rows = append(t.Rows, []any{
			w.Name, len(w.Stages), qosText(w.QoS), promise, r.Runs, r.Running, r.Failed, r.Violations,
			known(r.P50), known(r.P95), known(r.P99),
		})
	}
	if len(workflows) == 0 {
		t.Note = "No workflow is deployed: aquatope deploy -f FILE"
	} else {
		t.Note = fmt.Sprintf("Runs that ended in the last %.0f minutes.", workflows[0].Recent.Window.Minutes())
	}
	return t
}

func functionsTable(s api.Status) Table {
	t := Table{
		Title:   "Functions",
		Columns: []string{"function", "revision", "cpu", "memory", "warm target", "starting", "idle", "busy", "queued"},
		Note:    fmt.Sprintf("Instances use %s CPU and %s of %s CPU and %s.", human(s.Used.CPU), human(s.Used.Memory), human(s.Capacity.CPU), human(s.Capacity.Memory)),
	}
	for _, f := range s.Functions {
		t.Rows = append(t.Rows, []any{
			f.Name, f.Revision, f.Resources.CPU, f.Resources.Memory, f.Warm, f.Starting, f.Idle, f.Busy, f.Queued,
		})
	}
	return t
}

// warmPoolTable shows what the pool scheduler planned, and what that is worth.
func warmPoolTable(s api.Status) Table {
	t := Table{
		Title:   "Warm pool",
		Columns: []string{"function", "mode", "target", "warm", "busy", "arrivals 50 %", "95 %", "instances 95 %", "in 90 % band", "trust", "foreseen", "cold (fixed)", "idle (fixed)", "ahead (unused)", "why"},
	}
	for _, f := range s.Functions {
		p := f.Pool
		if p == nil {
			continue
		}
		row := []any{f.Name, p.Mode, p.Wanted(), f.Idle + f.Busy, f.Busy, "", "", "", "", "", "", "", "", fmt.Sprintf("%d (%d)", p.AheadUsed+p.AheadUnused, p.AheadUnused), p.Reason}
		if c := p.Forecast; c != nil {
			last := len(c.Levels) - 1
			row[5], row[6], row[7] = c.Arrivals[1], c.Arrivals[last], c.Instances[last]
			row[8], row[9] = fmt.Sprintf("%.0f %%", 100*c.Coverage), c.Trust
			row[10] = fmt.Sprintf("%.0f %%", 100*c.Foreseen)
			row[11] = fmt.Sprintf("%.1f (%.1f)", c.Account.ColdStarts, c.Account.KeepAliveColdStarts)
			row[12] = fmt.Sprintf("%s (%s)", humanDuration(c.Account.Idle.Round(time.Second)), humanDuration(c.Account.KeepAliveIdle.Round(time.Second)))
		}
		t.Rows = append(t.Rows, row)
		t.Note = fmt.Sprintf("Planned every %s. Target part: an instance is wanted for a part of the window. In 90 %% band: the share of recent windows in the nominal 90 %% interval. Foreseen: invocations whose run had begun early enough to start an instance. Cold, idle: what recent invocations would meet by forecasts, and by a fixed keep-alive. Ahead: instances started before anybody asked for one, and those of them that ended unused.", humanDuration(p.Window))
	}
	if len(t.Rows) == 0 {
		t.Note = "The pool scheduler has not planned yet."
	}
	return t
}
