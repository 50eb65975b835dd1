package gp

import (
	"math"

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
	n := len(d.Y)
	k := m.kernel(p)
	_, _, np, mp := m.split(p)
	var derivs [][]float64 // of each pair, with respect to the log length-scales
	a := lowerTriangle(n)
	own := make([]float64, n)
	if grad != nil {
		block := make([]float64, n*(n-1)/2*m.Dim)
		derivs = make([][]float64, 0, n*(n-1)/2)
		for len(block) > 0 {
			derivs, block = append(derivs, block[:m.Dim]), block[m.Dim:]
		}
	}
	resid := make([]float64, n)
	var q *Posterior // knows the features of the mean
	var features [][]float64
	if m.Linearise {
		q = &Posterior{model: m, params: p}
		q.linearise()
		for _, x := range d.X {
			features = append(features, q.features(x))
		}
	}
	pair := 0
	for i := range n {
		for j := range i {
			if grad != nil {
				a[i][j] = k.gradLength(d.X[i], d.X[j], derivs[pair])
				pair++
			} else {
				a[i][j] = k.Eval(d.X[i], d.X[j])
			}
		}
		var total float64
		own[i], total = m.noiseVariance(d, i, np)
		a[i][i] = k.Variance + total
		resid[i] = d.Y[i]
		if m.Linearise {
			resid[i] -= q.priorMean(d.X[i], features[i])
		} else {
			resid[i] -= m.mean().At(d.X[i], mp)
		}
	}
	full := a
	if m.Linearise {
		full = lowerTriangle(n)
		for i := range full {
			for j := range full[i] {
				full[i][j] = a[i][j] + floats.Dot(features[i], features[j])
			}
		}
	}
	l, _, err := cholesky(full)
	if err != nil {
		return math.NaN()
	}
	alpha := append([]float64(nil), resid...)
	l.solve(alpha)
	quad := floats.Dot(alpha, alpha)
	value := -quad/2 - l.logDeterminant()/2 - float64(n)/2*math.Log(2*math.Pi)
	for i := range d.Repeats {
		v := math.Exp(m.noise().LogVariance(d.X[i], np))
		value -= d.Repeats[i]/2*math.Log(2*math.Pi*v) + d.Scatter[i]/(2*v)
	}
	if grad != nil {
		l.solveTransposed(alpha)
		m.likelihoodGradient(d, p, grad, k, a, derivs, own, alpha, l.inverse())
	}
	return value
}

// likelihoodGradient computes half the trace of (α·αᵀ - K⁻¹)·∂K/∂p for each
// parameter of the covariance, and α·∂m/∂p for those of the mean.
func (m *Model) likelihoodGradient(d Data, p Params, grad []float64, k *Kernel, a, derivs [][]float64, own, alpha []float64, inv [][]float64) {
	for i := range grad {
		grad[i] = 0
	}
	_, _, np, mp := m.split(p)
	var dVariance float64
	pair := 0
	gl := grad[:m.Dim]
	for i := range a {
		for j := range i {
			w := alpha[i]*alpha[j] - inv[i][j] // both triangles
			dVariance += w * a[i][j]
			for c, v := range derivs[pair] {
				gl[c] += w * v
			}
			pair++
		}
		dVariance += (alpha[i]*alpha[i] - inv[i][i]) / 2 * k.Variance
	}
	grad[m.Dim] = dVariance
	nl, ml := m.noise().Len(), m.mean().Len()
	buf := make([]float64, max(nl, ml))
	for i, x := range d.X {
		w := (alpha[i]*alpha[i] - inv[i][i]) / 2 * own[i]
		if d.Repeats != nil {
			w += d.Scatter[i]/(2*math.Exp(m.noise().LogVariance(x, np))) - d.Repeats[i]/2
		}
		m.noise().Grad(x, np, buf[:nl])
		floats.AddScaled(grad[m.Dim+1:m.Dim+1+nl], w, buf[:nl])
		if !m.Linearise {
			m.mean().Grad(x, mp, buf[:ml])
			floats.AddScaled(grad[m.Dim+1+nl:], alpha[i], buf[:ml])
		}
	}
}

// logPrior adds the priors' log density to value and their slopes to grad.
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

// LogPosterior returns the log likelihood plus the log prior density of p, up
// to a constant, and writes its gradient into grad unless that is nil.
func (m *Model) LogPosterior(d Data, p Params, grad []float64) float64 {
	return m.LogLikelihood(d, p, grad) + m.logPrior(p, grad)
}
