package gp

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
)

// Sampler holds joint draws of the function at the data (without noise), and
// extends every one of them to further points, with derivatives with respect to
// these points: what noisy expected improvement needs. The mean function must
// be constant.
type Sampler struct {
	q        *Posterior
	constant float64
	l        factor      // of the covariance of the function at the data
	draws    [][]float64 // for each draw, the function at the data
	weights  [][]float64 // for each draw, K⁻¹·(draw - mean)
}

// Sampler draws the function at the data once for each row of normals, which
// holds Len() standard normal variates.
func (q *Posterior) Sampler(normals [][]float64) (*Sampler, error) {
	s := &Sampler{q: q}
	_, _, _, mp := q.model.split(q.params)
	switch q.model.mean().(type) {
	case ConstantMean:
		s.constant = mp[0]
	case ZeroMean:
	default:
		panic("gp: a sampler needs a constant mean")
	}
	var err error
	if s.draws, err = q.Draws(q.data.X, normals); err != nil {
		return nil, err
	}
	a := lowerTriangle(q.Len())
	for i, x := range q.data.X {
		for j := range i + 1 {
			a[i][j] = q.kernel.Eval(x, q.data.X[j])
		}
		a[i][i] += 1e-6 * q.kernel.Variance // the draws carry jitter of their own
	}
	if s.l, _, err = cholesky(a); err != nil {
		return nil, fmt.Errorf("conditioning on draws: %w", err)
	}
	for _, d := range s.draws {
		w := append([]float64(nil), d...)
		floats.AddConst(-s.constant, w)
		s.l.solve(w)
		s.l.solveTransposed(w)
		s.weights = append(s.weights, w)
	}
	return s, nil
}

// AtData returns the draws of the function at the data; it must not be changed.
func (s *Sampler) AtData() [][]float64 { return s.draws }

// Extension holds draws of the function at further points.
type Extension struct {
	// Values holds for each draw the function at each point.
	Values [][]float64

	s       *Sampler
	xs      [][]float64
	normals [][]float64
	k       [][]float64 // covariances with the data, for each point
	solved  [][]float64 // K⁻¹·k
	l       factor      // of the conditional covariance of the points
}

// Extend draws the function at xs given each of the draws at the data; row i of
// normals holds len(xs) variates for draw i. ok is false where the points'
// covariance cannot be factorised.
func (s *Sampler) Extend(xs, normals [][]float64) (e *Extension, ok bool) {
	e = &Extension{s: s, xs: xs, normals: normals}
	cov := lowerTriangle(len(xs))
	for i, x := range xs {
		k := make([]float64, len(s.q.data.X))
		for j, xj := range s.q.data.X {
			k[j] = s.q.kernel.Eval(x, xj)
		}
		w := append([]float64(nil), k...)
		s.l.solve(w)
		s.l.solveTransposed(w)
		e.k, e.solved = append(e.k, k), append(e.solved, w)
		for j := range i + 1 {
			cov[i][j] = s.q.kernel.Eval(x, xs[j]) - floats.Dot(k, e.solved[j])
		}
		cov[i][i] += 1e-6 * s.q.kernel.Variance
	}
	var err error
	if e.l, _, err = cholesky(cov); err != nil {
		return nil, false
	}
	e.Values = make([][]float64, len(s.draws))
	for d := range s.draws {
		v := e.l.multiply(normals[d])
		for i := range xs {
			v[i] += s.constant + floats.Dot(e.k[i], s.weights[d])
		}
		e.Values[d] = v
	}
	return e, true
}

// Gradient adds to grad, one row for each point, the derivatives with respect
// to the points of a quantity whose derivatives with respect to Values are bar.
func (e *Extension) Gradient(bar, grad [][]float64) {
	n, q := len(e.s.q.data.X), len(e.xs)
	lbar := lowerTriangle(q)
	kbar := make([][]float64, q)
	for i := range kbar {
		kbar[i] = make([]float64, n)
	}
	for d, b := range bar {
		for i, v := range b {
			if v == 0 {
				continue
			}
			floats.AddScaled(kbar[i], v, e.s.weights[d])
			floats.AddScaled(lbar[i], v, e.normals[d][:i+1])
		}
	}
	sbar := reverseCholesky(e.l, lbar)
	dim := e.s.q.model.Dim
	dk := make([]float64, dim)
	for i, x := range e.xs {
		for j := range q {
			w := sbar[max(i, j)][min(i, j)]
			if i == j {
				w *= 2 // k_i enters the diagonal twice, off it once from either side
			}
			floats.AddScaled(kbar[i], -w, e.solved[j])
			if i != j {
				e.s.q.kernel.gradInput(x, e.xs[j], dk)
				floats.AddScaled(grad[i], w, dk)
			}
		}
		for j, xj := range e.s.q.data.X {
			if math.Abs(kbar[i][j]) == 0 {
				continue
			}
			e.s.q.kernel.gradInput(x, xj, dk)
			floats.AddScaled(grad[i], kbar[i][j], dk)
		}
	}
}

// reverseCholesky turns derivatives with respect to the factor l into those
// with respect to the factorised matrix, its lower triangle standing for both
// (Murray, Differentiation of the Cholesky decomposition, 2016). It spoils lbar.
func reverseCholesky(l factor, lbar [][]float64) [][]float64 {
	abar := lowerTriangle(len(l))
	for i := len(l) - 1; i >= 0; i-- {
		for j := i; j >= 0; j-- {
			if i == j {
				abar[i][i] = lbar[i][i] / l[i][i] / 2
			} else {
				abar[i][j] = lbar[i][j] / l[j][j]
				lbar[j][j] -= abar[i][j] * l[i][j]
			}
			floats.AddScaled(lbar[i][:j], -abar[i][j], l[j][:j])
			floats.AddScaled(lbar[j][:j], -abar[i][j], l[i][:j])
		}
	}
	return abar
}
