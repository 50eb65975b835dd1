package forecast_test

import (
	"math"
	"testing"

	"github.com/aquatope/aquatope/forecast"
)

// counting forecasts a fixed sample for everything and counts what it was asked.
type counting struct {
	d     forecast.Distribution
	asked *int
}

func (c counting) Forecast(h []*forecast.History, n int) [][]forecast.Distribution {
	out := make([][]forecast.Distribution, len(h))
	for i := range out {
		*c.asked++
		for range n {
			out[i] = append(out[i], c.d)
		}
	}
	return out
}

func TestAlong(t *testing.T) {
	t.Parallel()
	asked := 0
	a := forecast.Along{
		Forecaster: counting{forecast.NewEmpirical([]float64{0, 2, 4}), &asked},
		Visits: map[string]forecast.Visits{
			"entry": {"entry", 1}, "next": {"entry", 1}, "loop": {"entry", 8}, "sometimes": {"entry", 0.25}, "orphan": {"gone", 1},
		},
	}
	var histories []*forecast.History
	for _, name := range []string{"next", "entry", "loop", "sometimes", "alone", "orphan"} {
		histories = append(histories, forecast.NewHistory(name, "", 0))
	}
	out := a.Forecast(histories, 2)
	if asked != 3 { // entry, alone, orphan
		t.Errorf("%d series were forecast, want one for the workflow and the two that follow nothing known", asked)
	}
	for i, want := range []float64{2, 2, 16, 0.5, 2, 2} {
		if len(out[i]) != 2 {
			t.Fatalf("%s: %d windows, want 2", histories[i].Function, len(out[i]))
		}
		d := out[i][1]
		if got := d.Mean(); math.Abs(got-want) > 0.05 {
			t.Errorf("%s: mean %v, want %v", histories[i].Function, got, want)
		}
		for p := 0.05; p < 1; p += 0.1 { // quantiles invert the distribution function
			if q := d.Quantile(p); d.CDF(q) < p-1e-9 || q >= 1 && d.CDF(q-1) >= p {
				t.Errorf("%s: the %v-quantile is %v, where the distribution is at %v, %v below", histories[i].Function, p, q, d.CDF(q), d.CDF(q-1))
			}
		}
	}
	// 1 - P(none): each of 0, 2 or 4 runs reaches it with a quarter.
	want := 1 - (1+math.Pow(0.75, 2)+math.Pow(0.75, 4))/3
	if got := 1 - out[3][0].CDF(0); math.Abs(got-want) > 0.06 {
		t.Errorf("reached at all with %v, want %v", got, want)
	}
}
