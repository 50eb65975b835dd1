package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/aquatope/aquatope/server/api"
)

func newRunsCmd(env *Env) *cobra.Command {
	return parent(&cobra.Command{
		Use:     "runs",
		GroupID: groupRun,
		Short:   "List, show and cancel runs of workflows",
		Example: `  aquatope runs list
  aquatope runs list --workflow chain --status faulted
  aquatope runs show 01J9ZC
  aquatope runs cancel 01J9ZC`,
	}, newRunsListCmd(env), newRunsShowCmd(env), newRunsCancelCmd(env))
}

func newRunsListCmd(env *Env) *cobra.Command {
	var (
		workflow, status, cursor string
		limit                    int
	)
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List runs, the newest first",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := env.client()
			if err != nil {
				return err
			}
			if limit < 1 {
				return Usagef("--limit must be at least 1, not %d", limit)
			}
			page, err := c.Runs(cmd.Context(), workflow, status, cursor, limit)
			if err != nil {
				return err
			}
			t := runsTable(page.Items)
			if page.Next != "" {
				t.Note = "More: add --cursor " + page.Next
			}
			return env.Print("RunList", page, t)
		},
	}
	cmd.Flags().StringVar(&workflow, "workflow", "", "only runs of this workflow")
	cmd.Flags().StringVar(&status, "status", "", "only runs in this state: running, completed, faulted, cancelled")
	cmd.Flags().StringVar(&cursor, "cursor", "", "page to show, as the page before it names it")
	cmd.Flags().IntVar(&limit, "limit", 20, "runs to show")
	return env.serverFlag(cmd)
}

func newRunsCancelCmd(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cancel RUN",
		Short: "Stop a run that is under way",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := env.client()
			if err != nil {
				return err
			}
			r, err := c.CancelRun(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return env.Print("Run", r, runsTable([]api.Run{r}))
		},
	}
	return env.serverFlag(cmd)
}

func runsTable(runs []api.Run) Table {
	t := Table{Columns: []string{"run", "workflow", "status", "started", "took", "promise", "problem"}}
	for _, r := range runs {
		name := r.Workflow
		if name == "" {
			name = r.Function
		}
		t.Rows = append(t.Rows, []any{r.ID, name, string(r.Status), r.Start, runTook(r), runPromise(r), runProblem(r)})
	}
	return t
}

func runTook(r api.Run) any {
	if r.Status.Ended() {
		return r.Latency()
	}
	return fmt.Sprintf("%s so far", humanDuration(time.Since(r.Start)))
}

func runPromise(r api.Run) string {
	switch {
	case r.QoS.Latency == 0 || !r.Status.Ended():
		return ""
	case r.Violated:
		return "violated"
	}
	return "kept"
}

func runProblem(r api.Run) string {
	if r.Problem == nil {
		return ""
	}
	return abbreviate(r.Problem.Error())
}
