package cli

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/aquatope/aquatope/experiment"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/profile"
)

func newExperimentTuneCmd(env *Env) *cobra.Command {
	var (
		o         experiment.TuneOptions
		workflows []string
		files     []string
		price     string
		target    string
		file      string
	)
	cmd := &cobra.Command{
		Use:   "tune",
		Short: "How close each tuner comes to the oracle, and how soon",
		Long: `Lets every strategy search the resources of workflows whose behaviour is known
from measured profiles, and judges what it recommends after 10, 15, 20, 25, 40
and 70 runs: its true cost relative to the cheapest configuration that keeps the
promise, and whether it keeps the promise. All strategies get the same runs'
information, budget and seeds.

--workflow names shipped profiles or generated ones: a shape (` + strings.Join(experiment.GeneratedShapes(), ", ") + `)
and a family (` + strings.Join(experiment.GeneratedFamilies(), ", ") + `)
joined by a hyphen, such as ml-steps; random-30-steps has 30 functions. --profile
reads a file, see docs/reference/profile-format.md.`,
		Example: "  aquatope experiment tune --strategy structured,blackbox --seeds 5 --budget 40\n" +
			"  aquatope experiment tune --profile ml.json --target mean --report tune.html -o json\n" +
			"  aquatope experiment tune --strategy structured --target binding --budget 25",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if o.Profiles, err = tuneProfiles(env, workflows, files); err != nil {
				return err
			}
			switch target {
			case "percentile":
			case "mean":
				o.Mean = true
			case "binding":
				o.Binding = true
			default:
				return Usagef("--target is percentile, mean or binding, not %q", target)
			}
			if slices.Contains(o.Strategies, "all") {
				o.Strategies = experiment.TuneStrategies()
			}
			for _, s := range o.Strategies {
				if !slices.Contains(experiment.TuneStrategies(), s) {
					return Usagef("no strategy %q: use all, or some of %s", s, strings.Join(experiment.TuneStrategies(), ", "))
				}
			}
			if o.Seeds < 1 || o.FirstSeed < 0 || o.Budget < experiment.Checkpoints[0] {
				return Usagef("--seeds must be at least 1, --first-seed not negative and --budget at least %d", experiment.Checkpoints[0])
			}
			if o.Price, err = function.LookupPrice(price); err != nil {
				return Usagef("%v", err)
			}
			bar := env.Progress("tune", int64(len(o.Profiles)*len(o.Strategies)*o.Seeds))
			o.Progress = func(done, _ int, what string) { bar.Set(int64(done), what) }
			ex, err := experiment.Tune(cmd.Context(), o)
			bar.Done("")
			if ex == nil {
				return err
			}
			if file != "" {
				if err := env.writePage(file, ex.Report()); err != nil {
					return err
				}
			}
			return interruptible(err, env.Print("TuneExperiment", ex, tuneTable(ex)))
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&workflows, "workflow", nil, "workflows to tune: all, or names (default all, unless --profile is given)")
	f.StringSliceVar(&files, "profile", nil, "profile files to tune")
	f.StringSliceVar(&o.Strategies, "strategy", []string{"all"}, "strategies to compare: all, "+strings.Join(experiment.TuneStrategies(), ", "))
	f.IntVar(&o.Seeds, "seeds", 10, "searches of each strategy on each workflow")
	f.IntVar(&o.FirstSeed, "first-seed", 0, "the first seed")
	f.IntVar(&o.Budget, "budget", 70, "workflow runs of each search")
	f.StringVar(&target, "target", "percentile", "what is promised: the profile's percentile, the mean within the same latency, or (binding) the percentile within a latency halfway between the shortest possible and the cheapest configuration's")
	f.StringVar(&price, "price", "paper", "price list: paper, aws-lambda, azure, cloud-run")
	f.StringVar(&file, "report", "", "also write an HTML report to this file")
	return cmd
}

// tuneProfiles collects the profiles that are asked for.
func tuneProfiles(env *Env, workflows, files []string) ([]*profile.Model, error) {
	if len(workflows) == 0 && len(files) == 0 {
		workflows = []string{"all"}
	}
	var out []*profile.Model
	for _, name := range workflows {
		if name == "all" {
			all, err := experiment.ShippedProfiles()
			if err != nil {
				return nil, err
			}
			out = append(out, all...)
			continue
		}
		m, err := experiment.NamedProfile(name)
		if err != nil {
			return nil, Usagef("%v", err)
		}
		out = append(out, m)
	}
	for _, name := range files {
		m, err := readProfile(env.path(name))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out = append(out, m)
	}
	seen := map[string]bool{}
	for _, m := range out {
		if seen[m.Name] {
			return nil, Usagef("two profiles are of a workflow called %q: rename one", m.Name)
		}
		seen[m.Name] = true
	}
	return out, nil
}

func readProfile(path string) (*profile.Model, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p, err := profile.Read(f)
	if err != nil {
		return nil, err
	}
	return profile.New(p)
}

func tuneTable(ex *experiment.TuneExperiment) Table {
	t := Table{
		Title: "cost relative to the oracle, of what is recommended after some runs (" + ex.Target + ", prices: " + ex.Price + ")",
		Columns: []string{
			"workflow", "strategy", "runs", "searches", "cost over oracle", "interval", "worst", "kept %", "worst excess %", "violations", "seconds per decision",
		},
		Note: "cost over oracle: mean over seeds with its 95 % interval; kept: searches whose recommendation keeps the promise.",
	}
	for _, s := range ex.Summaries() {
		t.Rows = append(t.Rows, []any{
			s.Workflow, s.Strategy, s.Samples, s.Searches, s.CostOverOracle.Mean,
			fmt.Sprintf("%.3f to %.3f", s.CostOverOracle.Low, s.CostOverOracle.High), s.WorstCost,
			100 * s.Kept, 100 * s.WorstExcess, s.Violations, s.SecondsPerDecision,
		})
	}
	return t
}
