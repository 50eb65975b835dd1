package gp_test

import (
	"math"
	"testing"

	"github.com/aquatope/aquatope/bayesopt"
	"github.com/aquatope/aquatope/gp"
	"github.com/aquatope/aquatope/stats"
)

// Of n observations that are nothing but noise the logarithm of the noise
// variance is known to √(2/n): that is how far draws around the fit spread.
func TestAroundIsAsWideAsThePosterior(t *testing.T) {
	const n = 100
	rng := stats.Stream(1, "noise")
	var d gp.Data
	for i := range n {
		d.X, d.Y = append(d.X, []float64{float64(i) / n}), append(d.Y, 0.3*rng.NormFloat64())
	}
	m := &gp.Model{
		Dim: 1, Mean: gp.ZeroMean{},
		Priors: []gp.Prior{gp.Normal{SD: 0.1}, gp.Normal{Mean: -12, SD: 0.1}, gp.Flat{}},
	}
	p, _, err := m.Fit(d, gp.FitOptions{})
	if err != nil {
		t.Fatal(err)
	}
	draws, err := m.Around(d, p, bayesopt.NewSobol(3).Scrambled(1).Normals(512), 128)
	if err != nil {
		t.Fatal(err)
	}
	var noise []float64
	for _, q := range draws {
		noise = append(noise, q[2])
	}
	mean, sd := stats.Moments(noise)
	near(t, "mean of the log noise", mean, p[2], 0.05)
	near(t, "its standard deviation", sd, math.Sqrt(2.0/n), 0.03)
}

// The mean of several observations with their scatter says the same as they do
// one by one.
func TestRepeatsAreSufficient(t *testing.T) {
	single := gp.Data{
		X: [][]float64{{0.1}, {0.1}, {0.1}, {0.6}, {0.6}, {0.9}},
		Y: []float64{1, 1.3, 0.9, 0.2, 0.4, -0.5},
	}
	group := gp.Data{
		X: [][]float64{{0.1}, {0.6}, {0.9}}, Y: []float64{3.2 / 3, 0.3, -0.5},
		Weight: []float64{3, 2, 1}, Repeats: []float64{2, 1, 0},
		Scatter: []float64{1 + 1.69 + 0.81 - 3.2*3.2/3, 0.02, 0},
	}
	m := &gp.Model{Dim: 1, Noise: gp.LinearNoise{Dim: 1}}
	var offset float64
	for i, p := range []gp.Params{{-1, 0, -3, 0.5, 0.1}, {-0.5, 0.4, -2, -0.7, 0}, {0, -1, -4, 1, 0.5}} {
		ga, gb := make([]float64, len(p)), make([]float64, len(p))
		difference := m.LogLikelihood(single, p, ga) - m.LogLikelihood(group, p, gb)
		if i == 0 {
			offset = difference // a constant
		}
		near(t, "log likelihood", difference, offset, 1e-9)
		for j := range ga {
			near(t, "derivative", gb[j], ga[j], 1e-9)
		}
		a, err := m.Condition(single, p)
		if err != nil {
			t.Fatal(err)
		}
		b, err := m.Condition(group, p)
		if err != nil {
			t.Fatal(err)
		}
		ma, va := a.Predict([]float64{0.4})
		mb, vb := b.Predict([]float64{0.4})
		near(t, "mean", mb, ma, 1e-9)
		near(t, "variance", vb, va, 1e-9)
	}
}
