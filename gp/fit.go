package gp

import (
	"fmt"
	"math"

	"github.com/aquatope/aquatope/gp/minimise"
)

// FitOptions bounds the work of a fit.
type FitOptions struct {
	// Starts are parameter vectors to begin from; the best end wins. None means
	// the middle of the priors.
	Starts []Params
	// Iterations of each start at most; 0 means 60.
	Iterations int
	// Tolerance of the log posterior, relative; 0 means 1e-8.
	Tolerance float64
}

// Fit returns the parameters of highest posterior density found from the
// starts, and that log density. It fails for unusable data ([ErrData]), and if
// the likelihood is not finite at any start ([ErrNotPositiveDefinite]).
func (m *Model) Fit(d Data, opt FitOptions) (Params, float64, error) {
	if err := d.Check(m.Dim); err != nil {
		return nil, 0, fmt.Errorf("fitting a Gaussian process: %w", err)
	}
	if opt.Iterations == 0 {
		opt.Iterations = 60
	}
	if opt.Tolerance == 0 {
		opt.Tolerance = 1e-8
	}
	starts := opt.Starts
	if len(starts) == 0 {
		starts = []Params{m.Start()}
	}
	lower, upper := m.bounds()
	e := m.likelihood(d)
	objective := func(p, grad []float64) float64 {
		v := e.posterior(p, grad)
		for i := range grad {
			grad[i] = -grad[i]
		}
		return -v
	}
	best, bestValue := Params(nil), math.Inf(1)
	local := minimise.Options{Iterations: opt.Iterations, Change: opt.Tolerance, Gradient: 1e-5}
	for _, s := range starts {
		var r minimise.Result
		if m.Linearise {
			r = m.alternate(d, objective, s, lower, upper, local)
		} else {
			r = minimise.Box(objective, s, lower, upper, local)
		}
		if r.Value < bestValue {
			best, bestValue = r.X, r.Value
		}
	}
	if best == nil {
		return nil, 0, fmt.Errorf("fitting a Gaussian process: %w", ErrNotPositiveDefinite)
	}
	return best, -bestValue, nil
}

// Start returns the centre of the priors: the mean of a Normal, the mode (or,
// without one, the mean) of a GammaOfExp, zero for a flat one.
func (m *Model) Start() Params {
	p := make(Params, m.NumParams())
	lower, upper := m.bounds()
	for i := range p {
		if i < len(m.Priors) {
			switch prior := m.Priors[i].(type) {
			case Normal:
				p[i] = prior.Mean
			case GammaOfExp:
				v := (prior.Shape - 1) / prior.Rate
				if v <= 0 {
					v = prior.Shape / prior.Rate
				}
				p[i] = math.Log(v)
			}
		}
		p[i] = math.Min(math.Max(p[i], lower[i]), upper[i])
	}
	return p
}

func (m *Model) bounds() (lower, upper []float64) {
	n := m.NumParams()
	lower, upper = m.Lower, m.Upper
	if lower == nil {
		lower = make([]float64, n)
		for i := range lower {
			lower[i] = math.Inf(-1)
			if i < m.Dim+1 {
				lower[i] = -12 // scales of 6e-6 to 1e5 span any standardised data
			}
		}
	}
	if upper == nil {
		upper = make([]float64, n)
		for i := range upper {
			upper[i] = math.Inf(1)
			if i < m.Dim+1 {
				upper[i] = 12
			}
		}
	}
	return lower, upper
}
