package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/aquatope/aquatope/experiment"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/sim/fleet"
)

// simulateFlags are those of both kinds of simulation.
type simulateFlags struct {
	history                                  bool
	policies                                 []string
	nodes                                    int
	nodeCPU, nodeMemory, price, since, until string
	current, data                            string
	seed                                     uint64
}

func newSimulateCmd(env *Env) *cobra.Command {
	var f simulateFlags
	cmd := &cobra.Command{
		Use:     "simulate --from-history",
		GroupID: groupStudy,
		Short:   "Find out what another pool policy would have done",
		Long: `Replays what a server recorded through other pool policies, in virtual time, and
says what would have happened: violations, latency, cold starts, cost. Every run
comes when it came, takes the way that it took, and each of its invocations is
served for as long as it was; which of them find a warm instance is up to the
policy. Beside them stand what did happen and a replay of the policy that was in
force: their difference is the simulator's own error.

The record is read from the data folder of a server on this machine, whether it
runs or not.

Policies, with the value of their knob after =, by default:
` + experiment.DescribePolicies(),
		Example: `  aquatope simulate --from-history
  aquatope simulate --from-history --since 7d --policy keepalive=2m,hist,oracle
  aquatope simulate --from-history --since 2026-03-01T00:00:00Z --policy aquatope=5m -o json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !f.history {
				return Usagef("say what to simulate: --from-history")
			}
			return whatIf(cmd.Context(), env, f)
		},
	}
	fl := cmd.Flags()
	fl.BoolVar(&f.history, "from-history", false, "replay what a server recorded")
	fl.StringVar(&f.since, "since", "7d", "replay runs from then on: a time ago such as 7d or 12h, or a moment (RFC 3339)")
	fl.StringVar(&f.until, "until", "", "replay runs that began before then, and count idle instances until then (default the end of the record)")
	fl.StringSliceVar(&f.policies, "policy", []string{"aquatope"}, "policies to replay, each with its knob: NAME or NAME=VALUE")
	fl.StringVar(&f.current, "current", "", "policy that was in force (default: as the server's journal says)")
	fl.StringVar(&f.data, "data", dataDir(env), "data folder of the server")
	fl.StringVar(&f.price, "price", "cloud-run", "price list for costs: aws-lambda, azure, cloud-run or paper")
	fl.IntVar(&f.nodes, "nodes", 0, "machines that instances are placed on (default: room for everything)")
	fl.StringVar(&f.nodeCPU, "node-cpu", "", "CPUs of each machine that the limits of its instances may sum up to (default no bound)")
	fl.StringVar(&f.nodeMemory, "node-memory", "", "memory of each machine that the limits of its instances may sum up to (default no bound)")
	fl.Uint64Var(&f.seed, "seed", 1, "of the random draws")
	return cmd
}

// chosen reads the policies.
func (f simulateFlags) chosen() ([]experiment.PolicyChoice, error) {
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

// cluster is what the flags say of machines.
func (f simulateFlags) cluster() ([]fleet.Node, error) {
	var n fleet.Node
	var err error
	if f.nodeCPU != "" {
		if n.CPU, err = function.ParseMilliCPU(f.nodeCPU); err != nil {
			return nil, Usagef("--node-cpu: %w", err)
		}
	}
	if f.nodeMemory != "" {
		if n.Memory, err = function.ParseBytes(f.nodeMemory); err != nil {
			return nil, Usagef("--node-memory: %w", err)
		}
	}
	switch bounded := n != (fleet.Node{}); {
	case f.nodes < 0:
		return nil, Usagef("--nodes %d: use a positive number", f.nodes)
	case f.nodes == 0 && bounded:
		f.nodes = 1
	case f.nodes > 0 && !bounded:
		return nil, Usagef("--nodes says nothing without --node-memory or --node-cpu")
	}
	nodes := make([]fleet.Node, f.nodes)
	for i := range nodes {
		nodes[i] = n
	}
	return nodes, nil
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
