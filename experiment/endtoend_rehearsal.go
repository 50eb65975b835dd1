package experiment

import (
	"context"
	"math"

	"github.com/aquatope/aquatope/control"
	"github.com/aquatope/aquatope/forecast"
	"github.com/aquatope/aquatope/sim/rehearsal"
	"github.com/aquatope/aquatope/tuner"
)

// rehearsed is how many runs of the training part a plan is tried on at least,
// if there are so many: the last ones, in whole hours.
const rehearsed = 1500

// rehearse prepares to try plans on the training part.
func (w *endWorld) rehearse(ctx context.Context, o jointOptions, s session) (*joint, error) {
	known, err := w.foreseen()
	if err != nil {
		return nil, err
	}
	structured, ok := s.strategy.(*tuner.Structured)
	if !ok {
		structured = &tuner.Structured{} // predicts from the runs of another strategy
	}
	var f forecast.Forecaster = known
	switch {
	case o.blind:
		f = known.model.New()
	case o.certain:
		f = pointForecaster{known}
	}
	t := w.training()
	past := rehearsal.Past{Arrivals: w.arrivals, From: instant(t.From), Until: instant(t.To)}
	r, err := rehearsal.New(rehearsal.Workflow{
		Name: w.model.Name, QoS: w.model.QoS, Problem: s.problem, History: s.history, Structured: structured,
		ColdStarts: s.cold, Forecaster: f, Week: int64(w.trace.Start), Seed: w.seed,
	}, past.Latest(rehearsed))
	if err != nil {
		return nil, err
	}
	return &joint{Rehearsal: r, ctx: ctx, w: w, o: o, session: s}, nil
}

// joint is the project's system on a world, or what an ablation leaves of it.
type joint struct {
	*rehearsal.Rehearsal
	ctx     context.Context
	w       *endWorld
	o       jointOptions
	session session
	// configurations are those that were asked for last.
	configurations []tuner.Configuration
}

// predict implements control.Joint.
func (j *joint) predict(p control.JointPlan, share float64) (control.JointPrediction, error) {
	x, err := j.Rehearse(j.ctx, p, share)
	if err != nil {
		return control.JointPrediction{}, err
	}
	budget := j.budget()
	switch promised, mean := j.w.problem.Target.Seconds, x.Latency.Seconds(); {
	case j.o.certain:
		x.Deviation, x.Unrest = 0, 0
	case j.o.mean && mean > promised: // kept or not, by the mean of all
		x.Violations, x.Deviation, x.Unrest = max(1-promised/mean, budget+1e-9), 0, 0
	case j.o.mean:
		x.Violations, x.Deviation, x.Unrest = 0, 0, 0
	}
	return x.JointPrediction, nil
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
