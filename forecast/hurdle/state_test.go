package hurdle

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/aquatope/aquatope/forecast"
	"github.com/aquatope/aquatope/forecast/feature"
)

// However wrong the predicted quantiles are, and though a quantile between two
// of them is interpolated, the share of counts at or below it is its level.
func TestCoverageBetweenQuantiles(t *testing.T) {
	t.Parallel()
	for name, spread := range map[string]float64{"right": 1, "too narrow": 0.7, "too wide": 1.25} {
		r := rand.New(rand.NewPCG(1, 2))
		h := forecast.NewHistory("f", "", 0)
		s := state{tracker: feature.NewTracker()}
		location, scale := s.tracker.Scale() // stays, as the tracker is told nothing
		row := [1 + len(nominal)]float32{30} // always active
		for j, level := range nominal {
			row[1+j] = float32(2 - spread*math.Log(1-level)) // exponential, in logarithms: heavy above
		}
		const first, windows = 300, 6000
		covered := map[float64]float64{0.35: 0, 0.75: 0, 0.9: 0}
		for w := range int64(first + windows) {
			s.learn(h)
			d := s.predict(w, 0, row[:])
			count := math.Ceil(math.Expm1(location + scale*(2+r.ExpFloat64())))
			if w >= first {
				for level := range covered {
					covered[level] += forecast.Coverage(d, level, count) / windows
				}
			}
			if err := h.Observe(w, count); err != nil {
				t.Fatal(err)
			}
		}
		for level, got := range covered {
			// One percent is three deviations of so many counts at 0.9.
			if math.Abs(got-level) > 0.01 {
				t.Errorf("%s: the %v-quantile covers %.3f", name, level, got)
			}
		}
	}
}
