package cli

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/spf13/cobra"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/manifest"
	"github.com/aquatope/aquatope/server/api"
	"github.com/aquatope/aquatope/server/client"
	"github.com/aquatope/aquatope/stats"
)

// tuneLiveResult is the document of the experiment.
type tuneLiveResult struct {
	Workflow         string               `json:"workflow"`
	Budget           int                  `json:"budget"`
	TuningSeconds    float64              `json:"tuningSeconds"`
	QoSMillis        float64              `json:"qosMillis"`
	Percentile       float64              `json:"percentile"`
	Verdict          string               `json:"verdict"`
	Predicted        *api.Interval        `json:"predictedMillis,omitempty"`
	Functions        []api.FunctionChoice `json:"functions"`
	Tuned            liveRuns             `json:"tuned"`
	ByHand           liveRuns             `json:"byHand"`
	SavedShare       float64              `json:"savedShare"`         // of the cost by hand
	SavedShareCI     [2]float64           `json:"savedShareInterval"` // 95 %, over the blocks
	ViolationsBudget float64              `json:"violationsBudget"`   // share that the promise allows
}

// liveRuns is what fresh runs showed.
type liveRuns struct {
	Runs           int        `json:"runs"`
	Failed         int        `json:"failed"`
	Violations     int        `json:"violations"`
	ViolationShare float64    `json:"violationShare"`
	ViolationCI    [2]float64 `json:"violationShareInterval"` // 95 %, Wilson
	PromisedMillis float64    `json:"promisedPercentileMillis"`
	CostPerRun     float64    `json:"costPerRun"`
	BlockCosts     []float64  `json:"blockCosts"`
	latencies      []float64
}

type tuneLiveOptions struct {
	folder   string
	workflow string
	runs     int
	blocks   int
	seed     uint64
	request  api.TuneRequest
	cpu, mem string
	overbook string
}

func newExperimentTuneLiveCmd(env *Env) *cobra.Command {
	var o tuneLiveOptions
	cmd := &cobra.Command{
		Use:   "tune-live WORKFLOW -f DIR",
		Short: "What tuning on real functions saves, and whether the promise holds then",
		Long: `Starts a server in a process of its own, deploys the workflow, tunes it within
the budget, and applies the result. Then makes fresh runs, one at a time, with
inputs drawn by the weights of the declared payloads: with the tuned resources
and with those that one would set by hand, in blocks that take turns. Latencies
include everything, cold starts too, except that the first runs of a block only
warm up.

Exits with 1 if more runs violate the promise than 1.5 times what it allows, or
if less than 30 % of the cost is saved.`,
		Example: "  aquatope experiment tune-live ml-pipeline -f examples/ml-pipeline -o json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.folder == "" {
				return Usagef("name the folder of the workflow's manifests: -f DIR")
			}
			if o.runs < o.blocks || o.blocks < 1 {
				return Usagef("--runs must be at least --blocks, and that positive")
			}
			o.workflow = args[0]
			r, err := tuneLive(cmd.Context(), env, o)
			if err != nil {
				return err
			}
			if err := env.Print("TuneLiveExperiment", r, tuneLiveTable(r)); err != nil {
				return err
			}
			switch {
			case r.Verdict != "feasible":
				return Exit(ExitQoS, errors.New("tuning found no configuration that keeps the promise"))
			case r.Tuned.ViolationShare > 1.5*r.ViolationsBudget:
				return fmt.Errorf("%.1f %% of runs violate the promise, which allows %.1f %%", 100*r.Tuned.ViolationShare, 100*r.ViolationsBudget)
			case r.SavedShare < 0.3:
				return fmt.Errorf("only %.0f %% of the cost is saved", 100*r.SavedShare)
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.folder, "filename", "f", "", "folder or file of the workflow's manifests")
	f.IntVar(&o.runs, "runs", 300, "fresh runs with each configuration")
	f.IntVar(&o.blocks, "blocks", 6, "how often the configurations take turns")
	f.Uint64Var(&o.seed, "seed", 1, "seed of the order of inputs")
	f.IntVar(&o.request.Budget, "budget", 25, "runs to tune with")
	f.DurationVar(&o.request.Latency, "qos", 0, "latency to promise (default the workflow's)")
	f.StringVar(&o.cpu, "by-hand-cpu", "1", "CPU of every function by hand")
	f.StringVar(&o.mem, "by-hand-memory", "1Gi", "memory of every function by hand")
	f.StringVar(&o.overbook, "capacity-cpu", "16", "CPUs that the limits of all instances may sum up to")
	return cmd
}

func tuneLive(ctx context.Context, env *Env, o tuneLiveOptions) (tuneLiveResult, error) {
	out := tuneLiveResult{Workflow: o.workflow, Budget: o.request.Budget}
	tuned, err := loadManifests(env, []string{o.folder})
	if err != nil {
		return out, err
	}
	byHand, err := setByHand(tuned, o)
	if err != nil {
		return out, err
	}
	srv, err := startOwnServer(ctx, env, "--capacity-cpu", o.overbook)
	if err != nil {
		return out, err
	}
	defer srv.close()
	c := srv.client
	// Tuning begins where one would: with what was set by hand.
	for i, f := range byHand.Functions {
		space := tuned.Functions[i].Space
		tuned.Functions[i].Resources = function.Resources{
			CPU: function.MilliCPU(space.CPU.Snap(int64(f.Resources.CPU))), Memory: function.Bytes(space.Memory.SnapUp(int64(f.Resources.Memory))),
		}
	}
	if err := deployBundle(ctx, c, tuned); err != nil {
		return out, err
	}
	began := time.Now()
	session, err := c.StartTuning(ctx, o.workflow, o.request)
	if err == nil {
		session, err = watchTuning(ctx, env, c, o.workflow, session)
	}
	if err != nil {
		return out, err
	}
	if session.Phase != api.PhaseDone {
		return out, fmt.Errorf("tuning: %s", session.Message)
	}
	rec := session.Recommendation
	out.TuningSeconds, out.Verdict, out.Functions, out.Predicted = time.Since(began).Seconds(), rec.Verdict, rec.Functions, rec.Promised
	out.QoSMillis, out.Percentile, out.ViolationsBudget = session.QoS.Latency.Seconds()*1000, session.QoS.Percentile, session.QoS.ErrorBudget()
	for _, choice := range rec.Functions {
		for i := range tuned.Functions {
			if tuned.Functions[i].Name == choice.Function {
				tuned.Functions[i].Resources = choice.To
			}
		}
	}
	return out, measureLive(ctx, env, c, o, tuned, byHand, &out)
}

// setByHand returns the bundle with the resources that one would set by hand.
func setByHand(b *manifest.Bundle, o tuneLiveOptions) (*manifest.Bundle, error) {
	cpu, err := function.ParseMilliCPU(o.cpu)
	if err != nil {
		return nil, Usagef("--by-hand-cpu: %w", err)
	}
	mem, err := function.ParseBytes(o.mem)
	if err != nil {
		return nil, Usagef("--by-hand-memory: %w", err)
	}
	out := &manifest.Bundle{Workflows: b.Workflows}
	for _, f := range b.Functions {
		f.Resources = function.Resources{CPU: cpu, Memory: mem}
		f.Space = function.Space{CPU: function.Fixed(int64(cpu)), Memory: function.Fixed(int64(mem))}
		out.Functions = append(out.Functions, f)
	}
	return out, nil
}

func deployBundle(ctx context.Context, c *client.Client, b *manifest.Bundle) error {
	text, err := manifest.Marshal(b)
	if err != nil {
		return fmt.Errorf("deploying: %w", err)
	}
	if _, err := c.Deploy(ctx, text, false); err != nil {
		return fmt.Errorf("deploying: %w", err)
	}
	return nil
}

// liveWarmups is how many runs of a block are not counted, at least one with
// every payload.
const liveWarmups = 6

// measureLive makes the fresh runs.
func measureLive(ctx context.Context, env *Env, c *client.Client, o tuneLiveOptions, tuned, byHand *manifest.Bundle, out *tuneLiveResult) error {
	payloads := samplesOf(tuned, o.workflow)
	if len(payloads) == 0 {
		return errors.New("neither the workflow nor its functions declare payloads")
	}
	bar := env.Progress("fresh runs", int64(2*o.runs))
	defer bar.Done("")
	rng := stats.Stream(o.seed, "live inputs")
	done := 0
	for block := range o.blocks {
		n := (block+1)*o.runs/o.blocks - block*o.runs/o.blocks
		for _, side := range []struct {
			bundle *manifest.Bundle
			runs   *liveRuns
		}{{tuned, &out.Tuned}, {byHand, &out.ByHand}} {
			if err := deployBundle(ctx, c, side.bundle); err != nil {
				return err
			}
			for i := range max(liveWarmups, len(payloads)) {
				if _, err := c.InvokeWorkflow(ctx, o.workflow, payloads[i%len(payloads)].Body); err != nil && ctx.Err() != nil {
					return ctx.Err()
				}
			}
			cost := 0.0
			for range n {
				k, err := liveRun(ctx, c, o.workflow, draw(payloads, rng), side.bundle, out.QoSMillis, side.runs)
				if err != nil {
					return err
				}
				cost += k / float64(n)
				done++
				bar.Set(int64(done), "")
			}
			side.runs.BlockCosts = append(side.runs.BlockCosts, cost)
		}
	}
	out.Tuned.conclude(out.Percentile)
	out.ByHand.conclude(out.Percentile)
	out.SavedShare = 1 - out.Tuned.CostPerRun/out.ByHand.CostPerRun
	var saved []float64
	for i, k := range out.Tuned.BlockCosts {
		saved = append(saved, 1-k/out.ByHand.BlockCosts[i])
	}
	mean, half := stats.MeanInterval(saved)
	out.SavedShareCI = [2]float64{mean - half, mean + half}
	return nil
}

// samplesOf returns the sample inputs of a workflow.
func samplesOf(b *manifest.Bundle, name string) []function.Payload {
	for _, w := range b.Workflows {
		if w.Name != name {
			continue
		}
		return w.Samples(func(fn string) []function.Payload {
			for _, f := range b.Functions {
				if f.Name == fn {
					return f.Payloads
				}
			}
			return nil
		})
	}
	return nil
}

// draw draws a payload by its weight.
func draw(payloads []function.Payload, rng *rand.Rand) []byte {
	sum := 0.0
	for _, p := range payloads {
		sum += p.Weight
	}
	u := rng.Float64() * sum
	for _, p := range payloads {
		if u -= p.Weight; u < 0 {
			return p.Body
		}
	}
	return payloads[len(payloads)-1].Body
}

// liveRun makes one run and counts it. It returns what the run cost.
func liveRun(ctx context.Context, c *client.Client, name string, body []byte, b *manifest.Bundle, qosMillis float64, into *liveRuns) (float64, error) {
	res, err := c.InvokeWorkflow(ctx, name, body)
	id := res.RunID
	var p *api.Problem
	switch {
	case errors.As(err, &p) && p.RunID != "":
		id = p.RunID
	case err != nil:
		return 0, err
	}
	r, err := c.Run(ctx, id)
	if err != nil {
		return 0, err
	}
	into.Runs++
	ms := r.Latency().Seconds() * 1000
	if r.Status != "completed" {
		into.Failed++
		ms = math.Inf(1)
	}
	if ms > qosMillis {
		into.Violations++
	}
	into.latencies = append(into.latencies, ms)
	price, err := function.LookupPrice("cloud-run")
	if err != nil {
		return 0, err
	}
	cost := 0.0
	for _, s := range r.Stages {
		for _, f := range b.Functions {
			if f.Name == s.Function {
				cost += price.Invocation(f.Resources, s.Execution)
			}
		}
	}
	into.CostPerRun += cost
	return cost, nil
}

// conclude turns sums into shares.
func (l *liveRuns) conclude(percentile float64) {
	n := float64(l.Runs)
	l.CostPerRun /= n
	l.ViolationShare = float64(l.Violations) / n
	l.PromisedMillis = stats.Quantiles(l.latencies, percentile/100)[0]
	if math.IsInf(l.PromisedMillis, 1) {
		l.PromisedMillis = -1 // so many runs failed
	}
	const z = 1.96
	p := l.ViolationShare
	centre, half := (p+z*z/(2*n))/(1+z*z/n), z/(1+z*z/n)*math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	l.ViolationCI = [2]float64{centre - half, centre + half}
}

func tuneLiveTable(r tuneLiveResult) Table {
	t := Table{
		Title:   fmt.Sprintf("%s: p%v within %s, tuned with %d runs in %.0f s", r.Workflow, r.Percentile, millis(r.QoSMillis), r.Budget, r.TuningSeconds),
		Columns: []string{"resources", "fresh runs", "failed", "violations", "share", "interval", "promised percentile", "cost of 1M runs"},
		Note: fmt.Sprintf("The promise allows %.1f %% violations. Tuning saves %.0f %% of the cost (%.0f to %.0f %% over blocks).",
			100*r.ViolationsBudget, 100*r.SavedShare, 100*r.SavedShareCI[0], 100*r.SavedShareCI[1]),
	}
	for _, row := range []struct {
		name string
		l    liveRuns
	}{{"tuned", r.Tuned}, {"by hand", r.ByHand}} {
		t.Rows = append(t.Rows, []any{
			row.name, row.l.Runs, row.l.Failed, row.l.Violations, fmt.Sprintf("%.1f %%", 100*row.l.ViolationShare),
			fmt.Sprintf("%.1f to %.1f %%", 100*row.l.ViolationCI[0], 100*row.l.ViolationCI[1]),
			millis(row.l.PromisedMillis), fmt.Sprintf("%.4g", 1e6*row.l.CostPerRun),
		})
	}
	return t
}
