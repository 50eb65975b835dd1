package experiment

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aquatope/aquatope/forecast"
	"github.com/aquatope/aquatope/forecast/bnn"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/pool"
	"github.com/aquatope/aquatope/pool/baseline"
	"github.com/aquatope/aquatope/sim/flow"
	"github.com/aquatope/aquatope/stats"
)

// system is a pair of a pool policy and a resource policy.
type system struct {
	name  string
	judge func(ctx context.Context, w *endWorld) (EndToEndResult, error)
}

// ownSystem is the project's.
const (
	ownSystem = "aquatope"
	// strictSystem is the project's, told to break the promise ten times less often
	// than it may: what fewer violations cost whoever wants them.
	strictSystem = "aquatope-strict"
	paperSystem  = "aquatope-paper"
	oracleSystem = "oracle"
	// hindsightSystem bounds what can be had without knowing when runs come.
	hindsightSystem = "hindsight"
)

// systems are all that are compared, in the order of reports.
func systems() []system {
	return []system{
		{"keepalive+autoscale", peer("autoscale", keepAlivePool)},
		{"hist+clite", peer("clite", histPool)},
		{"faascache+clite", peer("clite", faasCachePool)},
		{"icebreaker+clite", peer("clite", iceBreakerPool)},
		{"icebreaker+orion", peer("orion", iceBreakerPool)},
		{"autoscale+parrotfish", peer("parrotfish", autoscalePool)},
		{paperSystem, peer("blackbox", paperPool)},
		{ownSystem, jointly(jointOptions{})},
		{strictSystem, jointly(jointOptions{strict: true})},
		{oracleSystem, oracle},
		{hindsightSystem, hindsight},
	}
}

// ablations are the project's system without one of its parts.
func ablations() []system {
	return []system{
		{ownSystem + "-no-uncertainty", jointly(jointOptions{certain: true})},
		{ownSystem + "-no-graph", jointly(jointOptions{blind: true})},
		{ownSystem + "-no-lookahead", jointly(jointOptions{noLookAhead: true})},
		{ownSystem + "-no-sharing", jointly(jointOptions{apart: true, fixed: true})},
		{ownSystem + "-no-feedback", jointly(jointOptions{fixed: true})},
		{ownSystem + "-blackbox", jointly(jointOptions{strategy: "blackbox"})},
		{ownSystem + "-mean", jointly(jointOptions{mean: true, fixed: true})},
	}
}

// EndToEndSystems returns the names of all systems.
func EndToEndSystems() []string { return names(systems()) }

// EndToEndAblations returns the names of the project's system without parts.
func EndToEndAblations() []string { return names(ablations()) }

func names(s []system) []string {
	var out []string
	for _, x := range s {
		out = append(out, x.name)
	}
	return out
}

func systemCalled(name string) (system, error) {
	all := append(systems(), ablations()...)
	if i := slices.IndexFunc(all, func(s system) bool { return s.name == name }); i >= 0 {
		return all[i], nil
	}
	return system{}, fmt.Errorf("no system %q; the known ones are %s", name, strings.Join(names(all), ", "))
}

// candidate is a pool policy with one value of its knob.
type candidate struct {
	make   func() pool.Policy
	window time.Duration
	lead   time.Duration
	memory function.Bytes
	knob   string
}

// peer pairs a resource policy with a pool policy. A pool policy whose authors
// publish its parameters has one candidate; of several the one is taken that
// costs least in the training part and keeps the promise there.
func peer(strategy string, candidates func(ctx context.Context, w *endWorld, f []pool.Function) ([]candidate, error)) func(context.Context, *endWorld) (EndToEndResult, error) {
	return func(ctx context.Context, w *endWorld) (EndToEndResult, error) {
		s, err := w.session(ctx, tuning{strategy: strategy})
		if err != nil {
			return EndToEndResult{}, err
		}
		truth := w.truly(s.configuration)
		all, err := candidates(ctx, w, flow.Functions([]flow.Workflow{truth}))
		if err != nil {
			return EndToEndResult{}, err
		}
		best, err := w.pick(ctx, truth, all)
		if err != nil {
			return EndToEndResult{}, err
		}
		m, err := w.play(ctx, playback{
			workflow: truth, policy: best.make(), window: best.window, lead: best.lead, memory: best.memory, from: w.all.From, counted: w.judged,
		})
		if err != nil {
			return EndToEndResult{}, err
		}
		r := w.result(m, s)
		r.Decision = best.knob
		return r, nil
	}
}

// pick returns the candidate that is best in the training part.
func (w *endWorld) pick(ctx context.Context, truth flow.Workflow, all []candidate) (candidate, error) {
	if len(all) == 1 {
		return all[0], nil
	}
	type tried struct {
		candidate
		violations int64
		kept       bool
		cost       float64
	}
	var out []tried
	for _, c := range all {
		m, err := w.play(ctx, playback{
			workflow: truth, policy: c.make(), window: c.window, lead: c.lead, memory: c.memory, from: w.all.From, counted: w.training(),
		})
		if err != nil {
			return candidate{}, err
		}
		out = append(out, tried{c, m.Violations, w.model.QoS.Kept(int(m.Runs), int(m.Violations)), m.Cost()})
	}
	return slices.MinFunc(out, func(a, b tried) int {
		switch {
		case a.kept && b.kept:
			return cmp.Compare(a.cost, b.cost)
		case a.kept:
			return -1
		case b.kept:
			return 1
		}
		return cmp.Or(cmp.Compare(a.violations, b.violations), cmp.Compare(a.cost, b.cost))
	}).candidate, nil
}

func keepAlivePool(context.Context, *endWorld, []pool.Function) ([]candidate, error) {
	return []candidate{{
		make:   func() pool.Policy { return baseline.KeepAlive{Timeout: baseline.DefaultKeepAlive} },
		window: time.Minute, knob: fmt.Sprintf("kept for %v", baseline.DefaultKeepAlive),
	}}, nil
}

func histPool(_ context.Context, _ *endWorld, f []pool.Function) ([]candidate, error) {
	return []candidate{{
		make:   func() pool.Policy { return baseline.NewHist(len(f), baseline.DefaultHist) },
		window: time.Minute, knob: "as published: 240 bins of a minute",
	}}, nil
}

// cacheSizes are the memories that FaasCache is tried with, in multiples of what
// one run needs at once: its authors publish curves over the size, not a size.
var cacheSizes = []float64{1, 1.5, 2, 3, 4, 6, 8, 12, 16, 32, 64}

func faasCachePool(_ context.Context, w *endWorld, f []pool.Function) ([]candidate, error) {
	one := function.Bytes(0)
	for i, x := range f {
		one += x.Memory * function.Bytes(w.widths[i])
	}
	var out []candidate
	for _, size := range cacheSizes {
		memory := function.Bytes(size * float64(one))
		out = append(out, candidate{
			make: func() pool.Policy { return baseline.NewFaasCache(f) }, window: time.Minute, memory: memory,
			knob: fmt.Sprintf("%.2f GB, best of %d sizes in training", float64(memory)/1e9, len(cacheSizes)),
		})
	}
	return out, nil
}

func iceBreakerPool(_ context.Context, _ *endWorld, f []pool.Function) ([]candidate, error) {
	return []candidate{{
		make:   func() pool.Policy { return baseline.NewIceBreaker(len(f), 0.5) },
		window: time.Minute, lead: lead, knob: "as published: rounded to the nearest",
	}}, nil
}

func autoscalePool(_ context.Context, _ *endWorld, f []pool.Function) ([]candidate, error) {
	return []candidate{{
		make:   func() pool.Policy { return baseline.NewAutoscale(f, baseline.DefaultAutoscale) },
		window: baseline.AutoscaleTick, knob: "Knative's defaults: 1m, 70 %",
	}}, nil
}

// headrooms are the deviations above the mean that the paper's pool is tried
// with: z is a parameter of the paper without a value.
var headrooms = []float64{0, 0.5, 1, 1.5, 2, 3}

// learnPaper trains the paper's network on the containers that its own policy,
// still without it, saw used by all workflows in the training part.
func learnPaper(ctx context.Context, worlds []*endWorld, seed uint64) (forecast.Model, error) {
	var data []*forecast.History
	for _, w := range worlds {
		s, err := w.session(ctx, tuning{strategy: "blackbox"})
		if err != nil {
			return nil, err
		}
		truth := w.truly(s.configuration)
		p := w.newPaper(flow.Functions([]flow.Workflow{truth}), 0)
		if _, err := w.play(ctx, playback{
			workflow: truth, policy: p, window: time.Minute, lead: lead, from: w.all.From, counted: w.training(),
		}); err != nil {
			return nil, err
		}
		data = append(data, p.Histories()...)
	}
	budget := forecast.Budget{Continue: func() bool { return ctx.Err() == nil }}
	model, err := bnn.Learner{Windows: paperWindows}.Train(data, budget, stats.Stream(seed, "experiment/endtoend/train-paper"))
	if err != nil {
		return nil, fmt.Errorf("training the paper's network: %w", err)
	}
	return model, ctx.Err()
}

func (w *endWorld) newPaper(f []pool.Function, z float64) *baseline.AquatopePaper {
	return baseline.NewAquatopePaper(f, int64(w.trace.Start), instant(w.all.From), time.Minute, z)
}

// paperPool is the paper's, with its network.
func paperPool(_ context.Context, w *endWorld, f []pool.Function) ([]candidate, error) {
	model, err := w.network()
	if err != nil {
		return nil, err
	}
	var out []candidate
	for _, z := range headrooms {
		out = append(out, candidate{
			make: func() pool.Policy {
				p := w.newPaper(f, z)
				p.SetForecaster(model.New())
				return p
			},
			window: time.Minute, lead: lead, knob: fmt.Sprintf("%g deviations, best of %d in training", z, len(headrooms)),
		})
	}
	return out, nil
}
