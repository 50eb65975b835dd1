package tuner

import (
	"fmt"
	"math"
	"slices"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/gp"
)

// surface is what is believed of one variable's service time: a Gaussian
// process on its logarithm over the logarithms of CPU and memory, with noise
// that depends on both, and which observations do not fit.
type surface struct {
	fixed   bool // a stage outside of our control: no inputs
	middle  [2]float64
	model   *gp.Model
	post    *gp.Posterior
	data    gp.Data
	run     []int // that each observation belongs to
	outlier []bool
	resid   []float64 // standardised leave-one-out residuals
	spread  []float64 // standard deviation that each residual was divided by
}

const (
	outlierZ      = 3.0  // leave-one-out distance that is too much
	outlierWeight = 0.02 // of an observation that does not fit
	maxVariance   = 4.0  // of the noise of a log time
)

// newSurface sets up the model of a function over a space.
func newSurface(space function.Space, e evidence) *surface {
	s := &surface{}
	log := func(cpu, mem int64) (float64, float64) {
		return math.Log(function.MilliCPU(cpu).Cores()), math.Log(function.Bytes(mem).GiB())
	}
	loC, loM := log(space.CPU.Min, space.Memory.Min)
	hiC, hiM := log(space.CPU.Max, space.Memory.Max)
	s.middle = [2]float64{(loC + hiC) / 2, (loM + hiM) / 2}
	var mean float64
	for _, y := range e.logTime {
		mean += y / float64(len(e.logTime))
	}
	halfM := (hiM - loM) / 2
	s.model = &gp.Model{
		Dim: 2, Form: gp.Product, Mean: amdahl{middle: s.middle[0]}, Noise: gp.LinearNoise{Dim: 2}, Linearise: true,
		Priors: []gp.Prior{
			gp.Normal{Mean: math.Log(0.7), SD: 0.5},
			gp.Normal{Mean: math.Log(1.2), SD: 0.6},    // length-scales
			gp.Normal{Mean: 2 * math.Log(0.08), SD: 1}, // what Amdahl's law gets wrong
			gp.Normal{Mean: 2 * math.Log(0.1), SD: 1},  // noise in the middle
			gp.Normal{SD: 1},
			gp.Normal{SD: 0.7}, // its growth with CPU and memory
			gp.Normal{Mean: mean, SD: 3},
			gp.Normal{Mean: -2, SD: 1.5},
			gp.Normal{Mean: hiC - 0.5, SD: 1},
			gp.Normal{Mean: math.Log(0.3), SD: 0.8},
			gp.Normal{Mean: -0.5 * halfM, SD: 0.1 + 0.6*halfM},
			gp.Normal{Mean: -2.5, SD: 1.5},
		},
		Lower: []float64{-2.5, -2.5, 2 * math.Log(0.005), 2 * math.Log(1e-4), -3, -3, mean - 20, -8, loC - 0.5, -5, -halfM - 1, -6},
		Upper: []float64{2.5, 2.5, 2 * math.Log(1), math.Log(maxVariance), 3, 3, mean + 20, 6, hiC + 2, 1.5, halfM, 5},
	}
	return s
}

// newFixedSurface sets up the model of a stage whose resources are not ours.
func newFixedSurface(e evidence) *surface {
	var mean float64
	for _, y := range e.logTime {
		mean += y / float64(len(e.logTime))
	}
	return &surface{fixed: true, model: &gp.Model{
		Dim: 1, Linearise: true,
		Priors: []gp.Prior{
			gp.Normal{SD: 0.1},
			gp.Normal{Mean: 2 * math.Log(0.005), SD: 0.1},
			gp.Normal{Mean: 2 * math.Log(0.1), SD: 1.5},
			gp.Normal{Mean: mean, SD: 3},
		},
		Lower: []float64{-1, 2 * math.Log(0.004), 2 * math.Log(1e-4), mean - 20},
		Upper: []float64{1, 2 * math.Log(0.006), math.Log(maxVariance), mean + 20},
	}}
}

// input maps resources to the model's inputs.
func (s *surface) input(r function.Resources) []float64 {
	if s.fixed {
		return []float64{0}
	}
	return []float64{math.Log(r.CPU.Cores()) - s.middle[0], math.Log(r.Memory.GiB()) - s.middle[1]}
}

// observe sets the data. Weights of outliers are decided by judge.
func (s *surface) observe(e evidence) {
	s.data = gp.Data{}
	for i, y := range e.logTime {
		s.data.X = append(s.data.X, s.input(e.resources[i]))
		s.data.Y = append(s.data.Y, y)
		s.data.Weight = append(s.data.Weight, 1)
	}
	s.outlier = make([]bool, len(e.logTime))
}

// condition conditions on the data with parameters p. Censored observations are
// moved to where they are expected given that they exceed their bound; then
// outliers are found and given little weight, and the rest conditioned anew.
func (s *surface) condition(p gp.Params, censored []bool) error {
	for i := range s.data.Weight {
		s.data.Weight[i] = 1
	}
	if err := s.impute(p, censored); err != nil {
		return err
	}
	var err error
	if s.post, err = s.model.Condition(s.data, p); err != nil {
		return fmt.Errorf("conditioning on service times: %w", err)
	}
	s.outlier = s.post.Outliers(outlierZ)
	found := false
	for i, out := range s.outlier {
		if out {
			s.data.Weight[i] = outlierWeight
			found = true
		}
	}
	if found {
		if s.post, err = s.model.Condition(s.data, p); err != nil {
			return fmt.Errorf("conditioning on service times: %w", err)
		}
	}
	s.residuals()
	return nil
}

// impute replaces each censored value by its expectation under the posterior of
// the uncensored ones, given that it exceeds the bound at which it was stopped.
func (s *surface) impute(p gp.Params, censored []bool) error {
	var rest gp.Data
	for i, c := range censored {
		if !c {
			rest.X, rest.Y = append(rest.X, s.data.X[i]), append(rest.Y, s.data.Y[i])
		}
	}
	if len(rest.Y) == len(censored) {
		return nil
	}
	post, err := s.model.Condition(rest, p)
	if err != nil {
		return fmt.Errorf("conditioning on uncensored service times: %w", err)
	}
	for i, c := range censored {
		if !c {
			continue
		}
		mean, v := post.Predict(s.data.X[i])
		sd := math.Sqrt(v + post.NoiseVariance(s.data.X[i]))
		s.data.Y[i] = mean + sd*tailMean((s.data.Y[i]-mean)/sd)
	}
	return nil
}

// tailMean is the mean of a standard normal variate beyond a.
func tailMean(a float64) float64 {
	if a > 8 { // the ratio below loses its digits; its asymptote does not
		return a + 1/a
	}
	tail := math.Erfc(a/math.Sqrt2) / 2
	return math.Exp(-a*a/2) / math.Sqrt(2*math.Pi) / tail
}

// residuals computes how far each observation is from what the others predict.
func (s *surface) residuals() {
	mean, variance := s.post.LeaveOneOut()
	s.resid, s.spread = make([]float64, len(mean)), make([]float64, len(mean))
	for i := range mean {
		v := variance[i]
		if s.outlier[i] { // its own variance was inflated
			own := s.post.NoiseVariance(s.data.X[i])
			v -= own/outlierWeight - own
		}
		s.spread[i] = math.Sqrt(math.Max(v, 1e-12))
		s.resid[i] = (s.data.Y[i] - mean[i]) / s.spread[i]
	}
}

// fit finds the parameters for the data, starting from an earlier fit if there
// is one.
func (s *surface) fit(start gp.Params, censored []bool) (gp.Params, error) {
	if start == nil {
		start = s.model.Start()
	} else {
		start = append(gp.Params(nil), start...)
		for i := range start { // bounds and priors moved with the data
			start[i] = math.Min(math.Max(start[i], s.model.Lower[i]), s.model.Upper[i])
		}
	}
	// First with everything, so that what an earlier fit thought of as outliers
	// does not decide how small the noise is; then without what does not fit.
	for i := range s.data.Weight {
		s.data.Weight[i] = 1
	}
	if err := s.impute(start, censored); err != nil {
		return nil, err
	}
	options := gp.FitOptions{Starts: []gp.Params{start}, Iterations: 30, Tolerance: 1e-5}
	p, _, err := s.model.Fit(s.data, options)
	if err != nil {
		return nil, err
	}
	if err := s.condition(p, censored); err != nil {
		return nil, err
	}
	if !slices.Contains(s.outlier, true) {
		return p, nil
	}
	options.Starts[0] = p
	p, _, err = s.model.Fit(s.data, options)
	return p, err
}
