package bayesopt

import (
	"fmt"
	"math"

	"github.com/aquatope/aquatope/gp"
)

// ModelFactory returns the model that a study fits to one standardised output
// over dim inputs in the unit cube.
type ModelFactory func(dim int) *gp.Model

// PaperModel is the model of the Aquatope paper: Matérn-5/2 with gamma priors
// on length-scales (3, 6), variance (2, 0.15) and noise (1.1, 0.05), constant
// mean. A noise floor keeps duplicated points harmless.
func PaperModel(dim int) *gp.Model {
	m := &gp.Model{Dim: dim}
	for range dim {
		m.Priors = append(m.Priors, gp.GammaOfExp{Shape: 3, Rate: 6})
		m.Lower, m.Upper = append(m.Lower, math.Log(0.005)), append(m.Upper, math.Log(50))
	}
	m.Priors = append(m.Priors, gp.GammaOfExp{Shape: 2, Rate: 0.15}, gp.GammaOfExp{Shape: 1.1, Rate: 0.05}, gp.Flat{})
	m.Lower = append(m.Lower, math.Log(1e-3), math.Log(1e-4), -10)
	m.Upper = append(m.Upper, math.Log(1e3), math.Log(10), 10)
	return m
}

// output is the surrogate of one standardised output.
type output struct {
	post         *gp.Posterior
	centre, unit float64
}

// surrogates are the models of a study's outputs over the same points.
type surrogates struct {
	objective   output
	constraints []output
	worst       float64 // standardised objective of infeasible points
}

func posteriors(out []output) []*gp.Posterior {
	p := make([]*gp.Posterior, len(out))
	for i := range out {
		p[i] = out[i].post
	}
	return p
}

// fit returns the surrogates, or nil with fewer than two usable observations.
// Constraints are scaled but not shifted, so that zero keeps its meaning.
func (s *Study) fit() (*surrogates, error) {
	var obs []Observation
	for _, o := range s.history {
		if !o.Failed {
			obs = append(obs, o)
		}
	}
	if len(obs) < 2 {
		return nil, nil
	}
	keep := make([]bool, len(obs))
	for i := range keep {
		keep[i] = true
	}
	for pass := 0; ; pass++ {
		fit, err := s.fitTo(obs, keep)
		if err != nil || s.opt.Outliers.Z == 0 || pass > 0 {
			return fit, err
		}
		if !s.prune(fit, obs, keep) {
			return fit, nil
		}
	}
}

// prune unmarks outliers of any output, unless too few points would be left.
func (s *Study) prune(fit *surrogates, obs []Observation, keep []bool) bool {
	drop, n := make([]bool, len(obs)), 0
	for k, m := range append([]output{fit.objective}, fit.constraints...) {
		y := make([]float64, len(obs))
		for i, o := range obs {
			y[i] = (value(o, k) - m.centre) / m.unit
		}
		for i, bad := range s.opt.Outliers.find(m.post, y) {
			if bad && !drop[i] {
				drop[i] = true
				n++
			}
		}
	}
	if n == 0 || len(obs)-n < 2 {
		return false
	}
	for i := range keep {
		keep[i] = !drop[i]
	}
	return true
}

// value returns output k of an observation: the objective, then constraints.
func value(o Observation, k int) float64 {
	if k == 0 {
		return o.Objective
	}
	return o.Constraints[k-1]
}

func (s *Study) fitTo(obs []Observation, keep []bool) (*surrogates, error) {
	var all surrogates
	for k := range 1 + s.opt.Constraints {
		var d gp.Data
		for i, o := range obs {
			if keep[i] {
				d.X, d.Y = append(d.X, o.X), append(d.Y, value(o, k))
			}
		}
		var m output
		m.centre, m.unit = meanSD(d.Y)
		if !(m.unit > 1e-12*math.Abs(m.centre)) || m.unit == 0 {
			m.unit = math.Max(1, math.Abs(m.centre)) // no variance: any unit will do
		}
		if k > 0 {
			m.centre = 0
		}
		worst := math.Inf(-1)
		for i := range d.Y {
			d.Y[i] = (d.Y[i] - m.centre) / m.unit
			worst = math.Max(worst, d.Y[i])
		}
		model := s.opt.Models(s.opt.Dim)
		p, _, err := model.Fit(d, gp.FitOptions{})
		if err != nil {
			return nil, fmt.Errorf("fitting output %d: %w", k, err)
		}
		if m.post, err = model.Condition(d, p); err != nil {
			return nil, fmt.Errorf("fitting output %d: %w", k, err)
		}
		if k == 0 {
			all.objective = m
			// M must exceed what a draw of the objective can reach.
			all.worst = worst + 3
		} else {
			all.constraints = append(all.constraints, m)
		}
	}
	return &all, nil
}
