package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aquatope/aquatope/experiment"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/profile"
	"github.com/aquatope/aquatope/sim/flow"
)

// simulateWorkflows runs workflows on a cluster.
func simulateWorkflows(ctx context.Context, env *Env, f simulateFlags) error {
	c, err := f.workflowsConfig(env)
	if err != nil {
		return err
	}
	if f.trace != "" {
		if c.Trace, err = loadTrace(env, f.trace); err != nil {
			return err
		}
	}
	bar := env.Progress("simulate", 1000)
	c.Progress = func(done, total int, note string) { bar.Set(int64(done)*1000/int64(total), note) }
	r, err := experiment.SimulateWorkflows(ctx, c)
	bar.Done("")
	if r == nil {
		return err
	}
	return interruptible(err, env.Print("WorkflowSimulation", r, workflowTables(r)...))
}

// workflowsConfig reads the flags.
func (f simulateFlags) workflowsConfig(env *Env) (c experiment.SimulateWorkflowsConfig, err error) {
	c = experiment.SimulateWorkflowsConfig{Seed: f.seed, Rate: f.rate, Days: f.days}
	if c.Policies, c.Nodes, c.Price, err = f.world(); err != nil {
		return c, err
	}
	if c.Scenario, err = f.scenario(); err != nil {
		return c, err
	}
	if c.Profiles, err = tuneProfiles(env, f.workflows, f.profiles); err != nil {
		return c, err
	}
	c.Resources, err = f.givenResources(c.Profiles)
	return c, err
}

// scenario is how the world differs from what was measured.
func (f simulateFlags) scenario() (s experiment.Scenario, err error) {
	s = experiment.Scenario{Interference: f.interference, Drift: f.drift, InputSpread: f.inputSpread}
	switch {
	case !(f.rate > 0) || f.rate > 1e6:
		return s, Usagef("--rate must be above 0 runs a minute, at most a million")
	case !(f.interference >= 0) || f.interference > 100:
		return s, Usagef("--interference must be from 0 to 100: 0.2 slows an invocation by a fifth on a busy node")
	case !(f.drift > 0) || f.drift > 1000:
		return s, Usagef("--drift must be above 0, at most 1000: 1.5 makes service times half as long again by the end")
	case !(f.inputSpread >= 0) || f.inputSpread > 5:
		return s, Usagef("--input-spread must be from 0 to 5")
	}
	if f.outliers != "" {
		if s.Outliers, err = parseOutliers(f.outliers); err != nil {
			return s, Usagef("--outliers %q: %w", f.outliers, err)
		}
	}
	for _, text := range f.losses {
		l, err := parseLoss(text, f.nodes)
		if err != nil {
			return s, Usagef("--lose %q: %w", text, err)
		}
		s.Losses = append(s.Losses, l)
	}
	return s, nil
}

func parseOutliers(text string) (flow.Outliers, error) {
	share, factor, _ := strings.Cut(text, ":")
	s, err1 := strconv.ParseFloat(share, 64)
	x, err2 := strconv.ParseFloat(factor, 64)
	if err1 != nil || err2 != nil || !(s >= 0 && s <= 1) || !(x > 0 && x <= 1e6) {
		return flow.Outliers{}, fmt.Errorf("give a share of all invocations and how many times as long they take, such as 0.01:10")
	}
	return flow.Outliers{Share: s, Factor: x}, nil
}

// parseLoss reads a node, when it is lost and for how long, such as 3@6h+30m.
func parseLoss(text string, nodes int) (flow.Loss, error) {
	node, when, _ := strings.Cut(text, "@")
	at, length, returns := strings.Cut(when, "+")
	n, err := strconv.Atoi(node)
	if err != nil || n < 1 || n > nodes {
		return flow.Loss{}, fmt.Errorf("give a node from 1 to %d and when it is lost, such as 1@6h, or 1@6h+30m for half an hour", nodes)
	}
	l := flow.Loss{Node: n - 1}
	if l.At, err = time.ParseDuration(at); err != nil || l.At < 0 {
		return l, fmt.Errorf("after the @ give a time from the beginning, such as 6h")
	}
	if returns {
		d, err := time.ParseDuration(length)
		if err != nil || d <= 0 {
			return l, fmt.Errorf("after the + give how long it is away, such as 30m")
		}
		l.Back = l.At + d
	}
	return l, nil
}

// givenResources reads --resources, of functions that the profiles have.
func (f simulateFlags) givenResources(profiles []*profile.Model) (map[string]function.Resources, error) {
	spaces := map[string]function.Space{}
	for _, m := range profiles {
		for _, t := range m.Functions {
			spaces[t.Name] = t.Space
		}
	}
	out := map[string]function.Resources{}
	for _, text := range f.resources {
		name, value, _ := strings.Cut(text, "=")
		cpu, memory, ok := strings.Cut(value, "/")
		space, known := spaces[name]
		if !known {
			return nil, Usagef("--resources %q: no workflow here calls a function %q", text, name)
		}
		var r function.Resources
		var err1, err2 error
		r.CPU, err1 = function.ParseMilliCPU(cpu)
		r.Memory, err2 = function.ParseBytes(memory)
		if !ok || err1 != nil || err2 != nil {
			return nil, Usagef("--resources %q: give FUNCTION=CPU/MEMORY, such as %s=%v/%v", text, name, space.Largest().CPU, space.Largest().Memory)
		}
		if low, high := space.Smallest(), space.Largest(); r.CPU < low.CPU || r.CPU > high.CPU || r.Memory < low.Memory || r.Memory > high.Memory {
			return nil, Usagef("--resources %q: the profile of %s is of %v to %v", text, name, low, high)
		}
		out[name] = r
	}
	return out, nil
}

func workflowTables(r *experiment.WorkflowSimulationReport) []Table {
	where := "with room for everything"
	if r.Nodes > 0 {
		where = fmt.Sprintf("on %d nodes", r.Nodes)
	}
	what := Table{
		Title: fmt.Sprintf("%d minutes %s", r.Minutes, where),
		Columns: []string{
			"workflow", "policy", "runs", "violations", "p50 ms", "p95 ms", "p99 ms", "qos ms", "cold starts", "queued", "failed",
			"busy cost", "idle cost", "cost",
		},
		Note: strings.Join(append([]string{"Prices: " + r.Price + ". A violation is a run that fails or takes longer than promised; latency is that of the runs that completed."}, r.Notes...), "\n"),
	}
	for _, x := range r.Results {
		failed := map[string]int64{}
		for why, n := range x.Ended {
			if why != flow.Completed.String() {
				failed[why] = n
			}
		}
		what.Rows = append(what.Rows, []any{
			x.Workflow, x.Policy, x.Runs, fmt.Sprintf("%d (%.2f%%)", x.Violations, 100*x.ViolationRate),
			x.P50Millis, x.P95Millis, x.P99Millis, x.QoSMillis, x.ColdStarts, x.Queued, reasons(failed),
			money(x.BusyCost), money(x.IdleCost), money(x.TotalCost),
		})
	}
	took := Table{Title: "What it took", Columns: []string{"policy", "started ahead", "evicted", "lost", "seconds", "processor s", "stages a second", "peak memory"}}
	for _, x := range r.Policies {
		p := x.Process
		took.Rows = append(took.Rows, []any{
			x.Policy, x.StartedAhead, x.Evicted, x.Lost, p.Seconds, p.ProcessorSeconds, p.InvocationsPerSecond, function.Bytes(p.PeakMemoryBytes),
		})
	}
	return []Table{what, took}
}
