package tuner

import (
	"fmt"
	"math"
	"slices"

	"github.com/aquatope/aquatope/bayesopt"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/gp"
)

// surface is what is believed of one variable's service time: a Gaussian
// process on its logarithm over the logarithms of CPU and memory, with noise
// that depends on both, and which observations do not fit.
type surface struct {
	fixed    bool // a stage outside of our control: no inputs
	middle   [2]float64
	model    *gp.Model
	post     view   // with the most likely parameters
	others   []view // with parameters that could be as well, one for each explanation
	kinds    []view // what predictions average over where there are several kinds of others
	data     gp.Data
	points   points
	censored []bool     // of each point
	slow     []bool     // of each point: it is of the slow kind; nil if there is but one
	outlier  []bool     // of each point, slow ones among them
	resid    []residual // of each invocation
}

// residual is how far an invocation is from what the rest predict.
type residual struct {
	z       float64 // in standard deviations
	sd      float64
	cpu     float64 // logarithm of cores
	run     int
	outlier bool
}

// slow tells an outlier that took longer from one that took less.
func (r residual) slow() bool { return r.outlier && r.z > 0 }

const (
	outlierZ      = 3.0  // leave-one-out distance that is too much
	outlierWeight = 0.02 // of an observation that does not fit
	maxVariance   = 4.0  // of the noise of a log time
	explanations  = 8    // of the data that predictions average over
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
	whole := wholeOf(0)
	s.model = &gp.Model{
		Dim: 2, Form: gp.Product, Mean: amdahl{middle: s.middle[0]}, Noise: gp.LinearNoise{Dim: 2}, Linearise: true,
		Priors: []gp.Prior{
			gp.Normal{Mean: math.Log(0.85), SD: 0.5},
			// Memory that is enough helps no more, so the time changes slowly with it.
			gp.Normal{Mean: math.Log(2), SD: 0.5},       // length-scales
			gp.Normal{Mean: 2 * math.Log(0.08), SD: 1},  // what Amdahl's law gets wrong
			gp.Normal{Mean: 2 * math.Log(0.1), SD: 1.8}, // noise in the middle
			gp.Normal{SD: 0.8},
			gp.Normal{SD: 0.3}, // its growth with CPU and memory
			gp.Normal{Mean: mean, SD: 3},
			gp.Normal{Mean: -2, SD: 1.5},
			gp.Normal{Mean: hiC - 0.5, SD: 1},
			gp.Normal{Mean: math.Log(0.3), SD: 0.8},
			gp.Normal{Mean: -0.5 * halfM, SD: 0.1 + 0.6*halfM},
			whole.prior,
			gp.Normal{Mean: math.Log(0.9), SD: 0.25},
		},
		Lower: []float64{-2.5, -2.5, 2 * math.Log(0.005), 2 * math.Log(1e-4), -3, -3, mean - 20, -8, loC - 0.5, -5, -halfM - 1, whole.lower, -1.5},
		Upper: []float64{2.5, 2.5, 2 * math.Log(1), math.Log(maxVariance), 3, 3, mean + 20, 6, hiC + 2, 1.5, halfM, whole.upper, 0.3},
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
		Dim: 1, Mean: gp.ConstantMean{}, Noise: gp.ConstantNoise{}, Linearise: true,
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

// predict returns mean and standard deviation of the log time at inputs, and the
// standard deviation of its noise, over all kinds of explanations.
func (s *surface) predict(xs [][]float64) (mean, sd, noise []float64) {
	kinds := s.kinds
	if kinds == nil {
		kinds = []view{s.post}
	}
	mean, sd, noise = make([]float64, len(xs)), make([]float64, len(xs)), make([]float64, len(xs))
	share := 1 / float64(len(kinds))
	for k := 0; k < len(kinds); k++ {
		same := 1.0
		for ; k+1 < len(kinds) && kinds[k+1].Posterior == kinds[k].Posterior; k++ {
			same++
		}
		m, v := kinds[k].PredictAll(xs)
		for i, x := range xs {
			mean[i] += share * same * m[i]
			sd[i] += share * same * (v[i] + m[i]*m[i])
			noise[i] += share * same * kinds[k].NoiseVariance(x)
		}
	}
	for i := range xs {
		sd[i] = math.Sqrt(math.Max(sd[i]-mean[i]*mean[i], 0))
		noise[i] = math.Sqrt(noise[i])
	}
	return mean, sd, noise
}

// logCPU returns the logarithm of the cores that a variable has, 0 where these
// are not ours.
func (s *surface) logCPU(r function.Resources) float64 {
	if s.fixed {
		return 0
	}
	return math.Log(r.CPU.Cores())
}

// observe sets the data. Weights of outliers are decided by judge.
func (s *surface) observe(e evidence) {
	s.points = gatherPoints(e, maxPoints)
	s.data = gp.Data{Y: slices.Clone(s.points.value), Weight: slices.Clone(s.points.weight), Scatter: s.points.scatter}
	for _, of := range s.points.of {
		s.data.X = append(s.data.X, s.input(e.resources[of[0]]))
		s.data.Repeats = append(s.data.Repeats, float64(len(of)-1))
		s.censored = append(s.censored, e.censored[of[0]])
	}
	s.outlier = make([]bool, len(s.data.Y))
}

// condition conditions on the data with parameters p. Censored observations are
// moved to where they are expected given that they exceed their bound; then
// slow ones and outliers are told from the rest, count for less, and the rest is
// conditioned anew.
func (s *surface) condition(p gp.Params, k slowPart) error {
	copy(s.data.Weight, s.points.weight)
	copy(s.data.Y, s.points.value)
	s.data.Fixed, s.slow = nil, nil
	if k.share > 0 {
		if err := s.tell(p, k); err != nil {
			return fmt.Errorf("conditioning on service times: %w", err)
		}
	}
	if err := s.impute(p); err != nil {
		return err
	}
	var err error
	if s.post.Posterior, err = s.model.Condition(s.data, p); err != nil {
		return fmt.Errorf("conditioning on service times: %w", err)
	}
	s.outlier = s.post.Outliers(outlierZ)
	found := false
	for i, out := range s.outlier {
		if out {
			s.data.Weight[i] *= outlierWeight
			found = true
		}
	}
	if found {
		if s.post.Posterior, err = s.model.Condition(s.data, p); err != nil {
			return fmt.Errorf("conditioning on service times: %w", err)
		}
	}
	for i, slow := range s.slow {
		s.outlier[i] = s.outlier[i] || slow
	}
	return nil
}

// impute replaces each censored value by its expectation under the posterior of
// the uncensored ones, given that it exceeds the bound at which it was stopped.
func (s *surface) impute(p gp.Params) error {
	var rest gp.Data
	for i, c := range s.censored {
		if !c {
			rest.X, rest.Y = append(rest.X, s.data.X[i]), append(rest.Y, s.data.Y[i])
			rest.Weight = append(rest.Weight, s.data.Weight[i])
			if s.data.Fixed != nil {
				rest.Fixed = append(rest.Fixed, s.data.Fixed[i])
			}
		}
	}
	if len(rest.Y) == len(s.censored) {
		return nil
	}
	post, err := s.model.Condition(rest, p)
	if err != nil {
		return fmt.Errorf("conditioning on uncensored service times: %w", err)
	}
	for i, c := range s.censored {
		if !c {
			continue
		}
		mean, v := post.Predict(s.data.X[i])
		sd := math.Sqrt(v + post.NoiseVariance(s.data.X[i]))
		s.data.Y[i] = mean + sd*tailMean((s.points.value[i]-mean)/sd)
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

// residuals computes how far each invocation is from what the points other than
// its own predict.
func (s *surface) residuals(e evidence) {
	mean, variance := s.post.LeaveOneOut()
	for i, of := range s.points.of {
		one := s.post.NoiseVariance(s.data.X[i])
		// The variance of the point, its noise taken out, and that of one
		// invocation put in its place.
		size := s.points.size[i]
		noise := one / s.data.Weight[i]
		if s.data.Fixed != nil {
			noise += s.data.Fixed[i]
		}
		sd := math.Sqrt(math.Max(variance[i]-noise, 0) + one*size*size)
		for _, k := range of {
			y := e.logTime[k]
			if s.censored[i] {
				y = s.data.Y[i]
			}
			s.resid = append(s.resid, residual{
				z: (y - mean[i]) / sd, sd: sd, cpu: s.logCPU(e.resources[k]), run: e.run[k], outlier: s.outlier[i],
			})
		}
	}
}

// explore conditions on the same data, outliers as they were found, with other
// parameters.
func (s *surface) explore(around []explanation) error {
	for i, x := range around {
		if i > 0 && &x.params[0] == &around[i-1].params[0] {
			s.others = append(s.others, s.others[i-1])
			continue
		}
		s.counts(x.unit)
		post, err := s.model.Condition(s.data, x.params)
		if err != nil {
			return fmt.Errorf("conditioning on service times: %w", err)
		}
		s.others = append(s.others, view{Posterior: post})
	}
	return nil
}

// around draws parameters that explain the data, to which p was fitted, about as
// well as p does.
func (s *surface) around(p gp.Params, n int, seed uint64) ([]gp.Params, error) {
	const candidates = 3
	dim := s.model.NumParams() - s.model.Mean.Len()
	return s.model.Around(s.data, p, bayesopt.NewSobol(dim).Scrambled(seed).Normals(candidates*n), n)
}

// fit finds the parameters for the data, starting from an earlier fit if there
// is one.
func (s *surface) fit(from explanation, seed uint64) (fitted, error) {
	start := from.params
	s.counts(from.unit)
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
	copy(s.data.Weight, s.points.weight)
	if err := s.impute(start); err != nil {
		return fitted{}, err
	}
	options := gp.FitOptions{Starts: []gp.Params{start}, Iterations: 30, Tolerance: 1e-5}
	p, _, err := s.model.Fit(s.data, options)
	if err != nil {
		return fitted{}, err
	}
	if err := s.condition(p, slowPart{}); err != nil {
		return fitted{}, err
	}
	if slices.Contains(s.outlier, true) {
		options.Starts[0] = p
		if p, _, err = s.model.Fit(s.data, options); err != nil {
			return fitted{}, err
		}
	}
	p, k, err := s.fitSlow(p, options)
	if err != nil {
		return fitted{}, err
	}
	out, err := s.modes(explanation{p, from.unit}, options, seed)
	out.slow = k
	return out, err
}
