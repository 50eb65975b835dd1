package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/aquatope/aquatope/experiment"
)

func newExperimentStepCmd(env *Env) *cobra.Command {
	var c experiment.StepConfig
	cmd := &cobra.Command{
		Use:   "step",
		Short: "What one decision of the pool scheduler takes, as functions grow in number",
		Long: `Takes the step that the server takes every window, for all functions at once:
look at the platform, forecast, decide, limit, apply, write the journal. The
functions are synthetic, with half a day of arrivals behind them; the platform
and the journal answer at once. The program keeps to one processor meanwhile,
and processor time is told: what a step takes on a processor of its own.`,
		Example: "  aquatope experiment step\n  aquatope experiment step --functions 1000,5000 -o json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, n := range c.Functions {
				if n < 1 {
					return Usagef("--functions %d: use positive numbers", n)
				}
			}
			if c.Steps < 1 || c.Steps > 600 {
				return Usagef("--steps %d: use from 1 to 600", c.Steps)
			}
			bar := env.Progress("step", int64(len(c.Functions)))
			done := int64(0)
			c.Progress = func(note string) { bar.Set(done, note); done++ }
			r, err := experiment.ControlSteps(cmd.Context(), c)
			bar.Done("")
			if err != nil {
				return err
			}
			return env.Print("StepExperiment", r, stepsTable(r))
		},
	}
	f := cmd.Flags()
	f.IntSliceVar(&c.Functions, "functions", []int{1000, 10_000, 50_000}, "numbers of functions")
	f.IntVar(&c.Steps, "steps", 5, "steps to measure of each")
	f.Uint64Var(&c.Seed, "seed", 1, "of the synthetic functions")
	return cmd
}

func stepsTable(r *experiment.StepReport) Table {
	t := Table{
		Title:   "one step for all functions",
		Columns: []string{"functions", "called between steps", "first step", "median", "longest", "by function", "median by the clock"},
		Note:    strings.Join(r.Notes, "\n"),
	}
	for _, x := range r.Results {
		t.Rows = append(t.Rows, []any{
			x.Functions, fmt.Sprintf("%.0f", x.Called), x.First, x.Median, x.Longest, x.Median / time.Duration(x.Functions), x.Wall,
		})
	}
	return t
}
