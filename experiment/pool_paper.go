package experiment

import (
	"context"
	"time"

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
	l := &learner{ctx: ctx, model: bnn.Learner{Windows: paperWindows}, random: stats.Stream(w.seed, "experiment/train-paper")}
	var out []entry
	for _, z := range deviations {
		p := baseline.NewAquatopePaper(w.functions, int64(w.trace.Start), instant(w.trace.Covered.From), time.Minute, z)
		out = append(out, entry{policy: p, trained: l.train(p)})
	}
	return out, nil
}
