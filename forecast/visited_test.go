package forecast_test

import (
	"math"
	"testing"

	"github.com/aquatope/aquatope/forecast"
)

func TestVisited(t *testing.T) {
	t.Parallel()
	few := forecast.NewEmpirical([]float64{0, 2, 4})
	many := forecast.NewEmpirical([]float64{0, 2000, 4000})
	for name, c := range map[string]struct {
		runs        forecast.Distribution
		ratio, mean float64
	}{
		"every run once":       {few, 1, 2},
		"a loop":               {few, 8, 16},
		"one run in four":      {few, 0.25, 0.5},
		"one of many in four":  {many, 0.25, 500},
		"never":                {few, 0, 0},
		"a loop in some":       {few, 1.5, 3},
		"no runs":              {forecast.NewEmpirical(nil), 3, 0},
		"a way of no runs":     {forecast.NewEmpirical(nil), 0.3, 0},
		"nearly every run":     {few, 0.999, 2},
		"more than is allowed": {forecast.NewEmpirical([]float64{forecast.MaxDemand}), 1e6, forecast.MaxDemand},
	} {
		d := forecast.Visited(c.runs, c.ratio)
		if got := d.Mean(); math.Abs(got-c.mean) > 0.03*(1+c.mean) {
			t.Errorf("%s: mean %v, want %v", name, got, c.mean)
		}
		for p := 0.05; p < 1; p += 0.1 { // quantiles invert the distribution function
			if q := d.Quantile(p); d.CDF(q) < p-1e-9 || q >= 1 && d.CDF(q-1) >= p+1e-9 {
				t.Errorf("%s: the %v-quantile is %v, where the distribution is at %v, %v below", name, p, q, d.CDF(q), d.CDF(q-1))
			}
		}
	}
	// 1 - P(none): each of 0, 2 or 4 runs comes there with a quarter.
	want := 1 - (1+math.Pow(0.75, 2)+math.Pow(0.75, 4))/3
	if got := 1 - forecast.Visited(few, 0.25).CDF(0); math.Abs(got-want) > 0.03 {
		t.Errorf("reached at all with %v, want %v", got, want)
	}
}
