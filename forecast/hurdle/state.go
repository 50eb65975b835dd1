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
	// made is the same as it was given out, with the levels corrected.
	made forecast.Hurdle

	// bias is added to the logit of activity.
	bias float64
	// levels are what the nominal levels turned out to be: the share of counts
	// at or below the predicted quantile, of the last counts and a prior.
	levels [len(nominal)]float64
	weight float64 // of the counts behind levels
	// shift is what is added to a corrected level, by nominal level, so that what
	// is given out is right on average.
	shift [len(nominal)]float64
	// taken are the levels that the predicted quantiles are taken to have.
	taken []float64
}

const (
	// biasRate is how far one window moves the bias: little, as the models have
	// seen the function's history already.
	biasRate = 0.015
	// The observed levels are an exponentially weighted mean with this memory, in
	// counts. Half of the way from the nominal levels to them is gone when the
	// weight of what was observed is levelHalf, nearly all at several times that.
	levelMemory, levelHalf = 300, 17
	// The shifts move by one over the number of counts seen, of which so many are
	// taken to have been seen before the first and to be remembered.
	shiftFirst, shiftMemory = 50, 150
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
	at, before := transform(s.counts, count)
	for j, level := range nominal {
		s.levels[j] += (reached(level, before, at) - s.levels[j]) / s.weight
	}
	// The levels above are right at the predicted quantiles, not between them, and
	// lag behind where a function changes. What was given out is watched as well:
	// each shift follows the share of counts that came at or below its level, so
	// that in the long run the share is the level, whatever the reason that it was
	// not (Gibbs and Candes, Adaptive conformal inference, 2021).
	rate := 1 / (shiftFirst + math.Min(s.weight, shiftMemory))
	at, before = transform(s.made, count)
	for j, level := range nominal {
		s.shift[j] += rate * (reached(level, before, at) - level)
	}
	s.taken = s.corrected()
}

// transform returns the probabilities of at most the count and of less: the
// randomised transform of a count is uniform between the two.
func transform(d forecast.Hurdle, count float64) (at, before float64) {
	if count > 1 {
		before = d.CDF(math.Ceil(count) - 1)
	}
	return d.CDF(count), before
}

// reached is the probability that the randomised transform is at most the level.
func reached(level, before, at float64) float64 {
	switch {
	case at <= level:
		return 1
	case before < level:
		return (level - before) / (at - before)
	}
	return 0
}

// corrected returns the levels that the predicted quantiles are to be taken to
// have. What is returned is given out and does not change.
func (s *state) corrected() []float64 {
	const least = 1e-4 // distance of levels, so that they stay apart
	out := make([]float64, len(nominal))
	trust := s.weight * s.weight / (s.weight*s.weight + levelHalf*levelHalf)
	last := 0.0
	for j, level := range nominal {
		l := level + trust*(s.levels[j]-level)
		l += trust * s.shiftAt(l)
		room := float64(len(nominal)-j) * least
		out[j] = math.Min(math.Max(l, last+least), 1-room)
		last = out[j]
	}
	return out
}

// shiftAt is the shift of a level: that of the nominal levels and none at 0 and
// 1, and linear between them.
func (s *state) shiftAt(level float64) float64 {
	from, low := 0.0, 0.0
	for j, to := range nominal {
		if level <= to {
			return low + (s.shift[j]-low)*(level-from)/(to-from)
		}
		from, low = to, s.shift[j]
	}
	return low * (1 - level) / (1 - from)
}

// predict makes the distribution of a window from the outputs of the model: the
// logit of activity, then the quantiles.
func (s *state) predict(window int64, ahead int, out []float32) forecast.Hurdle {
	logit, quantiles := float64(out[0]), out[1:]
	location, scale := s.tracker.Scale()
	values := make([]float64, len(nominal))
	for j := range values {
		q := min(max(float64(quantiles[j]), -maxTarget), maxTarget)
		values[j] = math.Expm1(location + scale*q)
	}
	if s.taken == nil {
		s.taken = nominal[:]
	}
	active, levels := 1/(1+math.Exp(-logit-s.bias)), s.taken
	if ahead == 0 {
		s.window, s.predicted, s.active = window, true, active
		s.counts = forecast.NewHurdle(0, nominal[:], values)
		s.made = forecast.NewHurdle(0, levels, values)
	}
	return forecast.NewHurdle(1-active, levels, values)
}
