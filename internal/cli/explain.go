package cli

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/aquatope/aquatope/internal/report"
)

func newExplainCmd(env *Env) *cobra.Command {
	var (
		latency    time.Duration
		percentile float64
		file       string
	)
	cmd := &cobra.Command{
		Use:     "explain WORKFLOW",
		GroupID: groupDecide,
		Short:   "Say what a promise would take and cost, from what tuning learnt",
		Long: `Answers from the runs that "aquatope tune" made, without a new one: which
resources would keep a promise, the latency that is predicted with them, what
they cost, and what other promises would cost. Everything is given with the
interval that holds 90 % of the belief. What was decided last over resources and
warm pool together follows, if a pool scheduler runs (up --pool).

Exits with 3 if the promise cannot be kept, or not surely.`,
		Example: "  aquatope explain ml-pipeline\n  aquatope explain ml-pipeline --qos 700ms --percentile 99 -o json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if latency < 0 || !(percentile >= 0 && percentile < 100) {
				return Usagef("--qos must be positive and --percentile between 0 and 100")
			}
			c, err := env.client()
			if err != nil {
				return err
			}
			r, err := c.Explain(cmd.Context(), args[0], latency, percentile)
			if err != nil {
				return err
			}
			if file != "" {
				page := report.New("What " + args[0] + " would take").Text(fmt.Sprintf("Promise: %v. %s.", qosText(r.QoS), r.Reason))
				if err := env.writePage(file, addRecommendation(page, &r)); err != nil {
					return err
				}
			}
			tables := []Table{choicesTable(args[0], &r), predictionTable(&r), frontierTable(&r)}
			if r.Joint != nil {
				tables = append(tables, jointTable([]namedPlan{{args[0], r.Joint}}))
			}
			if err := env.Print("Explanation", r, tables...); err != nil {
				return err
			}
			if r.Verdict != "feasible" {
				return Exit(ExitQoS, errors.New(infeasible(&r)))
			}
			return nil
		},
	}
	cmd.Flags().DurationVar(&latency, "qos", 0, "latency to answer for (default the workflow's)")
	cmd.Flags().Float64Var(&percentile, "percentile", 0, "percent of runs that end within it (default the workflow's, or 95)")
	cmd.Flags().StringVar(&file, "report", "", "also write an HTML report to this file")
	return env.serverFlag(cmd)
}
