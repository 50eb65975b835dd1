package hurdle

import (
	"math"
	"math/rand/v2"

	"github.com/aquatope/aquatope/forecast"
	"github.com/aquatope/aquatope/forecast/feature"
)

const (
	// warmup is how many windows of a history are only read before the next
	// ones are learnt from.
	warmup = 60
	// staleAfter is how many idle windows make a function stale: of the idle
	// windows of stale functions one in staleKeep is learnt from, with as much
	// more weight.
	staleAfter, staleKeep = 90, 6
	// aheadShare of the examples look further than the next window, at most
	// about maxAhead further.
	aheadShare, maxAhead = 0.15, 30
)

// samples is a table to learn from: one row per function and window.
type samples struct {
	width  int
	x      []float32
	active []bool
	weight []float32
	// target is the standardised count of active rows; see feature.Scale.
	target []float32
	order  []int32 // rows in the order of the current pass
}

func (s *samples) len() int { return len(s.active) }

// at returns the row that is i-th in the current pass, row its features.
func (s *samples) at(i int) int { return int(s.order[i]) }

func (s *samples) row(i int) []float32 {
	k := s.at(i)
	return s.x[k*s.width : (k+1)*s.width]
}

// shuffle starts another pass.
func (s *samples) shuffle(r *rand.Rand) {
	if s.order == nil {
		s.order = make([]int32, s.len())
		for i := range s.order {
			s.order[i] = int32(i)
		}
	}
	r.Shuffle(len(s.order), func(i, j int) { s.order[i], s.order[j] = s.order[j], s.order[i] })
}

// collect replays the histories and takes at most limit rows of them. It
// returns what it has when the budget ends.
func collect(data []*forecast.History, limit int, b forecast.Budget, r *rand.Rand) *samples {
	s := &samples{width: len(feature.Names())}
	expected := 0.0
	for _, h := range data {
		expected += expectedRows(h)
	}
	keep := math.Min(1, float64(limit)/math.Max(expected, 1))
	for i, h := range data {
		if !b.Go(float64(i) / float64(len(data))) {
			break
		}
		s.replay(h, keep, r)
	}
	return s
}

// learnFrom returns the first window of a history that is learnt from.
func learnFrom(h *forecast.History) int64 {
	return h.Start() + int64(min(warmup, h.Len()/4))
}

// expectedRows returns how many rows replay takes of h when it keeps all.
func expectedRows(h *forecast.History) float64 {
	from := learnFrom(h)
	fresh, last := int64(0), from-staleAfter
	for w := range h.In(from, h.Next()) {
		fresh += min(w-last, staleAfter)
		last = w
	}
	fresh += min(h.Next()-last, staleAfter)
	return float64(fresh) + float64(h.Next()-from-fresh)/staleKeep
}

func (s *samples) replay(h *forecast.History, keep float64, r *rand.Rand) {
	past := forecast.NewHistory(h.Function, h.App, h.Start())
	t := feature.NewTracker()
	last := h.Start() - staleAfter
	for w := h.Start(); w < h.Next(); w++ {
		ahead := drawAhead(r)
		count := h.At(w + int64(ahead))
		take, weight := keep, 1.0
		if count == 0 && w-last > staleAfter {
			take, weight = keep/staleKeep, staleKeep
		}
		if w >= learnFrom(h) && w+int64(ahead) < h.Next() && r.Float64() < take {
			t.Update(past)
			s.x = t.Append(s.x, past, ahead)
			s.active = append(s.active, count > 0)
			s.weight = append(s.weight, float32(weight))
			target := 0.0
			if count > 0 {
				location, scale := t.Scale()
				target = (math.Log1p(math.Max(count-r.Float64(), 0)) - location) / scale
			}
			s.target = append(s.target, float32(math.Min(math.Max(target, -maxTarget), maxTarget)))
		}
		if h.At(w) > 0 {
			last = w
		}
		copyWindow(past, h, w)
	}
}

// drawAhead draws how far ahead of the next window an example looks: mostly
// not at all, for that is what is asked most and must be best, else up to
// maxAhead, evenly in the logarithm.
func drawAhead(r *rand.Rand) int {
	if r.Float64() >= aheadShare {
		return 0
	}
	return int(math.Exp(r.Float64()*math.Log(maxAhead+1))+1e-9) - 1 + r.IntN(2)
}
