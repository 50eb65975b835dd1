package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/aquatope/aquatope/server/client"
)

// loadFlags are what the user asked of a load run.
type loadFlags struct {
	rate      float64
	poisson   bool
	duration  time.Duration
	trace     string
	traceFns  []string
	compress  float64
	data      []string
	seed      uint64
	report    string
	failOnQoS bool
}

func newLoadCmd(env *Env) *cobra.Command {
	var f loadFlags
	cmd := &cobra.Command{
		Use:     "load WORKFLOW[=RATE]...",
		GroupID: groupRun,
		Short:   "Drive workflows open-loop and measure what their users would see",
		Long: `Sends runs to one or several workflows at the times that a schedule gives,
whether or not earlier runs have ended, as independent users would. Latency is
measured from the moment at which a run was due, so that a stall shows in every
run that it delayed. Failed runs count as violations of the promise.

Schedules: evenly spaced (the default), a Poisson process (--poisson), or the
minutes of a trace in the Azure 2019 format (--trace), whose arrivals are spread
at random within each minute. --compress 60 plays a minute of it in a second.
The first workflow gets the busiest function of the trace, the second the next,
unless --trace-function names them.`,
		Example: `  # 5 runs per second for two minutes
  aquatope load chain --rate 5 --duration 2m -d @examples/chain/payloads/monday.json

  # two workflows at once, each with a rate and an input of its own
  aquatope load chain=5 social-network=2 --poisson -d chain=@log.json -d social-network=@post.json

  # an hour of a real day in two minutes, with a report to look at
  aquatope load ml-pipeline --trace traces/day --compress 30 --duration 2m --report load.html`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.trace != "" && (f.poisson || cmd.Flags().Changed("rate")) {
				return Usagef("--rate and --poisson say nothing with --trace, which gives the times; --compress makes it faster")
			}
			return runLoad(cmd.Context(), env, f, args)
		},
	}
	fl := cmd.Flags()
	fl.Float64Var(&f.rate, "rate", 1, "runs per second of each workflow without a rate of its own")
	fl.BoolVar(&f.poisson, "poisson", false, "send as a Poisson process instead of evenly")
	fl.DurationVar(&f.duration, "duration", 0, "how long to send (default 1m, or the whole trace)")
	fl.StringVar(&f.trace, "trace", "", "folder of a trace in the Azure 2019 format to replay")
	fl.StringArrayVar(&f.traceFns, "trace-function", nil, "with --trace: the function whose invocations the workflow gets, one for each workflow")
	fl.Float64Var(&f.compress, "compress", 1, "with --trace: how many times faster than recorded")
	fl.StringArrayVarP(&f.data, "data", "d", nil, "input: JSON, @file or @-, for all workflows or as WORKFLOW=INPUT for one")
	fl.Uint64Var(&f.seed, "seed", 1, "seed of everything random; equal seeds send at equal times")
	fl.StringVar(&f.report, "report", "", "write an HTML report to this file")
	fl.BoolVar(&f.failOnQoS, "fail-on-violation", false, "exit with 3 when a workflow broke its promise")
	return env.serverFlag(cmd)
}

func runLoad(ctx context.Context, env *Env, f loadFlags, args []string) error {
	plan, err := planLoad(env, f, args)
	if err != nil {
		return err
	}
	c, err := env.client()
	if err != nil {
		return err
	}
	for i := range plan.targets {
		t := &plan.targets[i]
		w, err := c.Workflow(ctx, t.name)
		if err != nil {
			return err
		}
		t.qos = w.QoS
	}
	result := drive(ctx, env, c, plan)
	if len(result.Targets) == 0 || result.runs() == 0 {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("the schedule holds no runs: raise --rate or --duration, or choose a busier --trace-function")
	}
	// The server is asked even after Ctrl-C: what was measured is worth reading.
	if err := addServerSide(context.WithoutCancel(ctx), c, &result); err != nil {
		return err
	}
	if f.report != "" {
		if err := env.writePage(f.report, loadReport(plan, result)); err != nil {
			return err
		}
		env.Notef("report: %s", f.report)
	}
	if err := env.Print("LoadReport", result, result.tables()...); err != nil {
		return err
	}
	switch {
	case ctx.Err() != nil:
		return Exit(ExitInterrupted, nil)
	case f.failOnQoS && !result.met():
		return Exit(ExitQoS, fmt.Errorf("a workflow broke its promise"))
	}
	return nil
}

// addServerSide adds what only the server knows: cold starts, cost, stages.
func addServerSide(ctx context.Context, c *client.Client, r *loadResult) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	s, err := c.Observations(ctx, "", r.Started)
	if err != nil {
		return fmt.Errorf("asking the server for the stages of the run: %w", err)
	}
	r.add(s)
	return nil
}
