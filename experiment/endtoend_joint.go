package experiment

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"gonum.org/v1/gonum/stat"

	"github.com/aquatope/aquatope/control"
	"github.com/aquatope/aquatope/forecast"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/pool"
	"github.com/aquatope/aquatope/sim/flow"
	"github.com/aquatope/aquatope/stats"
	"github.com/aquatope/aquatope/trace"
	"github.com/aquatope/aquatope/tuner"
)

// jointOptions leave parts out of the project's system, to see what each gives.
type jointOptions struct {
	certain     bool   // take what is expected for what will be, in service times and arrivals
	blind       bool   // forecast each function by itself
	noLookAhead bool   // the start of a run starts nothing else
	apart       bool   // half of the error budget for cold starts, half for executions
	mean        bool   // promise the mean
	strategy    string // instead of structured
}

// What the project's system is run with.
const (
	// thrift is what it spends beyond the least to break the promise less often.
	thrift = 0.03
	// jointCaution is how many standard deviations of what is not known yet are
	// kept between the violations expected and the error budget.
	jointCaution = 1.5
	// beliefDraws worlds of the posterior, with beliefTimes service times of each
	// function.
	beliefDraws = 16
	beliefTimes = 128
	// rehearsed is how many runs of the training part a plan is tried on.
	rehearsed = 1500
)

// jointPrices of a cold start are in seconds of idle instances.
var jointPrices = []float64{0.005, 0.02, 0.1, 0.5, 2, 10, 30, 60, 120, 240, 480, 1000, 2500, 10_000}

// tightness are the targets that configurations are made for, as percentiles of
// the latency and shares of what was promised: from one that spends more than
// the whole error budget on slow executions to one that leaves room for starts.
var tightness = []struct{ percentile, share float64 }{
	{90, 1}, {95, 1}, {97.5, 1}, {99, 1}, {99.5, 1}, {99.5, 0.9}, {99.5, 0.8}, {99.5, 0.65}, {99.5, 0.5},
}

// jointly is the project's system: what was learnt in the training part decides
// over resources and pool together.
func jointly(o jointOptions) func(context.Context, *endWorld) (EndToEndResult, error) {
	if o.strategy == "" {
		o.strategy = "structured"
	}
	return func(ctx context.Context, w *endWorld) (EndToEndResult, error) {
		s, err := w.session(ctx, o.strategy, o.mean)
		if err != nil {
			return EndToEndResult{}, err
		}
		known, err := w.foreseen()
		if err != nil {
			return EndToEndResult{}, err
		}
		r := &rehearsal{ctx: ctx, w: w, o: o, session: s, known: known, beliefs: map[string]*belief{}}
		d, err := r.decide()
		if err != nil {
			return EndToEndResult{}, err
		}
		b, err := r.believe(d.Configuration)
		if err != nil {
			return EndToEndResult{}, err
		}
		policy, err := r.policy(b, d.JointPlan)
		if err != nil {
			return EndToEndResult{}, err
		}
		m, err := w.play(ctx, playback{
			workflow: w.truly(d.Configuration), policy: policy, window: time.Minute, lead: lead, from: w.all.From, counted: w.judged,
		})
		if err != nil {
			return EndToEndResult{}, err
		}
		s.configuration = d.Configuration
		out := w.result(m, s)
		out.Decision = r.describe(d)
		return out, nil
	}
}

// rehearsal predicts what plans would do: the training part's arrivals on a
// workflow that behaves as the tuner believes.
type rehearsal struct {
	ctx     context.Context
	w       *endWorld
	o       jointOptions
	session session
	known   *foreseen
	beliefs map[string]*belief
}

// belief is what is believed of a configuration.
type belief struct {
	workflow  flow.Workflow
	deviation float64   // of the share of slow runs, over draws of the posterior
	service   []float64 // mean service times
}

func (r *rehearsal) structured() *tuner.Structured {
	if s, ok := r.session.strategy.(*tuner.Structured); ok {
		return s
	}
	return &tuner.Structured{} // predicts from the runs of another strategy
}

func (r *rehearsal) decide() (control.JointDecision, error) {
	w := r.w
	j := control.Joint{
		Budget: 1 - w.model.QoS.Percentile/100, Thrift: thrift, Caution: jointCaution, Functions: len(w.tables), Prices: jointPrices,
		Configure: r.configure, Predict: r.predict,
	}
	if r.o.certain {
		j.Caution = 0
	}
	if r.o.apart {
		return r.decideApart(j)
	}
	return j.Solve()
}

// decideApart splits the error budget beforehand: the tuner keeps a tighter
// percentile, and the pool has the price at which cold starts take the rest.
func (r *rehearsal) decideApart(j control.Joint) (control.JointDecision, error) {
	half := 100 - 100*j.Budget/2
	c, err := r.recommend(half, 1, nil)
	if err != nil {
		return control.JointDecision{}, err
	}
	d := control.JointDecision{JointPlan: control.JointPlan{Configuration: c, OnDemand: make([]bool, j.Functions)}}
	for _, d.Price = range j.Prices {
		x, cold, err := r.rehearse(d.JointPlan)
		if err != nil {
			return d, err
		}
		d.JointPrediction = x
		if d.Feasible = cold <= j.Budget/2; d.Feasible {
			break
		}
	}
	return d, nil
}

// configure implements control.Joint.
func (r *rehearsal) configure(standing []float64) ([]tuner.Configuration, error) {
	if r.o.strategy != "structured" {
		return []tuner.Configuration{r.session.configuration}, nil
	}
	var out []tuner.Configuration
	for _, t := range tightness {
		if r.o.mean {
			t.percentile = 0
		}
		c, err := r.recommend(t.percentile, t.share, standing)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(out, func(x tuner.Configuration) bool { return slices.Equal(x, c) }) {
			out = append(out, c)
		}
	}
	return out, nil
}

func (r *rehearsal) recommend(percentile, share float64, standing []float64) (tuner.Configuration, error) {
	p := *r.session.problem
	p.Standing = standing
	p.Target = tuner.Target{Seconds: r.w.problem.Target.Seconds * share, Percentile: percentile}
	res, err := r.structured().Recommend(&p, r.session.history, stats.Stream(r.w.seed, "experiment/endtoend/joint"))
	if err != nil {
		return nil, fmt.Errorf("choosing resources: %w", err)
	}
	return res.Configuration, nil
}

// believe returns what is believed of a configuration.
func (r *rehearsal) believe(c tuner.Configuration) (*belief, error) {
	key := fmt.Sprint(c)
	if b, ok := r.beliefs[key]; ok {
		return b, nil
	}
	w := r.w
	times, inputs, err := r.structured().ServiceTimes(r.session.problem, r.session.history, c, beliefDraws, beliefTimes, stats.Stream(w.seed, "experiment/endtoend/belief"))
	if err != nil {
		return nil, fmt.Errorf("predicting service times: %w", err)
	}
	b := &belief{workflow: flow.Workflow{Name: w.model.Name, QoS: w.model.QoS, Graph: w.model.Graph, Inputs: w.problem.Inputs}}
	b.deviation = w.spread(times, inputs)
	for f, t := range w.tables {
		x := times[f]
		if len(x) == 0 {
			x = []float64{1e-6} // no run ever reached it
		}
		b.service = append(b.service, stat.Mean(x, nil))
		byInput := make([][]float64, len(w.problem.Inputs)+1) // the first for any
		for i, v := range x {
			byInput[0] = append(byInput[0], v)
			if in := inputs[i%len(inputs)]; in >= 0 {
				byInput[in+1] = append(byInput[in+1], v)
			}
		}
		for i, list := range byInput {
			if len(list) == 0 {
				byInput[i] = byInput[0]
			}
			slices.Sort(byInput[i])
		}
		b.workflow.Functions = append(b.workflow.Functions, flow.Function{
			Name: t.Name, Resources: c[f], ColdStart: slices.Sorted(slices.Values(r.session.cold[f])),
			Service: func(input int, _ function.Resources) func(float64) float64 {
				return func(u float64) float64 { return stats.Quantile(u, byInput[input+1]) }
			},
		})
	}
	r.beliefs[key] = b
	return b, nil
}

// spread is the standard deviation, over draws of the posterior, of the share of
// runs that would take longer than promised.
func (w *endWorld) spread(times [][]float64, inputs []int) float64 {
	const runs = 300
	rng := stats.Stream(w.seed, "experiment/endtoend/spread")
	same := map[int][]int{} // runs with the same input
	for i, in := range inputs {
		same[in] = append(same[in], i)
	}
	service, uniform := make([]float64, len(w.comp.Slots())), make([]float64, w.comp.Uniforms())
	var shares []float64
	for d := range beliefDraws {
		slow := 0.0
		for range runs {
			alike := same[inputs[rng.IntN(len(inputs))]]
			w.comp.Fill(service, uniform, func(stage int) float64 {
				x := times[w.function(stage)]
				if len(x) == 0 {
					return 0
				}
				return x[d*beliefTimes+alike[rng.IntN(len(alike))]]
			}, rng)
			if w.comp.Latency(service, uniform) > w.problem.Target.Seconds {
				slow++
			}
		}
		shares = append(shares, slow/runs)
	}
	sd := stat.StdDev(shares, nil)
	p := stat.Mean(shares, nil)
	return math.Sqrt(math.Max(0, sd*sd-p*(1-p)/runs)) // without what is due to counting
}

// policy makes the pool policy of a plan.
func (r *rehearsal) policy(b *belief, p control.JointPlan) (pool.Policy, error) {
	w := r.w
	one := []flow.Workflow{b.workflow}
	functions := flow.Functions(one)
	for f := range functions {
		functions[f].ColdStart = nanos(stats.Quantile(0.9, b.workflow.Functions[f].ColdStart))
		functions[f].IdleCost = 1 // all or none of what a run needs: it is late with the last
		functions[f].OnDemand = p.OnDemand[f]
	}
	var successors map[int][]pool.Successor
	if !r.o.noLookAhead {
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
	var known forecast.Forecaster = r.known
	switch {
	case r.o.blind:
		known = r.known.model.New()
	case r.o.certain:
		known = pointForecaster{r.known}
	}
	return pool.NewAquatope(functions, known, pool.Config{
		Price: p.Price, Hurry: true, Week: int64(w.trace.Start), From: instant(w.all.From), Successors: successors,
	}), nil
}

// predict implements control.Joint.
func (r *rehearsal) predict(p control.JointPlan) (control.JointPrediction, error) {
	x, _, err := r.rehearse(p)
	return x, err
}

// rehearse returns what a plan would do, and the share of runs that would meet a
// cold start.
func (r *rehearsal) rehearse(p control.JointPlan) (control.JointPrediction, float64, error) {
	w := r.w
	b, err := r.believe(p.Configuration)
	if err != nil {
		return control.JointPrediction{}, 0, err
	}
	policy, err := r.policy(b, p)
	if err != nil {
		return control.JointPrediction{}, 0, err
	}
	from, counted := w.rehearsed()
	var sum float64
	m, err := w.play(r.ctx, playback{
		workflow: b.workflow, policy: policy, window: time.Minute, lead: lead, from: from, counted: counted,
		onRun: func(run flow.Run) { sum += run.Latency.Seconds() },
	})
	if err != nil {
		return control.JointPrediction{}, 0, err
	}
	runs := float64(max(1, m.Runs))
	x := control.JointPrediction{
		Violations: m.ViolationRate(), Deviation: b.deviation, Cost: m.Cost() / runs, Standing: m.standing(b.service),
	}
	switch {
	case r.o.certain:
		x.Deviation = 0
	case r.o.mean: // kept or not, by the mean of all
		all := float64(len(within(w.arrivals, trace.Span{From: from, To: counted.To})))
		x.Violations, x.Deviation = 0, 0
		if mean := sum / max(1, all); mean > w.problem.Target.Seconds {
			x.Violations = 1 - w.problem.Target.Seconds/mean
			x.Violations = max(x.Violations, 1-w.model.QoS.Percentile/100+1e-9)
		}
	}
	return x, float64(m.ColdRuns) / runs, nil
}

// rehearsed are the minutes of the training part that plans are tried on: from
// the first of these on arrivals come, those of the others count.
func (w *endWorld) rehearsed() (from int, counted trace.Span) {
	t := w.training()
	counted = trace.Span{From: t.From + t.Len()/6, To: t.To}
	if x := within(w.arrivals, counted); len(x) > rehearsed {
		counted.From = int(x[len(x)-rehearsed].At/time.Minute) + 1
	}
	return max(t.From, counted.From-2*hourMinutes), counted
}

func (r *rehearsal) describe(d control.JointDecision) string {
	var parts []string
	for f, on := range d.OnDemand {
		if on {
			parts = append(parts, r.w.tables[f].Name)
		}
	}
	kept := "none on demand"
	if len(parts) > 0 {
		kept = "on demand: " + strings.Join(parts, ", ")
	}
	return fmt.Sprintf("a cold start is worth %g s of idle instances; %s; expected %.2f %% violations (sd %.2f) at %.3g a run", d.Price, kept, 100*d.Violations, 100*d.Deviation, d.Cost)
}

// pointForecaster takes the mean of a forecast for what will come.
type pointForecaster struct{ forecast.Forecaster }

// Forecast implements forecast.Forecaster.
func (p pointForecaster) Forecast(histories []*forecast.History, h int) [][]forecast.Distribution {
	out := p.Forecaster.Forecast(histories, h)
	for i := range out {
		for k, d := range out[i] {
			out[i][k] = forecast.NewEmpirical([]float64{math.Round(d.Mean())})
		}
	}
	return out
}
