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
	points points // the inputs of the data
	l      factor
	alpha  []float64 // K⁻¹·(y - prior mean)
	noise  []float64 // variance of each observation

	shift, spread []float64   // of the mean's parameters, when linearised
	basis         [][]float64 // scaled derivatives of the mean at the data
	before        []float64   // the mean before data, at the data
}

// Condition returns the posterior for parameters p. Without data it is the
// prior. Errors are [ErrData] or [ErrNotPositiveDefinite].
func (m *Model) Condition(d Data, p Params) (*Posterior, error) {
	if err := d.Check(m.Dim); err != nil {
		return nil, fmt.Errorf("conditioning a Gaussian process: %w", err)
	}
	d = Data{X: slices.Clone(d.X), Y: slices.Clone(d.Y), Fixed: slices.Clone(d.Fixed), Weight: slices.Clone(d.Weight)}
	q := &Posterior{model: m, params: slices.Clone(p), kernel: m.kernel(p), data: d, points: m.points(d.X)}
	prior := q.linearise()
	n := len(d.Y)
	a := lowerTriangle(n)
	cov := newVariances(q.kernel, q.points)
	for i, x := range d.X {
		f := q.features()
		mean := prior.at(x, f)
		q.before, q.basis = append(q.before, mean), append(q.basis, f)
		cov.row(i, a[i])
		if f != nil {
			for j := range a[i] {
				a[i][j] += floats.Dot(f, q.basis[j])
			}
		}
		q.noise = append(q.noise, d.variance(i, q.NoiseVariance(x)))
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

// linearise finds how far the priors of the mean's parameters are from the fitted
// ones, and how wide they are, if the mean is to be linearised. It returns the mean
// before data.
func (q *Posterior) linearise() prior {
	if q.model.Linearise {
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
	return q.prior()
}

// prior is the mean before data. It is not safe for concurrent use.
type prior struct {
	mean          MeanFunc
	shift, spread []float64
}

func (q *Posterior) prior() prior {
	_, _, _, mp := q.model.split(q.params)
	return prior{q.model.mean().With(mp), q.shift, q.spread}
}

// features returns memory for those of one point: the derivatives of the mean, each
// times the standard deviation of its parameter; nil when the mean is taken as known.
func (q *Posterior) features() []float64 {
	if q.spread == nil {
		return nil
	}
	return make([]float64, len(q.spread))
}

// at returns the mean at x and writes the features there.
func (p prior) at(x, features []float64) float64 {
	mean := p.mean(x, features)
	if features == nil {
		return mean
	}
	floats.Mul(features, p.spread)
	for i, f := range features {
		if p.spread[i] > 0 {
			mean += f / p.spread[i] * p.shift[i]
		}
	}
	return mean
}

func (q *Posterior) cov(a, fa, b, fb []float64) float64 {
	v := q.kernel.Eval(a, b)
	if fa != nil {
		v += floats.Dot(fa, fb)
	}
	return v
}

func (q *Posterior) refresh() {
	q.alpha = make([]float64, len(q.data.Y))
	for i, y := range q.data.Y {
		q.alpha[i] = y - q.before[i]
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

// cross returns the covariances of x with the data, and mean and features before
// data at x.
func (q *Posterior) cross(x []float64) (k []float64, mean float64, features []float64) {
	features = q.features()
	mean = q.prior().at(x, features)
	k = make([]float64, len(q.data.X))
	for i, xi := range q.data.X {
		k[i] = q.cov(x, features, xi, q.basis[i])
	}
	return k, mean, features
}

// Mean returns the posterior mean of the function at x, in linear time.
func (q *Posterior) Mean(x []float64) float64 {
	k, mean, _ := q.cross(x)
	return mean + floats.Dot(k, q.alpha)
}

// Predict returns mean and variance of the function at x, the noise of an
// observation not included. The variance is never negative.
func (q *Posterior) Predict(x []float64) (mean, variance float64) {
	k, mean, f := q.cross(x)
	mean += floats.Dot(k, q.alpha)
	q.l.solve(k)
	return mean, math.Max(0, q.cov(x, f, x, f)-floats.Dot(k, k))
}

// PredictAll does what Predict does at each of xs, faster where a kernel that is a
// product meets the same values again, as on a grid.
func (q *Posterior) PredictAll(xs [][]float64) (mean, variance []float64) {
	mean, variance = make([]float64, len(xs)), make([]float64, len(xs))
	at := newCovariances(q.kernel, q.model.points(xs), q.points)
	k, f, prior := make([]float64, q.Len()), q.features(), q.prior()
	for i, x := range xs {
		mean[i] = q.meet(at, i, prior, k, f)
		q.l.solve(k)
		variance[i] = math.Max(0, q.cov(x, f, x, f)-floats.Dot(k, k))
	}
	return mean, variance
}

// meet returns the posterior mean at point i, and writes its covariances with the data
// and the features there.
func (q *Posterior) meet(at *covariances, i int, prior prior, k, features []float64) float64 {
	mean := prior.at(at.a.x[i], features)
	at.row(i, k)
	if features != nil {
		for j := range k {
			k[j] += floats.Dot(features, q.basis[j])
		}
	}
	return mean + floats.Dot(k, q.alpha)
}

// Joint returns the mean of the function at xs and the lower triangle of its
// covariance matrix.
func (q *Posterior) Joint(xs [][]float64) (mean []float64, cov [][]float64) {
	mean = make([]float64, len(xs))
	cov = lowerTriangle(len(xs))
	v := make([][]float64, len(xs))
	f := make([][]float64, len(xs))
	prior, points := q.prior(), q.model.points(xs)
	at, among := newCovariances(q.kernel, points, q.points), newVariances(q.kernel, points)
	for i := range xs {
		v[i], f[i] = make([]float64, q.Len()), q.features()
		mean[i] = q.meet(at, i, prior, v[i], f[i])
		q.l.solve(v[i])
		among.row(i, cov[i])
		for j := range cov[i] {
			if f[i] != nil {
				cov[i][j] += floats.Dot(f[i], f[j])
			}
			cov[i][j] -= floats.Dot(v[i], v[j])
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
	row, mean, f := q.cross(x)
	noise := one.variance(0, q.NoiseVariance(x))
	if !q.l.append(append(row, q.cov(x, f, x, f)+noise)) {
		return fmt.Errorf("adding an observation: %w", ErrNotPositiveDefinite)
	}
	q.data.X, q.data.Y = append(q.data.X, slices.Clone(x)), append(q.data.Y, y)
	q.data.Fixed, q.data.Weight = append(q.data.Fixed, fixed), append(q.data.Weight, weight)
	q.basis, q.before, q.noise = append(q.basis, f), append(q.before, mean), append(q.noise, noise)
	q.points = q.model.points(q.data.X)
	q.refresh()
	return nil
}
