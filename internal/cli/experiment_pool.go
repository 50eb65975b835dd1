package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/aquatope/aquatope/experiment"
	"github.com/aquatope/aquatope/sim"
	"github.com/aquatope/aquatope/trace"
)

func newExperimentPoolCmd(env *Env) *cobra.Command {
	var dir, file, days, spread string
	var c experiment.PoolConfig
	cmd := &cobra.Command{
		Use:   "pool --trace DIR",
		Short: "Cold starts against idle memory, for every pool policy",
		Long: `Replays a trace through every policy, each with several values of its own knob,
and compares the curves. The first half of the covered minutes trains and warms
up, the second half counts; with --days those days count, and all before them
trains. What the trace lacks is drawn from stated distributions, see the notes.

With --workflows the arrivals of the trace are laid on the entries of workflows
and propagated to their stages; the project's own policy may look ahead along
the graph.`,
		Example: "  aquatope experiment pool --trace traces/azure2019\n  aquatope experiment pool --trace traces/azure2019 --policies keepalive,aquatope -o json --report pool.html",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if dir == "" {
				return Usagef("name the folder of a trace: --trace DIR")
			}
			if c.Seeds < 1 || c.Concurrency < 1 {
				return Usagef("--seeds and --concurrency must be at least 1")
			}
			if err := amongAll("--policies", c.Policies, append([]string{"all"}, experiment.PoolPolicies()...)); err != nil {
				return err
			}
			t, err := loadTrace(env, dir)
			if err != nil {
				return err
			}
			c.Trace = t
			if c.Spread, err = sim.ParseSpread(spread); err != nil {
				return Usagef("--spread: %w", err)
			}
			if days != "" {
				if c.Judged, err = daySpan(days, t); err != nil {
					return err
				}
			}
			bar := env.Progress("pool", 1000)
			c.Progress = func(done, total int64, note string) { bar.Set(done*1000/total, note) }
			r, err := experiment.Pool(cmd.Context(), c)
			bar.Done("")
			if r == nil {
				return err
			}
			if file != "" {
				if err := env.writePage(file, r.Report()); err != nil {
					return err
				}
			}
			return interruptible(err, env.Print("PoolExperiment", r, poolTable(r), savingTable(r)))
		},
	}
	f := cmd.Flags()
	f.StringVar(&dir, "trace", "", "folder with a trace in the Azure 2019 format, or a file in that of 2021")
	f.StringSliceVar(&c.Policies, "policies", []string{"all"}, "policies to compare: all, or some of "+strings.Join(experiment.PoolPolicies(), ", "))
	f.StringVar(&days, "days", "", "days that count, as a-b, the first day of the trace being 1 (default: the second half of the covered minutes)")
	f.IntVar(&c.Seeds, "seeds", 1, "repetitions with other draws: their mean is reported, and how far they differ")
	f.IntVar(&c.Concurrency, "concurrency", experiment.DefaultConcurrency, "invocations that one instance serves at once")
	f.BoolVar(&c.Workflows, "workflows", false, "lay the arrivals on workflows")
	f.StringVar(&spread, "spread", sim.Measured.String(), "how the invocations of a minute are placed in it: measured (as in the public trace of single invocations) or uniform")
	f.StringVar(&file, "report", "", "also write an HTML report to this file")
	return cmd
}

// daySpan reads "a-b" or "a": days of the trace counted from 1, within what it covers.
func daySpan(s string, t *trace.Trace) (trace.Span, error) {
	from, to, ranged := strings.Cut(s, "-")
	if !ranged {
		to = from
	}
	a, errA := strconv.Atoi(from)
	b, errB := strconv.Atoi(to)
	if errA != nil || errB != nil || a < 1 || b < a {
		return trace.Span{}, Usagef("--days %q: give a day or a range of days, such as 8-14", s)
	}
	if last := (t.Minutes + trace.MinutesPerDay - 1) / trace.MinutesPerDay; b > last {
		return trace.Span{}, Usagef("--days %q: the trace has %d day(s)", s, last)
	}
	return trace.Span{
		From: max((a-1)*trace.MinutesPerDay, t.Covered.From),
		To:   min(b*trace.MinutesPerDay, t.Covered.To),
	}, nil
}

func poolTable(r *experiment.PoolReport) Table {
	t := Table{
		Title: fmt.Sprintf("%d functions, minutes %d to %d, %d seed(s)", r.Functions, r.Judged.From, r.Judged.To-1, r.Seeds),
		Columns: []string{
			"policy", "parameter", "invocations", "cold starts", "cold rate", "p50 start ms", "p99 start ms",
			"memory GB-s", "idle GB-s", "quiet GB-s", "rejected", "decision s", "training s",
		},
		Note: strings.Join(r.Notes, "\n"),
	}
	for _, p := range r.Results {
		t.Rows = append(t.Rows, []any{
			p.Policy, p.Parameter, p.Invocations, p.ColdStarts, p.ColdStartRate, p.P50StartMillis, p.P99StartMillis,
			p.MemoryGBSeconds, p.IdleMemoryGBSeconds, p.QuietMemoryGBSeconds, p.Rejected, p.DecisionSeconds, p.TrainSeconds,
		})
	}
	return t
}

func savingTable(r *experiment.PoolReport) Table {
	t := Table{
		Title:   "idle memory of aquatope at equal cold starts",
		Columns: []string{"peer", "parameter", "cold starts", "peer's GB-s", "own GB-s", "saved", "least of a seed", "most"},
		Note:    strings.Join(r.Summary(), "\n"),
	}
	for _, s := range r.Savings {
		t.Rows = append(t.Rows, []any{s.Peer, s.Parameter, s.ColdStarts, s.PeerIdle, s.OwnIdle, s.Saved, s.SavedLeast, s.SavedMost})
	}
	return t
}
