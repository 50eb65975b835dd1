package experiment

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/aquatope/aquatope/control"
	"github.com/aquatope/aquatope/pool"
	"github.com/aquatope/aquatope/pool/baseline"
	"github.com/aquatope/aquatope/sim/flow"
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
	o := &oracleSearch{ctx: ctx, w: w, truth: w.truth(truthRuns/4, 1)}
	known, err := w.foreseen()
	if err != nil {
		return EndToEndResult{}, err
	}
	o.known = known
	d, err := control.Joint{
		Budget: 1 - w.model.QoS.Percentile/100, Functions: len(w.tables), Prices: append([]float64{0.005, 5, 40, 320, 2560}, foresight),
		Configure: o.configure, Predict: o.predict,
	}.Solve()
	if err != nil {
		return EndToEndResult{}, err
	}
	m, err := o.attempt(d.JointPlan)
	if err != nil {
		return EndToEndResult{}, err
	}
	r := w.result(m, session{configuration: d.Configuration})
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

func (o *oracleSearch) configure(standing []float64) ([]tuner.Configuration, error) {
	var out []tuner.Configuration
	for _, target := range oracleTargets {
		for _, share := range []float64{1, 0.8} {
			if share < 1 && target != 97 {
				continue
			}
			p := *o.w.problem
			p.Standing, p.Target.Percentile = standing, target
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
	if len(out) == 0 {
		return nil, fmt.Errorf("no configuration keeps the promise of %s: raise latencyMillis", o.w.problem.Target)
	}
	return out, nil
}

func (o *oracleSearch) predict(p control.JointPlan) (control.JointPrediction, error) {
	m, err := o.attempt(p)
	if err != nil {
		return control.JointPrediction{}, err
	}
	var service []float64
	for f, c := range p.Configuration {
		service = append(service, o.w.mean(f, c))
	}
	return control.JointPrediction{Violations: m.ViolationRate(), Cost: m.Cost() / float64(max(1, m.Runs)), Standing: m.standing(service)}, nil
}

// attempt judges a plan on what is judged.
func (o *oracleSearch) attempt(p control.JointPlan) (*measured, error) {
	w := o.w
	truth := w.truly(p.Configuration)
	r := playback{workflow: truth, window: time.Minute, lead: lead, from: w.all.From, counted: w.judged}
	one := []flow.Workflow{truth}
	functions := flow.Functions(one)
	for f := range functions {
		functions[f].ColdStart = nanos(stats.Quantile(startQuantile, truth.Functions[f].ColdStart))
		functions[f].IdleCost, functions[f].OnDemand = 1, p.OnDemand[f] || notWorth(p.Price, functions[f])
	}
	if p.Price == foresight {
		r.from = w.judged.From // it needs no past
		r.window, r.lead = oracleStep, 0
		r.policy = baseline.NewOracleEvery(oracleStep, functions, w.future(truth), math.MaxFloat64)
		return w.play(o.ctx, r)
	}
	successors, err := flow.Successors(one, w.seed)
	if err != nil {
		return nil, err
	}
	for _, list := range successors {
		for i := range list {
			list[i].Instances = w.widths[list[i].Function]
		}
	}
	r.policy = pool.NewAquatope(functions, o.known, pool.Config{
		Price: p.Price, Hurry: true, Week: int64(w.trace.Start), From: instant(w.all.From), Successors: successors,
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
