package baseline

import (
	"math"
	"math/rand/v2"

	"github.com/aquatope/aquatope/forecast"
)

// errorsKept is how many of the last errors of a function make its distribution.
const errorsKept = 200

// point predicts numbers for one function.
type point interface {
	// observe takes the next count.
	observe(count float64)
	// predict returns the expected count k >= 1 windows ahead.
	predict(k int) float64
}

// model is a baseline without parameters: learner and model at once.
type model struct {
	name string
	new  func() point
}

// All returns the baselines in order of name.
func All() []forecast.Learner {
	return []forecast.Learner{
		ExponentialSmoothing(), Fourier(), LastValue(), MovingAverage(), SeasonalNaive(),
	}
}

func (m model) Name() string { return m.name }

// Train returns the model itself: there is nothing to learn beforehand.
func (m model) Train([]*forecast.History, forecast.Budget, *rand.Rand) (forecast.Model, error) {
	return m, nil
}

func (m model) New() forecast.Forecaster {
	return &forecaster{new: m.new, functions: map[*forecast.History]*function{}}
}

type forecaster struct {
	new       func() point
	functions map[*forecast.History]*function
	round     int
	dense     []float64
}

// function is what is remembered of one function.
type function struct {
	point  point
	seen   int64
	round  int
	errors []float64 // ring
	at     int
}

// Forecast predicts the next h windows of the histories.
func (f *forecaster) Forecast(histories []*forecast.History, h int) [][]forecast.Distribution {
	f.round++
	out := make([][]forecast.Distribution, len(histories))
	for i, history := range histories {
		s := f.functions[history]
		if s == nil {
			s = &function{point: f.new(), seen: history.Start()}
			f.functions[history] = s
		}
		s.round = f.round
		f.dense = history.Dense(f.dense, int(history.Next()-s.seen))
		s.seen = history.Next()
		for _, c := range f.dense {
			s.observe(c)
		}
		out[i] = make([]forecast.Distribution, h)
		for k := range h {
			out[i][k] = s.distribution(k + 1)
		}
	}
	f.forget()
	return out
}

// forget drops functions that are no longer asked for.
func (f *forecaster) forget() {
	const rounds = 60
	if f.round%rounds != 0 {
		return
	}
	for h, s := range f.functions {
		if s.round < f.round-rounds {
			delete(f.functions, h)
		}
	}
}

func (s *function) observe(count float64) {
	e := count - s.point.predict(1)
	if len(s.errors) < errorsKept {
		s.errors = append(s.errors, e)
	} else {
		s.errors[s.at] = e
		s.at = (s.at + 1) % errorsKept
	}
	s.point.observe(count)
}

// distribution is the prediction plus the last errors, which are taken to grow
// with the root of the distance.
func (s *function) distribution(k int) forecast.Distribution {
	p := s.point.predict(k)
	growth := math.Sqrt(float64(k))
	sample := make([]float64, len(s.errors))
	for i, e := range s.errors {
		sample[i] = p + growth*e
	}
	return forecast.NewEmpirical(sample)
}
