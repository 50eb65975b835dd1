package tuner

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestAmdahlGradientAgainstDifferences(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := amdahl{middle: rapid.Float64Range(-2, 2).Draw(t, "middle")}
		x := []float64{rapid.Float64Range(-2, 2).Draw(t, "cpu"), rapid.Float64Range(-2, 2).Draw(t, "memory")}
		p := rapid.SliceOfN(rapid.Float64Range(-3, 2), amdahlParams, amdahlParams).Draw(t, "p")
		grad := make([]float64, amdahlParams)
		a.With(p)(x, grad)
		for i := range p {
			const h = 1e-6
			v := p[i]
			p[i] = v + h
			up := a.With(p)(x, nil)
			p[i] = v - h
			down := a.With(p)(x, nil)
			p[i] = v
			if want := (up - down) / (2 * h); math.Abs(grad[i]-want) > 1e-5*math.Max(1, math.Abs(want)) {
				t.Fatalf("derivative %d is %v, want %v", i, grad[i], want)
			}
		}
	})
}

// With all CPU useful, ample memory and no preference for whole cores the mean is
// Amdahl's law: from 1 to 4 cores a serial fraction of one half saves 3/8.
func TestAmdahlsLaw(t *testing.T) {
	p := []float64{0, 0, 20, 0, -20, -20, 0}
	a := amdahl{}.With(p)
	if got := a([]float64{math.Log(4), 0}, nil) - a([]float64{0, 0}, nil); math.Abs(got-math.Log(5.0/8)) > 1e-6 {
		t.Errorf("log ratio %v, want %v", got, math.Log(5.0/8))
	}
	p[5] = 20 // whole cores only: 1.9 is as good as 1
	a = amdahl{}.With(p)
	if got := a([]float64{math.Log(1.9), 0}, nil) - a([]float64{0, 0}, nil); math.Abs(got) > 1e-6 {
		t.Errorf("log ratio %v, want 0", got)
	}
}

func TestTailMean(t *testing.T) {
	// Mean of a standard normal beyond a: φ(a)/(1-Φ(a)); at 0 it is √(2/π).
	for _, c := range []struct{ a, want float64 }{
		{0, math.Sqrt(2 / math.Pi)},
		{1, 1.5251352761609812}, // mpmath: npdf(1)/(1-ncdf(1))
		{8, 8.121368},           // mpmath: npdf(8)/(1-ncdf(8))
		{50, 50.02},
		{-20, 0},
	} {
		if got := tailMean(c.a); math.Abs(got-c.want) > 1e-3 {
			t.Errorf("beyond %v: %v, want %v", c.a, got, c.want)
		}
	}
}
