package stats_test

import (
	"math"
	"testing"

	"github.com/aquatope/aquatope/stats"
)

func TestMoments(t *testing.T) {
	for name, c := range map[string]struct {
		x              []float64
		mean, sd, half float64
	}{
		"none": {nil, 0, 0, 0},
		"one":  {[]float64{3}, 3, 0, 0},
		"some": {[]float64{2, 4, 4, 4, 5, 5, 7, 9}, 5, math.Sqrt(32.0 / 7), 1.96 * math.Sqrt(32.0/7/8)},
	} {
		mean, sd := stats.Moments(c.x)
		if _, half := stats.MeanInterval(c.x); math.Abs(mean-c.mean) > 1e-12 || math.Abs(sd-c.sd) > 1e-12 || math.Abs(half-c.half) > 1e-12 {
			t.Errorf("%s: %v, %v and %v, want %v, %v and %v", name, mean, sd, half, c.mean, c.sd, c.half)
		}
	}
}
