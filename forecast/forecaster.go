package forecast

import (
	"math/rand/v2"
)

// Distribution is a prediction of the demand of one window: a distribution on
// the numbers from 0. Implementations are immutable values, and sound: no
// method returns NaN, a negative number or an infinity.
type Distribution interface {
	Mean() float64
	// Quantile returns the smallest x with CDF(x) >= p, for p in [0, 1).
	Quantile(p float64) float64
	// CDF returns P(demand <= x). 1 - CDF(0) is the probability that the
	// function is called at all.
	CDF(x float64) float64
	Sample(r *rand.Rand) float64
}

// Forecaster predicts along one line of time. It may remember what it predicted
// to correct itself by what came, so it is used by one goroutine, with histories
// that grow between calls.
type Forecaster interface {
	// Forecast returns, for each of the histories, the distributions of its
	// next h windows: out[i][k] is for window histories[i].Next()+k. Histories
	// of the same app may inform each other. Any history is legal, an
	// empty one included.
	Forecast(histories []*History, h int) [][]Distribution
}

// Model is what training leaves: immutable, safe for concurrent use.
type Model interface {
	// Name is how reports call the model.
	Name() string
	// New returns a forecaster that has seen nothing yet.
	New() Forecaster
}

// Learner trains a model. Models without parameters ignore the data.
type Learner interface {
	Name() string
	// Train learns from the histories as they are, within the budget. The
	// outcome depends on the arguments only.
	Train(data []*History, b Budget, r *rand.Rand) (Model, error)
}

// Budget bounds training.
type Budget struct {
	// Continue is asked between steps of a few milliseconds; training ends with
	// what it has when it returns false. Nil means to train to the end. It is
	// where a caller puts deadlines, cancellation and yielding to others.
	Continue func() bool
	// Progress, unless nil, is told the share of the work that is done, in [0, 1].
	Progress func(done float64)
}

// Go reports whether training may continue, and tells progress.
func (b Budget) Go(done float64) bool {
	if b.Progress != nil {
		b.Progress(done)
	}
	return b.Continue == nil || b.Continue()
}

// Part is the budget of the part of the work between two shares of the whole.
func (b Budget) Part(from, to float64) Budget {
	part := Budget{Continue: b.Continue}
	if b.Progress != nil {
		part.Progress = func(done float64) { b.Progress(from + (to-from)*done) }
	}
	return part
}
