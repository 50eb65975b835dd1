package experiment

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/aquatope/aquatope/forecast"
	"github.com/aquatope/aquatope/forecast/prior"
	"github.com/aquatope/aquatope/pool"
	"github.com/aquatope/aquatope/stats"
)

// prices are the values of the knob of the project's own policy.
var prices = []float64{2, 4, 8, 15, 25, 40, 60, 90, 140, 220, 350, 600, 1200, 3000, 10000}

// startAquatope makes a policy for each price. They share one forecaster, which
// is trained on the arrivals of the warm-up, its forecasts, and the histories of
// arrivals: none depends on the price, and the policies run in step.
func startAquatope(ctx context.Context, w *world) ([]entry, error) {
	l := &learner{ctx: ctx, model: prior.Learner(), random: stats.Stream(w.seed, "experiment/train")}
	var out []entry
	histories := make(map[string]*forecast.History, len(w.functions))
	for _, v := range prices {
		p := pool.NewAquatope(nil, nil, pool.Config{Price: v, Week: int64(w.trace.Start), From: instant(w.trace.Covered.From)})
		p.SetFunctions(w.functions, histories)
		p.SetSuccessors(w.successors, nil)
		for _, h := range p.Histories() {
			histories[h.Function] = h
		}
		out = append(out, entry{policy: p, trained: l.train(p)})
	}
	return out, nil
}

// learner trains once for all values of a knob.
type learner struct {
	ctx    context.Context
	model  forecast.Learner
	random *rand.Rand
	common *shared
	took   time.Duration
}

// student is a policy that is given a forecaster trained on what it saw.
type student interface {
	Histories() []*forecast.History
	SetForecaster(forecast.Forecaster)
}

// train returns what entry.trained does for a policy.
func (l *learner) train(s student) func() (time.Duration, error) {
	return func() (time.Duration, error) {
		if l.common == nil {
			begin := time.Now()
			budget := forecast.Budget{Continue: func() bool { return l.ctx.Err() == nil }}
			m, err := l.model.Train(s.Histories(), budget, l.random)
			if err == nil {
				err = l.ctx.Err()
			}
			if err != nil {
				return 0, fmt.Errorf("training: %w", err)
			}
			l.took = time.Since(begin)
			l.common = &shared{Forecaster: m.New()}
		}
		s.SetForecaster(l.common)
		return l.took, nil
	}
}

// shared lets several policies that see the same arrivals ask one forecaster.
type shared struct {
	forecast.Forecaster
	next int64
	of   map[string][]forecast.Distribution // of the window next, by function
}

// Forecast asks the forecaster once for each function and window.
func (s *shared) Forecast(histories []*forecast.History, h int) [][]forecast.Distribution {
	out := make([][]forecast.Distribution, len(histories))
	if len(histories) == 0 {
		return out
	}
	if s.of == nil || histories[0].Next() != s.next {
		s.next, s.of = histories[0].Next(), make(map[string][]forecast.Distribution, len(histories))
	}
	var missing []*forecast.History
	for _, x := range histories {
		if _, ok := s.of[x.Function]; !ok {
			missing = append(missing, x)
		}
	}
	if len(missing) > 0 {
		for i, d := range s.Forecaster.Forecast(missing, h) {
			s.of[missing[i].Function] = d
		}
	}
	for i, x := range histories {
		out[i] = s.of[x.Function]
	}
	return out
}
