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
	// rehearsed tells that the function needs no rehearsal, or had it.
	rehearsed bool

	// The last prediction, for window, before any correction; none before the
	// first.
	window    int64
	predicted bool
	active    float64 // probability, corrected
	counts    forecast.Hurdle

	// bias is added to the logit of activity.
	bias float64
	// levels are what the nominal levels turned out to be: the share of counts
	// at or below the predicted quantile, of the last counts and a prior.
	levels [len(nominal)]float64
	weight float64 // of the counts behind levels
}

const (
	// biasRate is how far one window moves the bias: little, as the models have
	// seen the function's history already.
	biasRate = 0.015
	// The observed levels are an exponentially weighted mean with this memory, in
	// counts. Half of the way from the nominal levels to them is gone when the
	// weight of what was observed is levelHalf, nearly all at several times that.
	levelMemory, levelHalf = 300, 17
)

// learn compares the last prediction with what came.
func (s *state) learn(h *forecast.History) {
	if !s.predicted || h.Next() <= s.window {
		return
	}
	s.predicted = false
	count := h.At(s.window)
	if count == 0 {
		s.bias -= biasRate * s.active
		return
	}
	s.bias += biasRate * (1 - s.active)
	s.weight = s.weight*(1-1.0/levelMemory) + 1
	at, before := s.counts.CDF(count), s.counts.CDF(math.Ceil(count)-1)
	if count <= 1 {
		before = 0
	}
	for j, level := range nominal {
		// The randomised transform of a count is uniform between the two.
		below := 0.0
		switch {
		case at <= level:
			below = 1
		case before < level:
			below = (level - before) / (at - before)
		}
		s.levels[j] += (below - s.levels[j]) / s.weight
	}
}

// corrected returns the levels that the predicted quantiles are taken to have.
func (s *state) corrected() []float64 {
	if s.weight == 0 {
		return nominal[:]
	}
	const least = 1e-4 // distance of levels, so that they stay apart
	out := make([]float64, len(nominal))
	trust := s.weight * s.weight / (s.weight*s.weight + levelHalf*levelHalf)
	last := 0.0
	for j, level := range nominal {
		l := level + trust*(s.levels[j]-level)
		room := float64(len(nominal)-j) * least
		out[j] = math.Min(math.Max(l, last+least), 1-room)
		last = out[j]
	}
	return out
}

// predict makes the distribution of a window from the outputs of the models.
func (s *state) predict(window int64, ahead int, logit float64, quantiles []float32) forecast.Hurdle {
	location, scale := s.tracker.Scale()
	values := make([]float64, len(nominal))
	for j := range values {
		q := min(max(float64(quantiles[j]), -maxTarget), maxTarget)
		values[j] = math.Expm1(location + scale*q)
	}
	active := 1 / (1 + math.Exp(-logit-s.bias))
	if ahead == 0 {
		s.window, s.predicted, s.active = window, true, active
		s.counts = forecast.NewHurdle(0, nominal[:], values)
	}
	return forecast.NewHurdle(1-active, s.corrected(), values)
}
