package gp

import (
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"
)

// Draws returns joint draws of the function's values at xs, one row for each
// row of normals, which holds len(xs) standard normal variates.
func (q *Posterior) Draws(xs, normals [][]float64) ([][]float64, error) {
	mean, cov := q.Joint(xs)
	l, _, err := cholesky(cov)
	if err != nil {
		return nil, fmt.Errorf("drawing from a Gaussian process: %w", err)
	}
	draws := make([][]float64, len(normals))
	for i, z := range normals {
		draws[i] = l.multiply(z)
		floats.Add(draws[i], mean)
	}
	return draws, nil
}

// Path is one whole function drawn from a posterior, evaluated anywhere in
// linear time.
type Path struct {
	q       *Posterior
	freq    [][]float64 // random Fourier features of the kernel
	phase   []float64
	weight  []float64
	mean    []float64 // draw of the mean's parameters, in standard deviations
	correct []float64 // K⁻¹·(y - draw at the data - noise)
}

// Paths draws n functions by Matheron's rule: a draw from the prior, corrected
// by what it gets wrong about the data (Wilson et al., Efficiently sampling
// functions from Gaussian process posteriors, 2020). The prior draw uses the
// given number of random Fourier features; a few hundred suffice, as the
// correction is exact.
func (q *Posterior) Paths(n, features int, rng *rand.Rand) []*Path {
	paths := make([]*Path, n)
	for i := range paths {
		p := &Path{q: q}
		scale := math.Sqrt(2 * q.kernel.Variance / float64(features))
		for range features {
			p.freq = append(p.freq, q.kernel.frequency(rng))
			p.phase = append(p.phase, 2*math.Pi*rng.Float64())
			p.weight = append(p.weight, scale*rng.NormFloat64())
		}
		for range q.spread {
			p.mean = append(p.mean, rng.NormFloat64())
		}
		p.correct = make([]float64, len(q.data.Y))
		for j, x := range q.data.X {
			p.correct[j] = q.data.Y[j] - p.prior(x, q.before[j], q.basis[j]) - math.Sqrt(q.noise[j])*rng.NormFloat64()
		}
		q.l.solve(p.correct)
		q.l.solveTransposed(p.correct)
		paths[i] = p
	}
	return paths
}

// frequency draws from the spectral density of the kernel: for a Matérn kernel
// of smoothness ν a multivariate t distribution with 2ν = 5 degrees of freedom.
func (k *Kernel) frequency(rng *rand.Rand) []float64 {
	chi := func() float64 {
		var s float64
		for range 5 {
			z := rng.NormFloat64()
			s += z * z
		}
		return math.Sqrt(5 / s)
	}
	common := chi()
	w := make([]float64, len(k.Length))
	for i, l := range k.Length {
		if k.Form == Product && i > 0 {
			common = chi()
		}
		w[i] = rng.NormFloat64() * common / l
	}
	return w
}

// prior returns the function before it was corrected, where it has a mean and features.
func (p *Path) prior(x []float64, mean float64, features []float64) float64 {
	v := mean
	for i, w := range p.weight {
		v += w * math.Cos(floats.Dot(p.freq[i], x)+p.phase[i])
	}
	for i, f := range features {
		v += f * p.mean[i]
	}
	return v
}

// At returns the value of the drawn function at x.
func (p *Path) At(x []float64) float64 {
	k, mean, f := p.q.cross(x)
	return p.prior(x, mean, f) + floats.Dot(k, p.correct)
}
