package hurdle

import (
	"github.com/aquatope/aquatope/forecast"
	"github.com/aquatope/aquatope/forecast/feature"
)

const (
	// rehearsed is how many of the last windows of a busy function are predicted
	// again when it is first seen, so that the correction of the quantiles need
	// not start from nothing. A function is busy when half of them are active.
	rehearsed = 120
	// rehearsals bounds the functions that are rehearsed in one call, so that
	// the first call is not much slower than others.
	rehearsals = 32
)

// rehearse prepares the states of functions that are new, at most rehearsals
// of them. Others learn as they go.
func (f *forecaster) rehearse(histories []*forecast.History) {
	left := rehearsals
	for _, h := range histories {
		s := f.state[h]
		if s.rehearsed || left == 0 {
			continue
		}
		s.rehearsed = true
		if h.Len() > 2*rehearsed && h.ActiveIn(h.Next()-rehearsed, h.Next()) >= rehearsed/2 {
			f.workers[0].replay(h, s)
			left--
		}
	}
}

// replay predicts the last windows of a history from what came before them.
func (k *worker) replay(h *forecast.History, s *state) {
	// Features reach back at most a day for what matters to a busy function.
	const reach = 1440
	from := max(h.Start(), h.Next()-rehearsed-reach)
	past := forecast.NewHistory(h.Function, h.App, from)
	r := state{tracker: feature.NewTracker()}
	for w := from; w < h.Next(); w++ {
		if w >= h.Next()-rehearsed {
			r.learn(past)
			r.tracker.Update(past)
			k.read(0, r.tracker, past, 0)
			r.predict(w, 0, k.predict(1).Row(0))
		}
		copyWindow(past, h, w)
	}
	r.learn(past)
	s.bias += r.bias
	s.levels, s.weight, s.shift, s.taken = r.levels, r.weight, r.shift, r.taken
}

// copyWindow appends window w of h to past.
func copyWindow(past, h *forecast.History, w int64) {
	c := h.At(w)
	if c == 0 {
		past.Advance(w + 1)
		return
	}
	// The count was accepted by h before.
	if err := past.Observe(w, c); err != nil {
		panic("BUG: hurdle: " + err.Error())
	}
}
