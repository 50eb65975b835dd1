package bayesopt

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// Observation is one evaluated point. The objective is to be minimised, and a
// constraint holds where it is not positive. Failed marks an evaluation without
// values: models leave it out, a trust region counts it as a failure, and it is
// never the best. Who knows how bad a failure is does better to tell a value.
type Observation struct {
	X           []float64 // in the unit cube, one element for each input
	Objective   float64
	Constraints []float64 // one for each constraint
	Failed      bool
}

func (o Observation) clone() Observation {
	o.X, o.Constraints = slices.Clone(o.X), slices.Clone(o.Constraints)
	return o
}

// Acquisition names how points are chosen.
type Acquisition int

// The ways to choose points.
const (
	NoisyEI     Acquisition = iota // constrained noisy expected improvement
	LogNoisyEI                     // its logarithm
	TrustRegion                    // Thompson sampling in a trust region (SCBO)
)

// Options are the choices of a study. Zero values take the defaults.
type Options struct {
	Dim         int // number of inputs
	Constraints int // number of constraints
	Acquisition Acquisition
	Samples     int // draws of the expected improvement; 32
	Outliers    OutlierRule
	Search      SearchOptions
	Models      ModelFactory // PaperModel
}

// ErrOptions says that a study cannot be as it was asked for.
var ErrOptions = errors.New("unusable options")

// Study is the state of an optimisation: its options and what was observed.
type Study struct {
	opt     Options
	history []Observation
}

// NewStudy returns a study without observations. Errors are [ErrOptions].
func NewStudy(opt Options) (*Study, error) {
	if opt.Dim < 1 || opt.Constraints < 0 || opt.Samples < 0 || opt.Acquisition < NoisyEI || opt.Acquisition > TrustRegion {
		return nil, fmt.Errorf("%w: %d inputs, %d constraints, %d samples, acquisition %d", ErrOptions, opt.Dim, opt.Constraints, opt.Samples, opt.Acquisition)
	}
	if opt.Samples == 0 {
		opt.Samples = 32
	}
	if opt.Models == nil {
		opt.Models = PaperModel
	}
	return &Study{opt: opt}, nil
}

// Tell adds observations, all or none. It refuses points outside of the unit cube and values
// that are not finite; say Failed for an evaluation that gave none.
func (s *Study) Tell(obs ...Observation) error {
	for i, o := range obs {
		if len(o.X) != s.opt.Dim {
			return fmt.Errorf("observation %d: %d inputs, want %d", i, len(o.X), s.opt.Dim)
		}
		for _, x := range o.X {
			if !(x >= 0 && x <= 1) {
				return fmt.Errorf("observation %d: input %v is outside of the unit cube", i, x)
			}
		}
		if o.Failed {
			continue
		}
		if len(o.Constraints) != s.opt.Constraints {
			return fmt.Errorf("observation %d: %d constraints, want %d", i, len(o.Constraints), s.opt.Constraints)
		}
		for _, v := range append([]float64{o.Objective}, o.Constraints...) {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("observation %d: value %v; mark a failed evaluation as such", i, v)
			}
		}
	}
	for _, o := range obs {
		s.history = append(s.history, o.clone())
	}
	return nil
}

// Ask proposes n points to evaluate together, each with one element in [0, 1] for
// each input. With fewer than two usable observations they are quasi-random. The
// same observations and random source give the same points.
func (s *Study) Ask(n int, rng *rand.Rand) ([][]float64, error) {
	if n < 1 {
		return nil, fmt.Errorf("%w: a batch of %d", ErrOptions, n)
	}
	fit, err := s.fit()
	if err != nil {
		return nil, err
	}
	if fit == nil {
		return spread(n, s.opt.Dim, rng), nil
	}
	if s.opt.Acquisition == TrustRegion {
		return s.askTrustRegion(fit, n, rng)
	}
	nei, err := NewNEI(fit.objective.post, posteriors(fit.constraints), NEIOptions{
		Batch: n, Samples: s.opt.Samples, Seed: rng.Uint64(),
		Worst: fit.worst, Log: s.opt.Acquisition == LogNoisyEI,
	})
	if err != nil {
		return nil, err
	}
	xs, _ := nei.Maximise(s.opt.Dim, nil, s.opt.Search, rng)
	return xs, nil
}

// Best returns the observed point with the lowest posterior mean of the
// objective among those whose constraints' posterior means hold, and whether
// there is one; otherwise the point that comes closest to holding them. It
// returns nil before anything usable was observed.
func (s *Study) Best() (x []float64, feasible bool, err error) {
	fit, err := s.fit()
	if err != nil || fit == nil {
		return nil, false, err
	}
	best, bestViolation := math.Inf(1), math.Inf(1)
	for _, o := range s.history {
		if o.Failed {
			continue
		}
		f := fit.objective.post.Mean(o.X)
		var violation float64
		for _, c := range fit.constraints {
			violation = math.Max(violation, c.post.Mean(o.X))
		}
		if violation < bestViolation || violation == bestViolation && f < best {
			x, best, bestViolation = o.X, f, violation
		}
	}
	return slices.Clone(x), bestViolation <= 0, nil
}

// spread returns n quasi-random points.
func spread(n, dim int, rng *rand.Rand) [][]float64 {
	z := NewSobol(min(dim, MaxSobolDim)).Scrambled(rng.Uint64())
	xs := make([][]float64, n)
	for i := range xs {
		xs[i] = z.Point(uint32(i))
		for len(xs[i]) < dim {
			xs[i] = append(xs[i], rng.Float64())
		}
	}
	return xs
}
