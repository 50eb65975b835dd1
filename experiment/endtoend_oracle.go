package experiment

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/stat"

	"github.com/aquatope/aquatope/control"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/pool"
	"github.com/aquatope/aquatope/pool/baseline"
	"github.com/aquatope/aquatope/sim/flow"
	"github.com/aquatope/aquatope/sim/rehearsal"
	"github.com/aquatope/aquatope/stats"
	"github.com/aquatope/aquatope/trace"
	"github.com/aquatope/aquatope/tuner"
	sizing "github.com/aquatope/aquatope/tuner/baseline"
)

// foresight as a price stands for a pool that knows when instances will be
// needed, instead of one that weighs the chance.
var foresight = math.Inf(1)

// oracleStep is how often the oracle decides over instances.
const oracleStep = 100 * time.Millisecond

// oracleTargets are the percentiles that the oracle's configurations keep.
var oracleTargets = []float64{94, 95, 95.5, 96, 97, 99}

// oracle knows the profile and the judged arrivals, and searches what the
// project's own system searches with both: it takes the cheapest of what would
// have kept the promise. Besides keeping instances by forecast and on demand, it
// may have each started just before it will be needed.
func oracle(ctx context.Context, w *endWorld) (EndToEndResult, error) {
	o, err := newOracleSearch(ctx, w)
	if err != nil {
		return EndToEndResult{}, err
	}
	best, err := w.hindsight(ctx)
	if err != nil {
		return EndToEndResult{}, err
	}
	var started control.JointDecision // the best of those that start instances in time
	for range 2 {
		all, err := o.configure(started.Serving)
		if err != nil {
			return EndToEndResult{}, err
		}
		for _, c := range all {
			d := control.JointDecision{JointPlan: control.JointPlan{Configuration: c, Price: foresight, OnDemand: make([]bool, len(c))}}
			if d.JointPrediction, err = o.predict(d.JointPlan, 1); err != nil {
				return EndToEndResult{}, err
			}
			d.Feasible = d.Violations <= w.model.QoS.ErrorBudget()
			if started.Configuration == nil || d.Feasible && (!started.Feasible || d.Cost < started.Cost) {
				started = d
			}
		}
	}
	if started.Feasible && (!best.Feasible || started.Cost < best.Cost) {
		best = started
	}
	return o.result(best)
}

// hindsight knows the profile, and of the judged part which plan would have been
// the cheapest that keeps the promise: the same plans that the project's system
// chooses from, under the same forecasts. It does not know when runs will come.
// So what the oracle costs less is what knowing that is worth, and what the
// project's system costs more is what it could still win by deciding better.
func hindsight(ctx context.Context, w *endWorld) (EndToEndResult, error) {
	o, err := newOracleSearch(ctx, w)
	if err != nil {
		return EndToEndResult{}, err
	}
	d, err := w.hindsight(ctx)
	if err != nil {
		return EndToEndResult{}, err
	}
	return o.result(d)
}

func newOracleSearch(ctx context.Context, w *endWorld) (*oracleSearch, error) {
	known, err := w.foreseen()
	if err != nil {
		return nil, err
	}
	return &oracleSearch{ctx: ctx, w: w, truth: w.truth(truthRuns/4, 1), known: known}, nil
}

// solve finds the best plan in hindsight.
func (o *oracleSearch) solve() (control.JointDecision, error) {
	var starts []float64
	for _, t := range o.w.tables {
		starts = append(starts, stats.Quantile(startQuantile, t.ColdStart))
	}
	return control.Joint{
		Budget: o.w.model.QoS.ErrorBudget(), ColdStarts: starts, Prices: rehearsal.Prices, Configure: o.configure, Predict: o.predict,
	}.Solve()
}

func (o *oracleSearch) result(d control.JointDecision) (EndToEndResult, error) {
	m, err := o.attempt(d.JointPlan, 1, nil)
	if err != nil {
		return EndToEndResult{}, err
	}
	r := o.w.result(m, session{configuration: d.Configuration})
	r.Decision = "instances started just before they are needed"
	if d.Price != foresight {
		r.Decision = fmt.Sprintf("a cold start is worth %g s of idle instances; on demand: %v", d.Price, d.OnDemand)
	}
	return r, nil
}

type oracleSearch struct {
	ctx   context.Context
	w     *endWorld
	truth *truth
	known *foreseen
}

func (o *oracleSearch) configure(serving tuner.Serving) ([]tuner.Configuration, error) {
	var out []tuner.Configuration
	for _, target := range oracleTargets {
		for _, share := range []float64{1, 0.8} {
			if share < 1 && target != 97 {
				continue
			}
			p := *o.w.problem
			p.Serving, p.Target.Percentile = serving, target
			p.Target.Seconds *= share
			t := o.truth.known()
			t.Problem = &p
			c, _, _, ok, err := sizing.Oracle(t)
			if err != nil {
				return nil, err
			}
			if ok && !slices.ContainsFunc(out, func(x tuner.Configuration) bool { return slices.Equal(x, c) }) {
				out = append(out, c)
			}
		}
	}
	if len(out) == 0 && len(serving.Waiting) > 0 { // the pool has to keep more, not the functions to hurry
		serving.Waiting = nil
		return o.configure(serving)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no configuration keeps the promise of %s: raise latencyMillis", o.w.problem.Target)
	}
	return append(out, o.startingSooner(out[0], out[len(out)-1])...), nil
}

// startingSooner returns configurations with more CPU than service asks for, as
// functions start sooner with it: the tightest with more for all, the cheapest with
// more for the one that is slowest to start.
func (o *oracleSearch) startingSooner(cheapest, tightest tuner.Configuration) []tuner.Configuration {
	out := []tuner.Configuration{rehearsal.Scaled(o.w.problem, tightest, 1.4), rehearsal.Scaled(o.w.problem, tightest, 2)}
	slowest, most := 0, 0.0
	for f, t := range o.w.tables {
		if s := stats.Quantile(startQuantile, t.ColdStarts(cheapest[f])); s > most {
			slowest, most = f, s
		}
	}
	for _, by := range []float64{2, 4, 8} {
		c := slices.Clone(cheapest)
		c[slowest] = rehearsal.Scaled(o.w.problem, cheapest, by)[slowest]
		out = append(out, c)
	}
	return out
}

func (o *oracleSearch) predict(p control.JointPlan, share float64) (control.JointPrediction, error) {
	served := rehearsal.Watch{From: instant(o.span(share).From)}
	m, err := o.attempt(p, share, served.Stage)
	if err != nil {
		return control.JointPrediction{}, err
	}
	var service []float64
	for f, c := range p.Configuration {
		service = append(service, o.w.mean(f, c))
	}
	return control.JointPrediction{Violations: m.ViolationRate(), Cost: m.Cost() / float64(max(1, m.Runs)), Serving: served.Serving(&m.WorkflowResult, service, func(f int, r function.Resources) float64 {
		return o.started(f, r) / o.started(f, p.Configuration[f])
	})}, nil
}

// started is how long a function takes to start, on average.
func (o *oracleSearch) started(f int, r function.Resources) float64 {
	return math.Max(stat.Mean(o.w.tables[f].ColdStarts(r), nil), 1e-9)
}

// span is the last share of what is judged.
func (o *oracleSearch) span(share float64) trace.Span {
	out := o.w.judged
	if share < 1 {
		out.From = out.To - max(hourMinutes, int(share*float64(out.Len())))
	}
	return out
}

// attempt judges a plan on the last share of what is judged.
func (o *oracleSearch) attempt(p control.JointPlan, share float64, onStage func(flow.Stage)) (*measured, error) {
	w := o.w
	truth := w.truly(p.Configuration)
	r := playback{workflow: truth, window: time.Minute, lead: lead, from: w.all.From, counted: o.span(share), onStage: onStage}
	if share < 1 {
		r.from = r.counted.From - hourMinutes
	}
	one := []flow.Workflow{truth}
	var cold [][]float64
	for f := range truth.Functions {
		cold = append(cold, truth.Functions[f].ColdStarts())
	}
	functions := rehearsal.Priced(p, flow.Functions(one), cold)
	if p.Price == foresight {
		r.from = r.counted.From // it needs no past
		r.window, r.lead = oracleStep, 0
		r.policy = baseline.NewOracleEvery(oracleStep, functions, w.future(truth), math.MaxFloat64)
		return w.play(o.ctx, r)
	}
	var successors map[int][]pool.Successor
	if !p.Alone {
		var err error
		if successors, err = flow.Successors(one, w.seed); err != nil {
			return nil, err
		}
		for _, list := range successors {
			for i := range list {
				list[i].Instances = w.widths[list[i].Function]
			}
		}
	}
	r.policy = pool.NewAquatope(functions, o.known, pool.Config{
		Hurry: true, Week: int64(w.trace.Start), From: instant(w.all.From), Successors: successors,
	})
	return w.play(o.ctx, r)
}

// instanceNeeds are the instances of each function that serve at once in each
// step, if no invocation ever waits.
type instanceNeeds struct {
	first int64 // step
	rows  [][]int32
	none  []int32
}

// Peaks implements baseline.Future.
func (n *instanceNeeds) Peaks(at time.Duration) []int32 {
	if i := int64(at/oracleStep) - n.first; i >= 0 && i < int64(len(n.rows)) {
		return n.rows[i]
	}
	return n.none
}

// future runs the judged arrivals on a workflow that starts at once.
func (w *endWorld) future(truth flow.Workflow) *instanceNeeds {
	truth.Functions = slices.Clone(truth.Functions)
	for f := range truth.Functions {
		truth.Functions[f].ColdStart = nil
	}
	seen := &instanceNeeds{first: int64(instant(w.judged.From) / oracleStep), none: make([]int32, len(truth.Functions))}
	s := flow.New([]flow.Workflow{truth}, needsPolicy{needs: seen}, flow.Config{
		Window: oracleStep, From: instant(w.judged.From), Until: instant(w.judged.To), Price: w.problem.Price, Seed: w.seed,
	})
	s.Feed(within(w.arrivals, trace.Span{From: w.judged.From, To: w.judged.To}))
	s.Finish()
	return seen
}

// needsPolicy keeps everything and notes what is used.
type needsPolicy struct {
	pool.Reactor
	needs *instanceNeeds
}

func (needsPolicy) Name() string { return "future" }

func (needsPolicy) Idle(pool.Event) (pool.Retention, bool) {
	return pool.Retention{KeepAlive: pool.Forever}, true
}

func (p needsPolicy) Plan(s *pool.Snapshot) pool.Plan {
	step := int64((s.Now-s.Window)/oracleStep) - p.needs.first
	if step < 0 {
		return nil
	}
	row := make([]int32, len(s.States))
	for i := range s.States {
		row[i] = int32(s.States[i].Peak)
	}
	for int64(len(p.needs.rows)) < step {
		p.needs.rows = append(p.needs.rows, p.needs.none)
	}
	p.needs.rows = append(p.needs.rows, row)
	return nil
}
