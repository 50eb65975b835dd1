package gp

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
)

// Posterior is a Gaussian process conditioned on data. It is safe for
// concurrent use except for Append.
type Posterior struct {
	model  *Model
	params Params
	kernel *Kernel
	data   Data
	l      factor
	alpha  []float64 // K⁻¹·(y - prior mean)
	noise  []float64 // variance of each observation

	shift, spread []float64   // of the mean's parameters, when linearised
	basis         [][]float64 // scaled derivatives of the mean at the data
}

// Condition returns the posterior for parameters p. Without data it is the
// prior.
func (m *Model) Condition(d Data, p Params) (*Posterior, error) {
	if err := d.Check(m.Dim); err != nil {
		return nil, fmt.Errorf("conditioning a Gaussian process: %w", err)
	}
	d = Data{X: slices.Clone(d.X), Y: slices.Clone(d.Y), Fixed: slices.Clone(d.Fixed), Weight: slices.Clone(d.Weight)}
	q := &Posterior{model: m, params: slices.Clone(p), kernel: m.kernel(p), data: d}
	if m.Linearise {
		q.linearise()
	}
	n := len(d.Y)
	a := lowerTriangle(n)
	for i, x := range d.X {
		q.basis = append(q.basis, q.features(x))
		for j := range i + 1 {
			a[i][j] = q.cov(x, q.basis[i], d.X[j], q.basis[j])
		}
		q.noise = append(q.noise, q.variance(i))
		a[i][i] += q.noise[i]
	}
	l, _, err := cholesky(a)
	if err != nil {
		return nil, fmt.Errorf("conditioning a Gaussian process: %w", err)
	}
	q.l = l
	q.refresh()
	return q, nil
}

// linearise finds how far the priors of the mean's parameters are from the
// fitted ones, and how wide they are.
func (q *Posterior) linearise() {
	_, _, _, mp := q.model.split(q.params)
	first := len(q.params) - len(mp)
	q.shift, q.spread = make([]float64, len(mp)), make([]float64, len(mp))
	for i := range mp {
		if first+i < len(q.model.Priors) {
			if prior, ok := q.model.Priors[first+i].(Normal); ok {
				q.shift[i], q.spread[i] = prior.Mean-mp[i], prior.SD
			}
		}
	}
}

// features returns the derivatives of the mean at x, each times the standard
// deviation of its parameter; nil when the mean is taken as known.
func (q *Posterior) features(x []float64) []float64 {
	if q.spread == nil {
		return nil
	}
	_, _, _, mp := q.model.split(q.params)
	f := make([]float64, len(mp))
	q.model.mean().Grad(x, mp, f)
	floats.Mul(f, q.spread)
	return f
}

// priorMean returns the mean before data, given the features at x.
func (q *Posterior) priorMean(x, features []float64) float64 {
	_, _, _, mp := q.model.split(q.params)
	v := q.model.mean().At(x, mp)
	for i, f := range features {
		if q.spread[i] > 0 {
			v += f / q.spread[i] * q.shift[i]
		}
	}
	return v
}

func (q *Posterior) cov(a, fa, b, fb []float64) float64 {
	v := q.kernel.Eval(a, b)
	if fa != nil {
		v += floats.Dot(fa, fb)
	}
	return v
}

func (q *Posterior) variance(i int) float64 {
	_, _, np, _ := q.model.split(q.params)
	_, total := q.model.noiseVariance(q.data, i, np)
	return total
}

func (q *Posterior) refresh() {
	q.alpha = make([]float64, len(q.data.Y))
	for i, x := range q.data.X {
		q.alpha[i] = q.data.Y[i] - q.priorMean(x, q.basis[i])
	}
	q.l.solve(q.alpha)
	q.l.solveTransposed(q.alpha)
}

// Len returns the number of observations.
func (q *Posterior) Len() int { return len(q.data.Y) }

// Params returns the parameters that the posterior was conditioned with.
func (q *Posterior) Params() Params { return slices.Clone(q.params) }

// NoiseVariance returns the variance that the model gives to one observation at x.
func (q *Posterior) NoiseVariance(x []float64) float64 {
	_, _, np, _ := q.model.split(q.params)
	return math.Exp(q.model.noise().LogVariance(x, np))
}

// cross returns the covariances of x with the data, and the features at x.
func (q *Posterior) cross(x []float64) (k, features []float64) {
	features = q.features(x)
	k = make([]float64, len(q.data.X))
	for i, xi := range q.data.X {
		k[i] = q.cov(x, features, xi, q.basis[i])
	}
	return k, features
}

// Mean returns the posterior mean of the function at x, in linear time.
func (q *Posterior) Mean(x []float64) float64 {
	k, f := q.cross(x)
	return q.priorMean(x, f) + floats.Dot(k, q.alpha)
}

// Predict returns mean and variance of the function at x, the noise of an
// observation not included. The variance is never negative.
func (q *Posterior) Predict(x []float64) (mean, variance float64) {
	k, f := q.cross(x)
	mean = q.priorMean(x, f) + floats.Dot(k, q.alpha)
	q.l.solve(k)
	return mean, math.Max(0, q.cov(x, f, x, f)-floats.Dot(k, k))
}

// Joint returns the mean of the function at xs and the lower triangle of its
// covariance matrix.
func (q *Posterior) Joint(xs [][]float64) (mean []float64, cov [][]float64) {
	mean = make([]float64, len(xs))
	cov = lowerTriangle(len(xs))
	v := make([][]float64, len(xs))
	f := make([][]float64, len(xs))
	for i, x := range xs {
		v[i], f[i] = q.cross(x)
		mean[i] = q.priorMean(x, f[i]) + floats.Dot(v[i], q.alpha)
		q.l.solve(v[i])
		for j := range i + 1 {
			cov[i][j] = q.cov(x, f[i], xs[j], f[j]) - floats.Dot(v[i], v[j])
		}
	}
	return mean, cov
}

// Append takes in one more observation in quadratic time, with the parameters
// as they are. fixed and weight are as in Data.
func (q *Posterior) Append(x []float64, y, fixed, weight float64) error {
	one := Data{X: [][]float64{x}, Y: []float64{y}, Fixed: []float64{fixed}, Weight: []float64{weight}}
	if err := one.Check(q.model.Dim); err != nil {
		return fmt.Errorf("adding an observation: %w", err)
	}
	n := len(q.data.Y)
	if q.data.Fixed == nil {
		q.data.Fixed = make([]float64, n)
	}
	if q.data.Weight == nil {
		q.data.Weight = slices.Repeat([]float64{1}, n)
	}
	row, f := q.cross(x)
	_, _, np, _ := q.model.split(q.params)
	_, noise := q.model.noiseVariance(one, 0, np)
	if !q.l.append(append(row, q.cov(x, f, x, f)+noise)) {
		return fmt.Errorf("adding an observation: %w", ErrNotPositiveDefinite)
	}
	q.data.X, q.data.Y = append(q.data.X, slices.Clone(x)), append(q.data.Y, y)
	q.data.Fixed, q.data.Weight = append(q.data.Fixed, fixed), append(q.data.Weight, weight)
	q.basis, q.noise = append(q.basis, f), append(q.noise, noise)
	q.refresh()
	return nil
}
