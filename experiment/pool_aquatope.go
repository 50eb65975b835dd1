package experiment

import (
	"context"
	"fmt"
	"time"

	"github.com/aquatope/aquatope/forecast"
	"github.com/aquatope/aquatope/forecast/hurdle"
	"github.com/aquatope/aquatope/pool"
	"github.com/aquatope/aquatope/stats"
	"github.com/aquatope/aquatope/trace"
)

// prices are the values of the knob of the project's own policy.
var prices = []float64{2, 4, 8, 15, 25, 40, 60, 90, 140, 220, 350, 600, 1200, 3000, 10000}

// startAquatope trains on what lies before the judged part and makes a policy
// for each price. They share the forecasts, which do not depend on the price.
func startAquatope(ctx context.Context, w *world) ([]entry, error) {
	begin := time.Now()
	histories := make([]*forecast.History, len(w.trace.Functions))
	learn := trace.Span{From: w.trace.Covered.From, To: w.Judged.From}
	for i := range histories {
		histories[i] = forecast.FromTrace(w.trace, &w.trace.Functions[i], learn)
	}
	budget := forecast.Budget{Continue: func() bool { return ctx.Err() == nil }}
	model, err := hurdle.Learner{}.Train(histories, budget, stats.Stream(w.seed, "experiment/train"))
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("training: %w", err)
	}
	train := time.Since(begin)
	common := &shared{Forecaster: model.New()}
	var out []entry
	for _, v := range prices {
		p := pool.NewAquatope(w.functions, nil, pool.Config{Price: v, Week: int64(w.trace.Start), From: instant(w.trace.Covered.From)})
		out = append(out, entry{policy: p, trained: func() (time.Duration, error) {
			p.SetForecaster(common)
			return train, nil
		}})
	}
	return out, nil
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
