package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/aquatope/aquatope/control"
	"github.com/aquatope/aquatope/experiment"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/load"
	"github.com/aquatope/aquatope/manifest"
	"github.com/aquatope/aquatope/run"
	"github.com/aquatope/aquatope/store"
	"github.com/aquatope/aquatope/workflow"
)

// validateWindow is the shortest time between plans, so that instances are kept
// for the shortest time and pauses need not be long.
const validateWindow = time.Second

// validateBlocks is how many blocks the time is cut into, an even number.
const validateBlocks = 12

const validatePrice = "cloud-run"

type validateOptions struct {
	folders  []string
	duration time.Duration
	rate     float64
	seed     uint64
}

// validateResult is the document of the experiment.
type validateResult struct {
	Seed    uint64                      `json:"seed"`
	Results []experiment.ValidateResult `json:"results"`
}

func newExperimentValidateCmd(env *Env) *cobra.Command {
	var o validateOptions
	cmd := &cobra.Command{
		Use:   "validate -f DIR...",
		Short: "Whether the simulator says what the local platform does",
		Long: `Starts a server in a process of its own, which keeps idle instances for a fixed
time, and sends runs of every workflow in the folders, one workflow after the
other, in visits with pauses between them, whether or not earlier runs have
ended. The time is cut into 12 blocks. The simulator learns service and start
times from what the server recorded in every other block, is given the arrivals
of all, and is compared with the blocks that it has not seen: median and 95th
percentile of the latency, cold starts, and what all instances cost. Simulated
figures are means over 20 seeds.

Exits with 1 if a figure is more than 15 % off.`,
		Example: "  aquatope experiment validate -f examples/chain\n  aquatope experiment validate -f examples/chain -f examples/social-network -o json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(o.folders) == 0 {
				return Usagef("name what to run: -f DIR")
			}
			if o.duration < time.Minute || !(o.rate > 0 && o.rate <= 1000) {
				return Usagef("--duration must be at least 1m, and --rate above 0 and at most 1000")
			}
			r, err := validate(cmd.Context(), env, o)
			if err != nil {
				return err
			}
			if err := env.Print("ValidateExperiment", r, validateTable(r)); err != nil {
				return err
			}
			for _, x := range r.Results {
				if !x.Within {
					return fmt.Errorf("%s of %s is simulated as %.4g and was %.4g live, which is more than %.0f %% off", x.Figure, x.Workflow, x.Simulated, x.Live, 100*experiment.ValidateWithin)
				}
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringArrayVarP(&o.folders, "filename", "f", nil, "folder or file of a workflow's manifests; may be repeated")
	f.DurationVar(&o.duration, "duration", 3*time.Minute, "how long to send runs of each workflow")
	f.Float64Var(&o.rate, "rate", 3, "runs per second within a visit")
	f.Uint64Var(&o.seed, "seed", 1, "seed of arrivals and simulations")
	return cmd
}

func validateTable(r validateResult) Table {
	t := Table{Columns: []string{"workflow", "figure", "live", "simulated", "single simulations", "ratio", "within"}}
	for _, x := range r.Results {
		t.Rows = append(t.Rows, []any{
			x.Workflow, x.Figure, fmt.Sprintf("%.4g", x.Live), fmt.Sprintf("%.4g", x.Simulated),
			fmt.Sprintf("%.4g to %.4g", x.Lowest, x.Highest), fmt.Sprintf("%.2f", x.Ratio), x.Within,
		})
	}
	t.Note = "Of every other block of the time; the simulator has learnt from the blocks between them."
	return t
}

func validate(ctx context.Context, env *Env, o validateOptions) (validateResult, error) {
	out := validateResult{Seed: o.seed, Results: []experiment.ValidateResult{}}
	b, err := loadManifests(env, o.folders)
	if err != nil {
		return out, err
	}
	if len(b.Workflows) == 0 {
		return out, errors.New("the manifests hold no workflow")
	}
	for i := range b.Workflows {
		live, err := validateLive(ctx, env, o, b, b.Workflows[i])
		if err != nil {
			return out, err
		}
		results, err := experiment.Validate(live, o.seed)
		if err != nil {
			return out, err
		}
		out.Results = append(out.Results, results...)
	}
	return out, nil
}

// validateLive sends runs of a workflow to a server of its own, and returns what
// the server recorded.
func validateLive(ctx context.Context, env *Env, o validateOptions, b *manifest.Bundle, w *workflow.Workflow) (*experiment.ValidateLive, error) {
	price, err := function.LookupPrice(validatePrice)
	if err != nil {
		return nil, err
	}
	live := &experiment.ValidateLive{
		Workflow: w, Inputs: map[string]int{}, KeepAlive: control.ReactiveWindows * validateWindow, Price: price,
	}
	for _, f := range b.Functions {
		if slices.Contains(w.Functions(), f.Name) {
			live.Functions = append(live.Functions, f)
		}
	}
	payloads := samplesOf(b, w.Name)
	if len(payloads) == 0 {
		return nil, fmt.Errorf("neither workflow %s nor its functions declare payloads", w.Name)
	}
	for _, p := range payloads {
		live.Weights = append(live.Weights, p.Weight)
	}
	arrivals := experiment.ValidateArrivals(o.seed, o.duration, live.KeepAlive, o.rate, live.Weights)
	srv, err := startOwnServer(ctx, env, "--pool", string(control.ModeOff), "--window", validateWindow.String(), "--price", validatePrice)
	if err != nil {
		return nil, err
	}
	defer srv.close()
	if err := deployBundle(ctx, srv.client, &manifest.Bundle{Workflows: []*workflow.Workflow{w}, Functions: live.Functions}); err != nil {
		return nil, err
	}
	// The first starts ever read files that later ones find in memory.
	for _, p := range payloads {
		if _, err := srv.client.InvokeWorkflow(ctx, w.Name, p.Body); err != nil {
			return nil, fmt.Errorf("running workflow %s for the first time: %w", w.Name, err)
		}
	}
	if err := pause(ctx, live.KeepAlive+2*validateWindow); err != nil {
		return nil, err
	}
	bar := env.Progress("runs of "+w.Name, int64(len(arrivals)))
	defer bar.Done("")
	live.Begin, live.Block = time.Now(), o.duration/validateBlocks
	live.End = live.Begin.Add(validateBlocks * live.Block)
	schedule := func(yield func(load.Arrival) bool) {
		for i, a := range arrivals {
			if !yield(load.Arrival{At: a.At, Target: i}) {
				return
			}
		}
	}
	ended := int64(0)
	load.Run(ctx, schedule, func(ctx context.Context, a load.Arrival) load.Answer {
		return answer(srv.client.InvokeWorkflow(ctx, w.Name, payloads[arrivals[a.Target].Input].Body))
	}, func(s load.Sample) {
		live.Inputs[s.RunID] = arrivals[s.Target].Input
		ended++
		bar.Set(ended, "")
	}, load.Options{})
	// The idle time of the last instances is part of the cost.
	if err := pause(ctx, time.Until(live.End)); err != nil {
		return nil, err
	}
	sign := 1.0
	for at := live.Begin.Add(live.Block); at.Before(live.End); at = at.Add(live.Block) {
		idle, err := srv.client.Observations(ctx, "", at)
		if err != nil {
			return nil, fmt.Errorf("asking the server for idle instances: %w", err)
		}
		for _, f := range idle.Idle {
			live.IdleCost += sign * f.Cost
		}
		sign = -sign // what was idle since a block less what was idle since its end
	}
	return live, readRuns(ctx, srv, live)
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// readRuns reads what the server recorded.
func readRuns(ctx context.Context, srv *ownServer, live *experiment.ValidateLive) error {
	r, err := store.OpenReader(ctx, filepath.Join(srv.dir, "data", "aquatope.db"))
	if err != nil {
		return fmt.Errorf("reading the record of the server: %w", err)
	}
	defer r.Close()
	for x, err := range r.Runs(ctx, time.Time{}, time.Time{}) {
		if err != nil {
			return fmt.Errorf("reading the record of the server: %w", err)
		}
		if _, ok := live.Inputs[x.ID]; ok { // else it only warmed up
			live.Runs = append(live.Runs, x)
		}
	}
	slices.SortFunc(live.Runs, func(a, b run.Run) int { return a.Start.Compare(b.Start) })
	if len(live.Runs) != len(live.Inputs) {
		return fmt.Errorf("the server recorded %d of %d runs", len(live.Runs), len(live.Inputs))
	}
	return nil
}
