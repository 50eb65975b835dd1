package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/aquatope/aquatope/experiment"
	"github.com/aquatope/aquatope/function"
)

func newExperimentEndToEndCmd(env *Env) *cobra.Command {
	var (
		o              experiment.EndToEndOptions
		workflows      []string
		files          []string
		dir, price, to string
	)
	all := append(experiment.EndToEndSystems(), experiment.EndToEndAblations()...)
	cmd := &cobra.Command{
		Use:   "endtoend --trace DIR",
		Short: "Violations and cost of whole systems, pool and resources together",
		Long: `Runs whole workflows under the arrivals of a trace, in virtual time, with the
pool policy of one paper and the resource policy of another, with the project's
own system, which decides over both together, with an oracle that knows the
future, and with the best plan in hindsight, which does not know when runs come.
aquatope-strict is the project's own told to keep to a tenth of the error budget.
The first half of the period trains, tunes and pays for trials; the
second half is judged. How the series are chosen is a note of the report.

Systems: ` + strings.Join(experiment.EndToEndSystems(), ", ") + `.
Ablations leave one part of the project's system out: ` + strings.Join(experiment.EndToEndAblations(), ", ") + `.
--workflow and --profile name workflows as for experiment tune. --cold-start shows
what becomes of it where functions start slowly.`,
		Example: "  aquatope experiment endtoend --trace traces/azure2019 --report endtoend.html\n" +
			"  aquatope experiment endtoend --trace traces/azure2019 --cold-start 2s\n" +
			"  aquatope experiment endtoend --trace traces/azure2019 --workflow ml-pipeline --system aquatope,ablations --seeds 5 -o json",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if dir == "" {
				return Usagef("name the folder of a trace: --trace DIR")
			}
			var err error
			if o.Profiles, err = tuneProfiles(env, workflows, files); err != nil {
				return err
			}
			if o.Systems, err = endToEndSystems(o.Systems, all); err != nil {
				return err
			}
			if o.Seeds < 1 || o.FirstSeed < 0 {
				return Usagef("--seeds must be at least 1 and --first-seed not negative")
			}
			if o.ColdStart < 0 {
				return Usagef("--cold-start must not be negative")
			}
			if o.Price, err = function.LookupPrice(price); err != nil {
				return Usagef("%v", err)
			}
			if o.Trace, err = loadTrace(env, dir); err != nil {
				return err
			}
			bar := env.Progress("endtoend", int64(len(o.Profiles)*len(o.Systems)*o.Seeds))
			o.Progress = func(done, _ int, what string) { bar.Set(int64(done), what) }
			ex, err := experiment.EndToEnd(cmd.Context(), o)
			bar.Done("")
			if ex == nil {
				return err
			}
			if to != "" {
				if err := writeFile(env.path(to), func(w io.Writer) error {
					_, err := ex.Report().WriteTo(w)
					return err
				}); err != nil {
					return fmt.Errorf("writing the report: %w", err)
				}
			}
			return interruptible(err, env.Print("EndToEndExperiment", ex, endToEndTable(ex)))
		},
	}
	f := cmd.Flags()
	f.StringVar(&dir, "trace", "", "folder with a trace in the Azure 2019 format, or a file in that of 2021")
	f.StringSliceVar(&workflows, "workflow", nil, "workflows: all, or names (default all, unless --profile is given)")
	f.StringSliceVar(&files, "profile", nil, "profile files of further workflows")
	f.StringSliceVar(&o.Systems, "system", []string{"all"}, "systems to compare: all, ablations, or names")
	f.IntVar(&o.Seeds, "seeds", 1, "repetitions with other series, trials and luck")
	f.IntVar(&o.FirstSeed, "first-seed", 1, "the first seed")
	f.DurationVar(&o.ColdStart, "cold-start", 0, "scale the start-ups of each function to this median, such as 2s (default as measured)")
	f.StringVar(&price, "price", "paper", "price list: paper, aws-lambda, azure, cloud-run")
	f.StringVar(&to, "report", "", "also write an HTML report to this file")
	return cmd
}

// endToEndSystems resolves the words that stand for several systems.
func endToEndSystems(asked, known []string) ([]string, error) {
	var out []string
	add := func(names ...string) {
		for _, n := range names {
			if !slices.Contains(out, n) {
				out = append(out, n)
			}
		}
	}
	for _, s := range asked {
		switch {
		case s == "all":
			add(experiment.EndToEndSystems()...)
		case s == "ablations":
			add(experiment.EndToEndAblations()...)
		case slices.Contains(known, s):
			add(s)
		default:
			return nil, Usagef("no system %q: use all, ablations, or some of %s", s, strings.Join(known, ", "))
		}
	}
	return out, nil
}

func endToEndTable(ex *experiment.EndToEndExperiment) Table {
	t := Table{
		Title: "whole systems (prices: " + ex.Price + ")",
		Columns: []string{
			"workflow", "system", "seed", "runs", "violations %", "p50 ms", "p95 ms", "p99 ms", "qos ms", "busy cost", "idle cost", "trial cost", "total cost", "cold starts",
		},
	}
	for _, r := range ex.Results {
		t.Rows = append(t.Rows, []any{
			r.Workflow, r.System, r.Seed, r.Runs, 100 * r.ViolationRate, r.P50Millis, r.P95Millis, r.P99Millis, r.QoSMillis,
			r.BusyCost, r.IdleCost, r.TrialCost, r.TotalCost, r.ColdStarts,
		})
	}
	var notes []string
	for _, s := range ex.Summary {
		notes = append(notes, s.Text)
	}
	t.Note = strings.Join(append(notes, ex.Notes...), "\n")
	return t
}
