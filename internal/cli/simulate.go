package cli

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/aquatope/aquatope/experiment"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/sim/fleet"
)

// simulateFlags are those of both kinds of simulation.
type simulateFlags struct {
	history                                         bool
	policies                                        []string
	functions, days, nodes                          int
	trace, nodeCPU, nodeMemory, price, since, until string
	current, data                                   string
	seed                                            uint64

	// Of workflows.
	workflows, profiles, resources, losses []string
	outliers                               string
	rate, interference, drift, inputSpread float64
}

func newSimulateCmd(env *Env) *cobra.Command {
	var f simulateFlags
	cmd := &cobra.Command{
		Use:     "simulate",
		GroupID: groupStudy,
		Short:   "Find out what a pool policy does with a trace, or would have done here",
		Long: `Runs a trace of invocations on a cluster in virtual time, under one policy after
another: cold starts, waiting, memory, cost, what was turned away and why, and
what the decisions take. The trace is synthetic and made while it is simulated,
so that memory does not grow with its length, or is read from --trace.

With --profile or --workflow it runs whole workflows instead, whose functions behave
as was measured: runs, violations of the promise, latency, cold starts, cost. Runs
start as functions of --trace are invoked (of a trace with as many functions as
there are workflows in their order, of others a seeded choice as in experiment
endtoend), or at random at a --rate. What was measured can be made worse: busy
neighbours, outliers, inputs of other sizes, drift, nodes that are lost.

With --from-history it replays what a server recorded instead, and says what
would have happened: violations, latency, cold starts, cost. Every run
comes when it came, takes the way that it took, and each of its invocations is
served for as long as it was; which of them find a warm instance is up to the
policy. Beside them stand what did happen and a replay of the policy that was in
force: their difference is the simulator's own error. The record is read from the
data folder of a server on this machine, whether it runs or not.

Policies, with the value of their knob after =, by default:
` + experiment.DescribePolicies(),
		Example: `  # two days of 50,000 functions on 1,000 nodes
  aquatope simulate --functions 50000 --days 2 --nodes 1000 --policy keepalive,hist

  # a published trace, in memory of 2 TiB
  aquatope simulate --trace traces/azure2019 --policy faascache=2Ti,aquatope -o json

  # a workflow of your own, as a trace invokes it, on four machines of which one is lost
  aquatope simulate --profile my.json --trace traces/azure2019 --nodes 4 --lose 1@6h+30m --policy keepalive,aquatope

  # what if the server here had followed another policy in the last week
  aquatope simulate --from-history --since 7d --policy keepalive=2m,hist,oracle`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(cmd.Flags()); err != nil {
				return err
			}
			// Nearly all that a simulation holds stays until its end and has no
			// pointers, so collecting often is cheap and saves a third of the peak.
			if env.Getenv("GOGC") == "" {
				debug.SetGCPercent(40)
			}
			switch {
			case f.history:
				return whatIf(cmd.Context(), env, f)
			case f.ofWorkflows():
				return simulateWorkflows(cmd.Context(), env, f)
			}
			return simulate(cmd.Context(), env, f)
		},
	}
	fl := cmd.Flags()
	fl.BoolVar(&f.history, "from-history", false, "replay what a server recorded")
	fl.StringSliceVar(&f.policies, "policy", nil, "policies, each with its knob: NAME or NAME=VALUE (default keepalive, of a history aquatope)")
	fl.StringSliceVar(&f.profiles, "profile", nil, "run the workflows of these profile files")
	fl.StringSliceVar(&f.workflows, "workflow", nil, "run workflows with a shipped profile: all, or names as in experiment tune")
	fl.StringSliceVar(&f.resources, "resources", nil, "of workflows, FUNCTION=CPU/MEMORY, such as resize=500m/256Mi (default the most that the profile allows)")
	fl.Float64Var(&f.rate, "rate", 1, "of workflows, runs a minute of each, at random, unless --trace is given")
	fl.Float64Var(&f.interference, "interference", 0, "of workflows, by how much an invocation is slower on a node whose CPUs are all busy: 0.2 is a fifth")
	fl.StringVar(&f.outliers, "outliers", "", "of workflows, SHARE:FACTOR: such a share of invocations takes so many times as long, such as 0.01:10")
	fl.Float64Var(&f.drift, "drift", 1, "of workflows, the factor on service times that is reached, evenly, at the end")
	fl.Float64Var(&f.inputSpread, "input-spread", 0, "of workflows, how input sizes and with them service times differ between runs: the deviation of their logarithm")
	fl.StringSliceVar(&f.losses, "lose", nil, "of workflows, NODE@WHEN or NODE@WHEN+LENGTH: a node that is lost, such as 1@6h+30m")
	fl.IntVar(&f.functions, "functions", 1000, "functions of the synthetic trace")
	fl.IntVar(&f.days, "days", 1, "days of the synthetic trace, or of a --rate")
	fl.StringVar(&f.trace, "trace", "", "folder with a trace in the Azure 2019 format, or a file in that of 2021, instead of a synthetic one")
	fl.IntVar(&f.nodes, "nodes", 0, "machines that instances are placed on (default: room for everything)")
	fl.StringVar(&f.nodeCPU, "node-cpu", "16", "CPUs of each machine; the limits of its instances may sum up to four times as many")
	fl.StringVar(&f.nodeMemory, "node-memory", "64Gi", "memory of each machine that the limits of its instances may sum up to")
	fl.StringVar(&f.price, "price", "cloud-run", "price list for costs: aws-lambda, azure, cloud-run or paper")
	fl.Uint64Var(&f.seed, "seed", 1, "of the random draws")
	fl.StringVar(&f.since, "since", "7d", "of a history, runs from then on: a time ago such as 7d or 12h, or a moment (RFC 3339)")
	fl.StringVar(&f.until, "until", "", "of a history, runs that began before then; idle instances count until then (default the end of the record)")
	fl.StringVar(&f.current, "current", "", "of a history, the policy that was in force (default: as the server's journal says)")
	fl.StringVar(&f.data, "data", dataDir(env), "of a history, the data folder of the server")
	return cmd
}

// Flags that say something of one kind of simulation only.
var (
	ofTraces    = []string{"functions", "days", "trace"}
	ofHistory   = []string{"since", "until", "current"}
	ofWorkflows = []string{"resources", "rate", "interference", "outliers", "drift", "input-spread", "lose"}
)

func (f *simulateFlags) ofWorkflows() bool { return len(f.profiles)+len(f.workflows) > 0 }

// check refuses flags that would do nothing.
func (f *simulateFlags) check(set *pflag.FlagSet) error {
	idle, why := ofHistory, "without --from-history"
	if f.history {
		idle, why = ofTraces, "with --from-history"
	}
	for _, name := range idle {
		if set.Changed(name) {
			return Usagef("--%s says nothing %s", name, why)
		}
	}
	for _, name := range ofWorkflows {
		if set.Changed(name) && !f.ofWorkflows() {
			return Usagef("--%s says nothing without --profile or --workflow", name)
		}
	}
	if f.ofWorkflows() {
		switch {
		case f.history:
			return Usagef("--profile and --workflow say nothing with --from-history")
		case set.Changed("functions"):
			return Usagef("--functions says nothing with --profile or --workflow: their functions are simulated")
		case f.trace != "" && set.Changed("rate"):
			return Usagef("--rate says nothing with --trace")
		case f.nodes == 0 && (set.Changed("interference") || set.Changed("lose")):
			return Usagef("--interference and --lose say nothing without --nodes")
		}
	}
	if f.nodes == 0 && (set.Changed("node-cpu") || set.Changed("node-memory")) {
		return Usagef("--node-cpu and --node-memory say nothing without --nodes")
	}
	if f.trace != "" && (set.Changed("functions") || set.Changed("days")) {
		return Usagef("--functions and --days say nothing with --trace")
	}
	if f.functions < 1 || f.days < 1 || f.days > 366 {
		return Usagef("--functions must be at least 1 and --days from 1 to 366")
	}
	return nil
}

// world reads what traces and workflows are simulated on.
func (f simulateFlags) world() (p []experiment.PolicyChoice, n []fleet.Node, price function.Price, err error) {
	if p, err = f.chosen("keepalive"); err != nil {
		return
	}
	if n, err = f.cluster(); err != nil {
		return
	}
	if price, err = function.LookupPrice(f.price); err != nil {
		err = Usagef("--price: %w", err)
	}
	return
}

// chosen reads the policies.
func (f simulateFlags) chosen(standard string) ([]experiment.PolicyChoice, error) {
	if len(f.policies) == 0 {
		f.policies = []string{standard}
	}
	var out []experiment.PolicyChoice
	for _, text := range f.policies {
		p, err := experiment.ParsePolicy(strings.TrimSpace(text))
		if err != nil {
			return nil, Usagef("--policy: %w", err)
		}
		out = append(out, p)
	}
	return out, nil
}

// mostNodes bounds --nodes to what fits into memory.
const mostNodes = 1_000_000

// cluster is what the flags say of machines; none without --nodes.
func (f simulateFlags) cluster() ([]fleet.Node, error) {
	if f.nodes < 0 || f.nodes > mostNodes {
		return nil, Usagef("--nodes %d: use a positive number, at most %d", f.nodes, mostNodes)
	}
	cpu, err := function.ParseMilliCPU(f.nodeCPU)
	if err != nil {
		return nil, Usagef("--node-cpu: %w", err)
	}
	memory, err := function.ParseBytes(f.nodeMemory)
	if err != nil {
		return nil, Usagef("--node-memory: %w", err)
	}
	return slices.Repeat([]fleet.Node{{CPU: cpu, Memory: memory}}, f.nodes), nil
}

// whatIf replays a server's record.
func whatIf(ctx context.Context, env *Env, f simulateFlags) error {
	c, err := f.whatIfConfig()
	if err != nil {
		return err
	}
	record, err := readRecord(ctx, env, f, c.Until)
	if err != nil {
		return err
	}
	bar := env.Progress("replay", 1000)
	c.Progress = func(done, total int64, note string) { bar.Set(done*1000/max(total, 1), note) }
	r, err := experiment.WhatIf(ctx, record, c)
	bar.Done("")
	if err != nil {
		return fmt.Errorf("%w%s", err, f.advice(err))
	}
	return env.Print("WhatIf", r, whatIfTables(r)...)
}
