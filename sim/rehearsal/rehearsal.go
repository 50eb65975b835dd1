package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aquatope/aquatope/control"
	"github.com/aquatope/aquatope/forecast"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/pool"
	"github.com/aquatope/aquatope/sim/flow"
	"github.com/aquatope/aquatope/stats"
	"github.com/aquatope/aquatope/tuner"
	"github.com/aquatope/aquatope/workflow"
)

// Workflow is what is known of a workflow when a plan for it is to be chosen.
type Workflow struct {
	Name string
	QoS  workflow.QoS // which promises something
	// Problem is the tuner's, with the promise as its target, and History the runs
	// that it knows; Structured holds what it remembers between calls.
	Problem    *tuner.Problem
	History    []tuner.Run
	Structured *tuner.Structured
	// ColdStarts are start-ups that were seen of each function of the problem, at
	// least one of each.
	ColdStarts [][]Start
	// Forecaster foretells the functions, which are called Name/function. Week is
	// the number of the window, of the week at least, at instant 0.
	Forecaster forecast.Forecaster
	Week       int64
	// Window and Lead are those of the pool: the time between plans, and how long
	// before the end of a window the next is planned; by default Window and Lead.
	Window, Lead time.Duration
	Seed         uint64
}

// Past are arrivals that were recorded, in order of time.
type Past struct {
	Arrivals []flow.Arrival
	// From is the instant from which on they are known.
	From time.Duration
	// Those from Counted on until Until count for what is predicted; what comes
	// before warms up.
	Counted, Until time.Duration
}

// Within returns the arrivals from an instant on until another.
func (p Past) Within(from, to time.Duration) []flow.Arrival {
	at := func(t time.Duration) int {
		i, _ := slices.BinarySearchFunc(p.Arrivals, t, func(a flow.Arrival, t time.Duration) int { return int(min(max(a.At-t, -1), 1)) })
		return i
	}
	lo, hi := at(from), at(to)
	return p.Arrivals[lo:max(lo, hi)]
}

// warmUp is how long before what counts arrivals begin to come, if for that no
// more than the share 1/warmUpShare of them has to be left out.
const (
	warmUp      = time.Hour
	warmUpShare = 4
)

// Latest narrows what counts to so many of the latest arrivals. Where there are
// fewer it is all but those that warm up: a pool that has seen nothing yet breaks
// promises that one which serves already does not.
func (p Past) Latest(runs int) Past {
	p.Counted = p.From
	all := p.Within(p.From, p.Until)
	switch n := len(all); {
	case n > runs:
		p.Counted = all[n-runs].At
		p.From = max(p.From, p.Counted-warmUp)
	case n > 0:
		p.Counted = min(all[0].At+warmUp, all[n/warmUpShare].At)
	}
	return p
}

// Rehearsal predicts what plans for one workflow would do.
type Rehearsal struct {
	Workflow
	// Past is what plans are tried on. It may be replaced at any time.
	Past Past

	comp     *workflow.Composition
	widths   []int // instances of each function that one run needs at once
	starting []starting
	beliefs  map[string]*belief
}

// ErrElsewhere says that a stage calls no function of the problem: how long it
// takes, and that it has no instances, is more than a rehearsal knows.
var ErrElsewhere = errors.New("it calls something that is not deployed here, which cannot be rehearsed")

// New returns a rehearsal; it fails on a graph that has no composition, and with
// ErrElsewhere on one with a stage that calls none of the functions.
func New(w Workflow, past Past) (*Rehearsal, error) {
	comp, err := workflow.NewComposition(w.Problem.Graph)
	if err != nil {
		return nil, fmt.Errorf("rehearsing workflow %s: %w", w.Name, err)
	}
	if w.Window <= 0 {
		w.Window, w.Lead = Window, Lead
	}
	r := &Rehearsal{Workflow: w, Past: past, comp: comp, beliefs: map[string]*belief{}}
	r.widths = make([]int, len(w.Problem.Functions))
	for stage, n := range w.Problem.Graph.Widths() {
		f := r.function(stage)
		if f < 0 {
			return nil, fmt.Errorf("rehearsing workflow %s: stage %s: %w", w.Name, w.Problem.Graph.Stages[stage].Name, ErrElsewhere)
		}
		r.widths[f] += n
	}
	for _, seen := range w.ColdStarts {
		r.starting = append(r.starting, learnStarting(seen))
	}
	return r, nil
}

// function returns the variable of a stage, -1 where it calls none of the functions.
func (r *Rehearsal) function(stage int) int {
	name := r.Problem.Graph.Stages[stage].Function
	return slices.IndexFunc(r.Problem.Functions, func(f tuner.Function) bool { return f.Name == name })
}

const (
	// Window and Lead are those of a pool that is not set otherwise.
	Window = time.Minute
	Lead   = 2 * time.Second
	// startQuantile of its start-ups is what a function is taken to need.
	startQuantile = 0.9
)

// Outcome is what a plan did in a rehearsal.
type Outcome struct {
	control.JointPrediction
	Runs     int64
	ColdRuns float64       // share of runs that waited for a cold start
	Slow     float64       // share of runs that broke the promise and did not
	Latency  time.Duration // mean
}

// Predict implements control.Joint.
func (r *Rehearsal) Predict(p control.JointPlan, share float64) (control.JointPrediction, error) {
	o, err := r.Rehearse(context.Background(), p, share)
	return o.JointPrediction, err
}

// Rehearse tries a plan on the latest share, in (0, 1], of the arrivals that count.
func (r *Rehearsal) Rehearse(ctx context.Context, p control.JointPlan, share float64) (Outcome, error) {
	b, err := r.believe(p.Configuration)
	if err != nil {
		return Outcome{}, err
	}
	past := r.Past
	if share < 1 {
		all := past.Within(past.Counted, past.Until)
		past = past.Latest(max(1, int(share*float64(len(all)))))
	}
	policy, err := r.Policy(p, past.From)
	if err != nil {
		return Outcome{}, err
	}
	var sum time.Duration
	served, times := Watch{From: past.Counted}, unrest{from: past.Counted, until: past.Until}
	s := flow.New([]flow.Workflow{b.workflow}, policy, flow.Config{
		Window: r.Window, Lead: r.Lead, From: past.Counted, Until: past.Until, Price: r.Problem.Price, Seed: r.Seed,
		OnRun: func(run flow.Run) {
			sum += run.Latency
			times.add(run.At, run.Violated)
		},
		OnStage: served.Stage,
	})
	arrivals := past.Within(past.From, past.Until)
	for chunk := range slices.Chunk(arrivals, 4096) {
		if err := ctx.Err(); err != nil {
			return Outcome{}, err
		}
		s.Feed(chunk)
	}
	m := s.Finish().Workflows[0]
	runs := float64(max(1, m.Runs))
	return Outcome{
		JointPrediction: control.JointPrediction{
			Violations: m.ViolationRate(), Deviation: b.deviation, Unrest: times.deviation(), Cost: m.Cost() / runs, Serving: served.Serving(&m, b.service, func(f int, x function.Resources) float64 {
				return r.starting[f].longer(x.CPU, p.Configuration[f].CPU)
			}),
		},
		Runs: m.Runs, ColdRuns: float64(m.ColdRuns) / runs, Slow: float64(m.Violations-m.ColdViolations) / runs, Latency: sum / time.Duration(max(1, len(arrivals))),
	}, nil
}

// Policy returns the pool's policy with what a plan says, which knows arrivals
// from an instant on.
func (r *Rehearsal) Policy(p control.JointPlan, from time.Duration) (*pool.Aquatope, error) {
	policy := pool.NewAquatope(nil, r.Forecaster, pool.Config{Hurry: true, Window: r.Window, Week: r.Week, From: from})
	return policy, r.Apply(p, policy)
}

// Apply changes a policy to another plan; what it learnt stays.
func (r *Rehearsal) Apply(p control.JointPlan, policy *pool.Aquatope) error {
	b, err := r.believe(p.Configuration)
	if err != nil {
		return err
	}
	one := []flow.Workflow{b.workflow}
	var successors map[int][]pool.Successor
	if !p.Alone {
		if successors, err = r.successors(b); err != nil {
			return err
		}
	}
	policy.SetFunctions(Priced(p, flow.Functions(one), r.starts(p.Configuration)), nil)
	policy.SetSuccessors(successors, nil)
	return nil
}

// Priced gives functions what a plan says of them, each of which starts in one of
// the times in cold, ascending and in seconds. Prices are in seconds of idle
// instances, the same for all: a run is late with the last that it waits for.
func Priced(p control.JointPlan, functions []pool.Function, cold [][]float64) []pool.Function {
	for f := range functions {
		x := &functions[f]
		x.ColdStart = time.Duration(stats.Quantile(startQuantile, cold[f]) * float64(time.Second))
		x.IdleCost, x.Price = 1, p.Price
		// Nothing is worth keeping that is worth less than it takes to start.
		x.OnDemand = p.OnDemand[f] || p.Price <= x.ColdStart.Seconds()
	}
	return functions
}

// Scaled gives every function that much more CPU, as far as it goes.
func Scaled(p *tuner.Problem, c tuner.Configuration, by float64) tuner.Configuration {
	out := slices.Clone(c)
	for f, t := range p.Functions {
		cpu := t.Space.CPU
		out[f].CPU = function.MilliCPU(cpu.SnapUp(min(int64(by*float64(c[f].CPU)), cpu.Max)))
	}
	return out
}
