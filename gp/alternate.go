package gp

import (
	"math"
	"slices"

	"github.com/aquatope/aquatope/gp/minimise"
	"gonum.org/v1/gonum/floats"
)

// alternate fits a linearised model: the mean's parameters to their most likely
// values given the covariance, by Gauss-Newton steps, and the covariance's with
// the mean's integrated out around these, in turns.
func (m *Model) alternate(d Data, objective minimise.Func, start, lower, upper []float64, opt minimise.Options) minimise.Result {
	const rounds = 2
	p := slices.Clone(start)
	for i := range p {
		p[i] = math.Min(math.Max(p[i], lower[i]), upper[i])
	}
	first := m.Dim + 1 + m.noise().Len()
	lo, hi := slices.Clone(lower), slices.Clone(upper)
	var r minimise.Result
	for range rounds {
		if !m.gaussNewton(d, p, lower, upper) {
			break
		}
		copy(lo[first:], p[first:])
		copy(hi[first:], p[first:])
		r = minimise.Box(objective, p, lo, hi, opt)
		p = r.X
	}
	if r.X == nil {
		return minimise.Result{X: p, Value: math.NaN()}
	}
	m.gaussNewton(d, p, lower, upper)
	r.X = p
	r.Value = objective(p, make([]float64, len(p)))
	return r
}

// gaussNewton moves the mean's parameters in p to their posterior mode given
// the rest of p. It reports whether the covariance could be factorised.
func (m *Model) gaussNewton(d Data, p Params, lower, upper []float64) bool {
	const steps, tolerance = 6, 1e-4
	first := m.Dim + 1 + m.noise().Len()
	c, ok := m.meanGiven(d, p)
	if !ok {
		return false
	}
	value := c.objective(p[first:])
	for range steps {
		target, ok := c.linearised(p)
		if !ok {
			return false
		}
		moved := false
		for t := 1.0; t > 0.05; t /= 3 {
			next := slices.Clone(p)
			for j := first; j < len(p); j++ {
				next[j] = math.Min(math.Max(p[j]+t*(target[j-first]-p[j]), lower[j]), upper[j])
			}
			if v := c.objective(next[first:]); v < value-tolerance {
				copy(p, next)
				value, moved = v, true
				break
			}
		}
		if !moved {
			break
		}
	}
	return true
}

// meanProblem is the search for the mean's parameters with the covariance as it is.
type meanProblem struct {
	m     *Model
	d     Data
	a     [][]float64 // covariances of the function at the data
	noise []float64   // variance of each observation
	l     factor      // of both
	full  [][]float64 // memory: with the covariances that the mean's parameters cause
	fullL factor
}

func (m *Model) meanGiven(d Data, p Params) (*meanProblem, bool) {
	n := len(d.Y)
	c := &meanProblem{m: m, d: d, a: lowerTriangle(n), l: lowerTriangle(n), full: lowerTriangle(n), fullL: lowerTriangle(n)}
	_, _, np, _ := m.split(p)
	cov := newVariances(m.kernel(p), m.points(d.X))
	for i, x := range d.X {
		cov.row(i, c.a[i])
		copy(c.full[i], c.a[i])
		c.noise = append(c.noise, d.variance(i, math.Exp(m.noise().LogVariance(x, np))))
		c.full[i][i] += c.noise[i]
	}
	_, err := c.l.factorise(c.full)
	return c, err == nil
}

// objective is the negative log density of the mean's parameters mp given the data
// and the covariance, up to a constant.
func (c *meanProblem) objective(mp []float64) float64 {
	mean := c.m.mean().With(mp)
	r := make([]float64, len(c.d.Y))
	for i, x := range c.d.X {
		r[i] = c.d.Y[i] - mean(x, nil)
	}
	alpha := slices.Clone(r)
	c.l.solve(alpha)
	c.l.solveTransposed(alpha)
	v := floats.Dot(r, alpha) / 2
	first := c.m.Dim + 1 + c.m.noise().Len()
	for j, x := range mp {
		if first+j < len(c.m.Priors) && c.m.Priors[first+j] != nil {
			l, _ := c.m.Priors[first+j].LogDensity(x)
			v -= l
		}
	}
	return v
}

// linearised returns the posterior mean of the mean's parameters where the mean is
// taken as linear around those in p.
func (c *meanProblem) linearised(p Params) (mp []float64, ok bool) {
	q := &Posterior{model: c.m, params: p}
	prior := q.linearise()
	alpha := make([]float64, len(c.d.Y))
	features := make([][]float64, len(c.d.Y))
	for i, x := range c.d.X {
		features[i] = q.features()
		alpha[i] = c.d.Y[i] - prior.at(x, features[i])
		for j := range c.full[i] {
			c.full[i][j] = c.a[i][j] + floats.Dot(features[i], features[j])
		}
		c.full[i][i] += c.noise[i]
	}
	if _, err := c.fullL.factorise(c.full); err != nil {
		return nil, false
	}
	c.fullL.solve(alpha)
	c.fullL.solveTransposed(alpha)
	mp = slices.Clone(p[len(p)-len(q.shift):])
	for j := range mp {
		if q.spread[j] == 0 {
			continue
		}
		mp[j] += q.shift[j]
		for i, f := range features {
			mp[j] += q.spread[j] * f[j] * alpha[i]
		}
	}
	return mp, true
}
