package cli

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aquatope/aquatope/load"
	"github.com/aquatope/aquatope/stats"
	"github.com/aquatope/aquatope/trace"
	"github.com/aquatope/aquatope/workflow"
)

// loadPlan is a load run that can start.
type loadPlan struct {
	targets  []loadTarget
	schedule load.Schedule
	duration time.Duration
	what     string // the schedule in words
}

type loadTarget struct {
	name  string
	rate  float64
	input []byte
	qos   workflow.QoS
}

func planLoad(env *Env, f loadFlags, args []string) (loadPlan, error) {
	var p loadPlan
	for _, a := range args {
		t := loadTarget{name: a, rate: f.rate}
		if name, rate, ok := strings.Cut(a, "="); ok {
			r, err := strconv.ParseFloat(rate, 64)
			if err != nil {
				return p, Usagef("rate of %q: write WORKFLOW=RUNS_PER_SECOND, such as %s=5", a, name)
			}
			t.name, t.rate = name, r
			if f.trace != "" {
				return p, Usagef("%q has a rate, but --trace gives the times: leave the rate out", a)
			}
		}
		if !(t.rate > 0 && t.rate <= 1e5) {
			return p, Usagef("a rate of %v runs per second for %s: use one above 0 and at most 100000", t.rate, t.name)
		}
		if slices.ContainsFunc(p.targets, func(o loadTarget) bool { return o.name == t.name }) {
			return p, Usagef("%s is named twice", t.name)
		}
		p.targets = append(p.targets, t)
	}
	if err := planInputs(env, f.data, p.targets); err != nil {
		return p, err
	}
	p.duration = f.duration
	if f.duration < 0 {
		return p, Usagef("--duration must be positive")
	}
	if f.trace != "" {
		return p, planTrace(env, f, &p)
	}
	if f.compress != 1 || len(f.traceFns) > 0 {
		return p, Usagef("--compress and --trace-function need --trace")
	}
	if p.duration == 0 {
		p.duration = time.Minute
	}
	schedules := make([]load.Schedule, len(p.targets))
	rates := make([]string, len(p.targets))
	for i, t := range p.targets {
		if f.poisson {
			schedules[i] = load.Poisson(i, t.rate, p.duration, stats.Stream(f.seed, "load/"+t.name))
		} else {
			schedules[i] = load.Constant(i, t.rate, p.duration)
		}
		rates[i] = fmt.Sprintf("%s %v/s", t.name, t.rate)
	}
	p.schedule = load.Merge(schedules...)
	p.what = strings.Join(rates, ", ")
	if f.poisson {
		p.what += ", Poisson"
	}
	return p, nil
}

// planInputs gives every target its input: the one named for it, else the one
// for all.
func planInputs(env *Env, data []string, targets []loadTarget) error {
	all, own := "", map[string]string{}
	for _, d := range data {
		if name, text, ok := strings.Cut(d, "="); ok && slices.ContainsFunc(targets, func(t loadTarget) bool { return t.name == name }) {
			own[name] = text
			continue
		}
		if all != "" {
			return Usagef("two inputs for all workflows: write WORKFLOW=INPUT for each")
		}
		all = d
	}
	for i, t := range targets {
		text := all
		if o, ok := own[t.name]; ok {
			text = o
		}
		var err error
		if targets[i].input, err = env.payload(text); err != nil {
			return err
		}
	}
	return nil
}

func planTrace(env *Env, f loadFlags, p *loadPlan) error {
	if !(f.compress >= 0.1 && f.compress <= 1e6) {
		return Usagef("--compress %v: use a factor between 0.1 and 1000000", f.compress)
	}
	if len(f.traceFns) > 0 && len(f.traceFns) != len(p.targets) {
		return Usagef("%d workflows but %d --trace-function: name one for each", len(p.targets), len(f.traceFns))
	}
	folder, err := trace.OpenFolder(os.DirFS(env.path(f.trace)))
	if err != nil {
		return fmt.Errorf("opening the trace in %s: %w", f.trace, err)
	}
	tr, err := folder.Load()
	if err != nil {
		return fmt.Errorf("reading the trace in %s: %w", f.trace, err)
	}
	chosen, err := traceFunctions(tr, f.traceFns, len(p.targets))
	if err != nil {
		return err
	}
	minute := time.Duration(float64(time.Minute) / f.compress)
	if whole := time.Duration(tr.Covered.Len()) * minute; p.duration == 0 || p.duration > whole {
		p.duration = whole
	}
	schedules := make([]load.Schedule, len(chosen))
	for i, fn := range chosen {
		counts := make([]int, tr.Covered.Len())
		for m, n := range fn.Counts.In(tr.Covered) {
			counts[m-tr.Covered.From] = n
		}
		schedules[i] = load.Until(load.Counts(i, counts, minute, stats.Stream(f.seed, "load/"+p.targets[i].name)), p.duration)
	}
	p.schedule = load.Merge(schedules...)
	p.what = fmt.Sprintf("trace %s, %v times faster", f.trace, f.compress)
	return nil
}

// traceFunctions returns the functions of those names, or the n busiest.
func traceFunctions(tr *trace.Trace, names []string, n int) ([]trace.Function, error) {
	if len(names) == 0 {
		if len(tr.Functions) < n {
			return nil, fmt.Errorf("the trace has %d functions for %d workflows: name fewer workflows", len(tr.Functions), n)
		}
		byLoad := slices.Clone(tr.Functions)
		slices.SortStableFunc(byLoad, func(a, b trace.Function) int {
			return cmp.Compare(b.Counts.Sum(tr.Covered), a.Counts.Sum(tr.Covered))
		})
		return byLoad[:n], nil
	}
	var chosen []trace.Function
	for _, name := range names {
		i := slices.IndexFunc(tr.Functions, func(f trace.Function) bool {
			return f.Function == name || f.ID.String() == name
		})
		if i < 0 {
			return nil, fmt.Errorf("the trace has no function %q", name)
		}
		chosen = append(chosen, tr.Functions[i])
	}
	return chosen, nil
}
