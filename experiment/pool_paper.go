package experiment

import (
	"context"
	"fmt"
	"time"

	"github.com/aquatope/aquatope/forecast"
	"github.com/aquatope/aquatope/forecast/bnn"
	"github.com/aquatope/aquatope/pool/baseline"
	"github.com/aquatope/aquatope/stats"
)

// deviations are the values of the paper's knob.
var deviations = []float64{-1, -0.5, 0, 0.5, 1, 1.5, 2, 3}

// paperWindows is how many windows the paper's network learns from in each of
// its 128 epochs: what fits into a comparison of ten minutes.
const paperWindows = 2000

// startPaper makes the policy of the Aquatope paper for each z. The network is
// trained on the containers that the policy itself saw used while warming up,
// which are the same for every z.
func startPaper(ctx context.Context, w *world) ([]entry, error) {
	l := &paperLearner{ctx: ctx, world: w}
	var out []entry
	for _, z := range deviations {
		p := baseline.NewAquatopePaper(w.functions, int64(w.trace.Start), instant(w.trace.Covered.From), time.Minute, z)
		out = append(out, entry{policy: p, trained: func() (time.Duration, error) {
			f, err := l.learn(p.Histories())
			if err != nil {
				return 0, err
			}
			p.SetForecaster(f)
			return l.took, nil
		}})
	}
	return out, nil
}

// paperLearner trains once for all values of the knob.
type paperLearner struct {
	ctx    context.Context
	world  *world
	common *shared
	took   time.Duration
}

func (l *paperLearner) learn(histories []*forecast.History) (forecast.Forecaster, error) {
	if l.common != nil {
		return l.common, nil
	}
	begin := time.Now()
	budget := forecast.Budget{Continue: func() bool { return l.ctx.Err() == nil }}
	model, err := bnn.Learner{Windows: paperWindows}.Train(histories, budget, stats.Stream(l.world.seed, "experiment/train-paper"))
	if err != nil {
		return nil, err
	}
	if err := l.ctx.Err(); err != nil {
		return nil, fmt.Errorf("training: %w", err)
	}
	l.took = time.Since(begin)
	l.common = &shared{Forecaster: model.New()}
	return l.common, nil
}
