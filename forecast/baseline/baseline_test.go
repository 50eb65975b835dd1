package baseline_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/aquatope/aquatope/forecast"
	"github.com/aquatope/aquatope/forecast/baseline"
	"github.com/aquatope/aquatope/forecast/forecasttest"
)

func model(t *testing.T, l forecast.Learner) forecast.Model {
	t.Helper()
	m, err := l.Train(nil, forecast.Budget{}, rand.New(rand.NewPCG(1, 1)))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestSound(t *testing.T) {
	t.Parallel()
	for _, l := range baseline.All() {
		t.Run(l.Name(), func(t *testing.T) {
			t.Parallel()
			forecasttest.Sound(t, model(t, l))
		})
	}
}

// series returns a history with the counts of a function of the window.
func series(n int, at func(int) float64) *forecast.History {
	h := forecast.NewHistory("f", "", 0)
	for w := range n {
		if err := h.Observe(int64(w), at(w)); err != nil {
			panic(err)
		}
	}
	return h
}

// TestMeans: what each baseline predicts for series that it is made for.
func TestMeans(t *testing.T) {
	t.Parallel()
	// Symmetric around the middle of the last 60 windows of 200, so that it has no
	// trend there.
	wave := func(w int) float64 { return 50 + 40*math.Cos(2*math.Pi*(float64(w)-169.5)/20) }
	daily := func(w int) float64 { return float64(w % 1440) }
	for _, c := range []struct {
		learner   forecast.Learner
		n         int
		at        func(int) float64
		want, tol float64
	}{
		{baseline.LastValue(), 300, func(w int) float64 { return float64(w / 250 * 8) }, 8, 1e-9},
		{baseline.MovingAverage(), 300, func(w int) float64 { return float64(3 + w%2) }, 3.5, 0.51},
		{baseline.SeasonalNaive(), 2*1440 + 77, daily, 77, 1e-9},
		{baseline.SeasonalNaive(), 600, func(w int) float64 { return float64(w % 60) }, 0, 1e-9},
		{baseline.ExponentialSmoothing(), 200, func(int) float64 { return 7 }, 7, 1e-9},
		{baseline.Fourier(), 200, wave, math.Round(wave(200)), 5},
	} {
		h := series(c.n, c.at)
		d := model(t, c.learner).New().Forecast([]*forecast.History{h}, 1)[0][0]
		// The median of the errors of a perfect prediction is 0.
		got := d.Quantile(0.5)
		if math.Abs(got-c.want) > c.tol {
			t.Errorf("%s predicts %v, want %v", c.learner.Name(), got, c.want)
		}
	}
}

// TestConformalCoverage: on noise that does not change, the 0.9-quantile covers
// nine of ten.
func TestConformalCoverage(t *testing.T) {
	t.Parallel()
	for _, l := range baseline.All() {
		r := rand.New(rand.NewPCG(7, 1))
		noise := func(int) float64 { return 100 + 10*r.NormFloat64() }
		h := series(400, noise)
		future := make([]float64, 1500)
		for i := range future {
			future[i] = noise(i)
		}
		s, err := forecast.Backtest(model(t, l).New(), []forecast.Case{{History: h, Future: future}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if s.Coverage90 < 0.86 || s.Coverage90 > 0.94 {
			t.Errorf("%s covers %v", l.Name(), s.Coverage90)
		}
	}
}
