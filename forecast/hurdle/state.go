package hurdle

import (
	"math"

	"github.com/aquatope/aquatope/forecast"
	"github.com/aquatope/aquatope/forecast/feature"
)

// state is what is remembered of one function along a line of time: its
// features, and what the last predictions of it were worth.
type state struct {
	tracker *feature.Tracker
	round   int // of the last forecast

	// The last prediction, for window; none before the first.
	window    int64
	predicted bool
	active    float64 // probability
	counts    forecast.Hurdle

	bias float64 // added to the logit
}

var Eta = 0.015

// learn compares the last prediction with what came.
func (s *state) learn(h *forecast.History) {
	if !s.predicted || h.Next() <= s.window {
		return
	}
	s.predicted = false
	y := 0.0
	if h.At(s.window) > 0 {
		y = 1
	}
	s.bias += Eta * (y - s.active)
}

// predict makes the distribution of a window from the outputs of the models.
func (s *state) predict(window int64, ahead int, logit float64, quantiles []float32) forecast.Hurdle {
	location, scale := s.tracker.Scale()
	values := make([]float64, len(levels))
	for j := range values {
		q := min(max(float64(quantiles[j]), -maxTarget), maxTarget)
		values[j] = math.Expm1(location + scale*q)
	}
	active := 1 / (1 + math.Exp(-logit-s.bias))
	d := forecast.NewHurdle(1-active, levels, values)
	if ahead == 0 {
		s.window, s.predicted, s.active, s.counts = window, true, active, d
	}
	return d
}
