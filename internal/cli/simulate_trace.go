package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aquatope/aquatope/experiment"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/trace"
)

// simulate runs a trace on a cluster.
func simulate(ctx context.Context, env *Env, f simulateFlags) error {
	c := experiment.SimulateConfig{Seed: f.seed, Synthetic: trace.Generator{Functions: f.functions, Days: f.days}}
	var err error
	if c.Policies, c.Nodes, c.Price, err = f.world(); err != nil {
		return err
	}
	if f.trace != "" {
		if c.Trace, err = loadTrace(env, f.trace); err != nil {
			return err
		}
	}
	bar := env.Progress("simulate", 1000)
	c.Progress = func(done, total int, note string) { bar.Set(int64(done)*1000/int64(total), note) }
	r, err := experiment.Simulate(ctx, c)
	bar.Done("")
	if r == nil {
		return err
	}
	return interruptible(err, env.Print("Simulation", r, simulationTables(r)...))
}

func simulationTables(r *experiment.SimulationReport) []Table {
	where := "with room for everything"
	if r.Nodes > 0 {
		where = fmt.Sprintf("on %d nodes", r.Nodes)
	}
	what := Table{
		Title: fmt.Sprintf("%d functions for %d minutes %s", r.Functions, r.Minutes, where),
		Columns: []string{
			"policy", "invocations", "cold starts", "p50 ms", "p95 ms", "p99 ms", "wait p99 ms", "busy GB-s", "idle GB-s",
			"busy cost", "idle cost", "cost", "evicted", "queued", "rejected",
		},
		Note: strings.Join(append([]string{"Prices: " + r.Price + ". Latency is from the arrival of an invocation to its end, wait until an instance serves it."}, r.Notes...), "\n"),
	}
	took := Table{
		Title:   "What it took",
		Columns: []string{"policy", "seconds", "processor s", "invocations a second", "steps", "step mean s", "step longest s", "decisions s", "peak memory"},
		Note:    "A step decides for all functions together. Peak memory is that of the process, all policies so far.",
	}
	for _, x := range r.Results {
		what.Rows = append(what.Rows, []any{
			x.Policy, x.Invocations, fmt.Sprintf("%d (%.2f%%)", x.ColdStarts, 100*x.ColdStartRate),
			x.Latency.P50, x.Latency.P95, x.Latency.P99, x.Wait.P99, x.BusyGBSeconds, x.IdleGBSeconds,
			money(x.BusyCost), money(x.IdleCost), money(x.TotalCost), x.Evicted, x.Queued, reasons(x.Rejected),
		})
		p := x.Process
		took.Rows = append(took.Rows, []any{
			x.Policy, p.Seconds, p.ProcessorSeconds, p.InvocationsPerSecond, p.Steps, p.StepMeanSeconds, p.StepMaxSeconds, p.DecisionSeconds, function.Bytes(p.PeakMemoryBytes),
		})
	}
	return []Table{what, took}
}

// reasons writes counts with what they count.
func reasons(n map[string]int64) string {
	if len(n) == 0 {
		return "0"
	}
	var parts []string
	for _, why := range slices.Sorted(maps.Keys(n)) {
		parts = append(parts, fmt.Sprintf("%d %s", n[why], why))
	}
	return strings.Join(parts, ", ")
}
