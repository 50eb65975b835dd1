package forecast_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/aquatope/aquatope/forecast"
)

// TestCRPSOfUniform compares with the closed form for the uniform distribution
// on [0, 1] at y inside: y^2 - y + 1/3.
func TestCRPSOfUniform(t *testing.T) {
	t.Parallel()
	n := 2000
	sample := make([]float64, n)
	for i := range sample {
		sample[i] = (float64(i) + 0.5) / float64(n)
	}
	d := forecast.NewEmpirical(sample)
	for _, y := range []float64{0.1, 0.5, 0.8} {
		want := y*y - y + 1.0/3
		if got := forecast.CRPS(d, y); math.Abs(got-want) > 2e-3 {
			t.Errorf("CRPS at %v is %v, want %v", y, got, want)
		}
	}
}

func TestPinballLoss(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ p, q, y, want float64 }{
		{0.9, 10, 13, 2.7},
		{0.9, 10, 5, 0.5},
		{0.5, 2, 2, 0},
	} {
		if got := forecast.PinballLoss(c.p, c.q, c.y); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("PinballLoss(%v, %v, %v) = %v, want %v", c.p, c.q, c.y, got, c.want)
		}
	}
}

func TestSMAPE(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ m, y, want float64 }{{0, 0, 0}, {0, 3, 200}, {3, 1, 100}, {2, 2, 0}} {
		if got := forecast.SMAPE(c.m, c.y); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("SMAPE(%v, %v) = %v, want %v", c.m, c.y, got, c.want)
		}
	}
}

// TestCDFsAreTheCDF: of hurdles with values that repeat, and with none above zero.
func TestCDFsAreTheCDF(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.SampledFrom([]float64{0, 0.5, 1, 1, 3, 7.25, 30, 1e6})
		levels := []float64{0.1, 0.5, 0.9}
		d := forecast.NewHurdle(rapid.SampledFrom([]float64{0, 0.3, 1}).Draw(t, "zero"), levels, rapid.SliceOfN(value, 3, 3).Draw(t, "values"))
		got := make([]float64, 40)
		d.CDFs(got)
		for k, p := range got {
			if want := d.CDF(float64(k)); p != want {
				t.Fatalf("%v: P(count <= %d) is %v at once, %v alone", d, k, p, want)
			}
		}
	})
}

// TestCoverageIsExactForCounts: draws from the predicted distribution are
// covered 90 % of the time, although P(X <= 0.9-quantile) is 0.97 here.
func TestCoverageIsExactForCounts(t *testing.T) {
	t.Parallel()
	// 0 with 0.7, 1 with 0.27, 2 with 0.03.
	d := forecast.NewHurdle(0.7, []float64{0.45, 0.9}, []float64{0.5, 1})
	if q := d.Quantile(0.9); q != 1 || math.Abs(d.CDF(1)-0.97) > 1e-9 {
		t.Fatalf("0.9-quantile %v, CDF(1) %v", q, d.CDF(1))
	}
	r := rand.New(rand.NewPCG(1, 1))
	const n = 200_000
	s := 0.0
	for range n {
		s += forecast.Coverage(d, 0.9, d.Sample(r))
	}
	if got := s / n; math.Abs(got-0.9) > 0.005 {
		t.Errorf("randomised coverage %v, want 0.9", got)
	}
}
