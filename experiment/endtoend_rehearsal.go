package experiment

import (
	"context"
	"fmt"
	"math"
	"slices"
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
			input := inputs[rng.IntN(len(inputs))]
			alike := same[input]
			w.comp.Fill(service, uniform, func(stage int) float64 {
				x := times[w.function(stage)]
				if len(x) == 0 {
					return 0
				}
				return x[d*beliefTimes+alike[rng.IntN(len(alike))]]
			}, rng)
			if w.comp.Of(input).Latency(service, uniform) > w.problem.Target.Seconds {
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
		functions[f].ColdStart = nanos(stats.Quantile(startQuantile, b.workflow.Functions[f].ColdStart))
		functions[f].IdleCost = 1 // all or none of what a run needs: it is late with the last
		functions[f].OnDemand = p.OnDemand[f] || notWorth(p.Price, functions[f])
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

// notWorth says that nothing is worth keeping that is worth less than it takes to
// start.
func notWorth(price float64, f pool.Function) bool { return price <= f.ColdStart.Seconds() }

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
	for from := counted.From + hourMinutes; from < counted.To; from += hourMinutes {
		if len(within(w.arrivals, trace.Span{From: from, To: counted.To})) < rehearsed {
			break
		}
		counted.From = from
	}
	return max(t.From, counted.From-2*hourMinutes), counted
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
