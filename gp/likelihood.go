package gp

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
)

// LogLikelihood returns the logarithm of the marginal likelihood of d for
// parameters p (equation 5.8 of Rasmussen and Williams). If grad is not nil its
// derivatives with respect to p are written there (equation 5.9), at the cost
// of a matrix inverse. The result is NaN where the covariance matrix cannot be
// factorised.
//
// If the model is linearised, the mean's parameters are integrated out around
// those in p: otherwise, with few data, the mean would follow the noise and the
// noise come out too small. Derivatives with respect to them are then zero.
func (m *Model) LogLikelihood(d Data, p Params, grad []float64) float64 {
	return m.likelihood(d).at(p, grad)
}

// LogPosterior returns the log likelihood plus the log prior density of p, up
// to a constant, and writes its gradient into grad unless that is nil.
func (m *Model) LogPosterior(d Data, p Params, grad []float64) float64 {
	return m.likelihood(d).posterior(p, grad)
}

// likelihood is that of some data, evaluated again and again: it keeps what depends
// on the mean's parameters alone, which stay the same while the covariance's are
// fitted, and its memory.
type likelihood struct {
	m      *Model
	d      Data
	cov    *covariances
	derivs [][]float64 // of each pair, with respect to the log length-scales

	mean  []float64   // parameters of the mean that resid and gram belong to
	resid []float64   // of the values from the mean
	gram  [][]float64 // covariances that the mean's parameters cause, if linearised

	a, full       [][]float64 // covariance matrix without and with these
	noise         []float64   // variance of an observation at each point
	alpha, buffer []float64
	l             factor
	inverse       [2][][]float64
}

func (m *Model) likelihood(d Data) *likelihood {
	n := len(d.Y)
	x := m.points(d.X)
	e := &likelihood{m: m, d: d, cov: &covariances{a: x, b: x, same: true}, a: lowerTriangle(n), l: lowerTriangle(n)}
	e.full = e.a
	if m.Linearise {
		e.gram, e.full = lowerTriangle(n), lowerTriangle(n)
	}
	e.resid, e.noise, e.alpha = make([]float64, n), make([]float64, n), make([]float64, n)
	e.buffer = make([]float64, max(m.noise().Len(), m.mean().Len()))
	return e
}

// posterior is LogPosterior.
func (e *likelihood) posterior(p Params, grad []float64) float64 {
	return e.at(p, grad) + e.m.logPrior(p, grad)
}

// at is LogLikelihood.
func (e *likelihood) at(p Params, grad []float64) float64 {
	m, d, n := e.m, e.d, len(e.d.Y)
	_, _, np, mp := m.split(p)
	e.useMean(p, mp)
	k := m.kernel(p)
	e.cov.use(k, grad != nil)
	if grad != nil && e.derivs == nil {
		block := make([]float64, n*(n-1)/2*m.Dim)
		for range n * (n - 1) / 2 {
			e.derivs, block = append(e.derivs, block[:m.Dim]), block[m.Dim:]
		}
		e.inverse = [2][][]float64{lowerTriangle(n), lowerTriangle(n)}
	}
	for i := range n {
		if grad != nil {
			e.cov.gradRow(i, e.a[i][:i], e.derivs[i*(i-1)/2:])
		} else {
			e.cov.row(i, e.a[i][:i])
		}
		e.noise[i] = math.Exp(m.noise().LogVariance(d.X[i], np))
		e.a[i][i] = k.Variance + d.variance(i, e.noise[i])
		if m.Linearise {
			floats.AddTo(e.full[i], e.a[i], e.gram[i])
		}
	}
	if _, err := e.l.factorise(e.full); err != nil {
		return math.NaN()
	}
	alpha := e.alpha
	copy(alpha, e.resid)
	e.l.solve(alpha)
	quad := floats.Dot(alpha, alpha)
	value := -quad/2 - e.l.logDeterminant()/2 - float64(n)/2*math.Log(2*math.Pi)
	for i := range d.Repeats {
		v := e.noise[i]
		value -= d.Repeats[i]/2*math.Log(2*math.Pi*v) + d.Scatter[i]/(2*v)
	}
	if grad != nil {
		e.l.solveTransposed(alpha)
		e.gradient(p, grad)
	}
	return value
}

// useMean computes what depends on the mean's parameters mp, which are part of p.
func (e *likelihood) useMean(p, mp []float64) {
	if e.mean != nil && slices.Equal(e.mean, mp) {
		return
	}
	e.mean = slices.Clone(mp)
	q := &Posterior{model: e.m, params: p}
	prior := q.linearise()
	features := make([][]float64, len(e.d.Y))
	for i, x := range e.d.X {
		features[i] = q.features()
		e.resid[i] = e.d.Y[i] - prior.at(x, features[i])
		for j := range min(i+1, len(e.gram)) {
			e.gram[i][j] = floats.Dot(features[i], features[j])
		}
	}
}

// gradient computes half the trace of (α·αᵀ - K⁻¹)·∂K/∂p for each parameter of
// the covariance, and α·∂m/∂p for those of the mean.
func (e *likelihood) gradient(p Params, grad []float64) {
	clear(grad)
	m, alpha := e.m, e.alpha
	_, _, np, mp := m.split(p)
	inv := e.l.inverseIn(e.inverse)
	var dVariance float64
	pair := 0
	gl := grad[:m.Dim]
	for i := range e.a {
		for j := range i {
			w := alpha[i]*alpha[j] - inv[i][j] // both triangles
			dVariance += w * e.a[i][j]
			for c, v := range e.derivs[pair] {
				gl[c] += w * v
			}
			pair++
		}
		dVariance += (alpha[i]*alpha[i] - inv[i][i]) / 2 * e.cov.kernel.Variance
	}
	grad[m.Dim] = dVariance
	nl, ml := m.noise().Len(), m.mean().Len()
	var mean MeanFunc
	if !m.Linearise {
		mean = m.mean().With(mp)
	}
	for i, x := range e.d.X {
		w := (alpha[i]*alpha[i] - inv[i][i]) / 2 * e.d.own(i, e.noise[i])
		if e.d.Repeats != nil {
			w += e.d.Scatter[i]/(2*e.noise[i]) - e.d.Repeats[i]/2
		}
		m.noise().Grad(x, np, e.buffer[:nl])
		floats.AddScaled(grad[m.Dim+1:m.Dim+1+nl], w, e.buffer[:nl])
		if !m.Linearise {
			mean(x, e.buffer[:ml])
			floats.AddScaled(grad[m.Dim+1+nl:], alpha[i], e.buffer[:ml])
		}
	}
}

// logPrior returns the priors' log density and adds its slopes to grad.
func (m *Model) logPrior(p Params, grad []float64) float64 {
	var sum float64
	covariance := m.Dim + 1 + m.noise().Len()
	for i, prior := range m.Priors {
		if prior == nil || m.Linearise && i >= covariance {
			continue // integrated out
		}
		v, s := prior.LogDensity(p[i])
		sum += v
		if grad != nil {
			grad[i] += s
		}
	}
	return sum
}
