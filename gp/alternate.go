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
	value, ok := m.modeObjective(d, p)
	if !ok {
		return false
	}
	for range steps {
		q, err := m.Condition(d, p)
		if err != nil {
			return false
		}
		// Posterior mean of the parameters under the linearisation.
		target := slices.Clone(p)
		for j := range p[first:] {
			if q.spread[j] == 0 {
				continue
			}
			target[first+j] += q.shift[j]
			for i, f := range q.basis {
				target[first+j] += q.spread[j] * f[j] * q.alpha[i]
			}
		}
		moved := false
		for t := 1.0; t > 0.05; t /= 3 {
			next := slices.Clone(p)
			for j := first; j < len(p); j++ {
				next[j] = math.Min(math.Max(p[j]+t*(target[j]-p[j]), lower[j]), upper[j])
			}
			if v, ok := m.modeObjective(d, next); ok && v < value-tolerance {
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

// modeObjective is the negative log density of the mean's parameters in p given
// the data and the covariance, up to a constant.
func (m *Model) modeObjective(d Data, p Params) (float64, bool) {
	plain := *m
	plain.Linearise, plain.Priors = false, nil
	q, err := plain.Condition(d, p)
	if err != nil {
		return 0, false
	}
	r := make([]float64, len(d.Y))
	_, _, _, mp := m.split(p)
	for i, x := range d.X {
		r[i] = d.Y[i] - m.mean().At(x, mp)
	}
	v := floats.Dot(r, q.alpha) / 2
	first := m.Dim + 1 + m.noise().Len()
	for j := first; j < len(p) && j < len(m.Priors); j++ {
		if m.Priors[j] != nil {
			l, _ := m.Priors[j].LogDensity(p[j])
			v -= l
		}
	}
	return v, true
}
