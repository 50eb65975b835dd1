package bnn

import (
	"math"
	"math/rand/v2"

	"github.com/aquatope/aquatope/forecast"
)

// refresh is after how many windows the z-score of a function is computed anew.
const refresh = 60

// New returns a forecaster. Equal models draw equal Monte-Carlo masks.
func (m *Model) New() forecast.Forecaster {
	return &forecaster{m, map[string]*sampler{}, map[*forecast.History]*scaled{}, rand.New(rand.NewPCG(m.seed, 1)), 0}
}

type forecaster struct {
	*Model
	samplers map[string]*sampler // "" for the shared network
	standard map[*forecast.History]*scaled
	r        *rand.Rand
	round    int
}

// scaled is the z-score of a function as of a window.
type scaled struct {
	standard
	at    int64
	round int
}

// Forecast predicts the next h windows of the histories.
func (f *forecaster) Forecast(histories []*forecast.History, h int) [][]forecast.Distribution {
	f.round++
	out := make([][]forecast.Distribution, len(histories))
	for i, history := range histories {
		out[i] = f.one(history, h)
	}
	for h, s := range f.standard {
		if s.round < f.round-refresh {
			delete(f.standard, h)
		}
	}
	return out
}

func (f *forecaster) one(history *forecast.History, h int) []forecast.Distribution {
	key := history.Function
	n, ok := f.perFunction[key]
	if !ok {
		n, key = f.shared, ""
	}
	out := make([]forecast.Distribution, h)
	if n.encoder == nil || history.Len() == 0 {
		// Nothing was learnt about it: what its own past says.
		e := forecast.NewEmpirical(history.Dense(nil, refresh))
		for k := range out {
			out[k] = e
		}
		return out
	}
	sm := f.samplers[key]
	if sm == nil {
		sm = newSampler(n.encoder, n.head, f.r)
		f.samplers[key] = sm
	}
	s := series{counts: history.Dense(nil, steps), standard: f.scale(history)}
	s.start = history.Next() - int64(len(s.counts))
	sm.encode(&s)
	first := s.mean + s.sd*float64(s.score(s.at(len(s.counts)-steps)))
	noise := n.noise
	if f.published {
		noise = 0
	}
	for k := range out {
		mean, variance := sm.predict(history.Next() + int64(k))
		out[k] = forecast.NewGaussian(first+s.sd*mean, s.sd*math.Sqrt(variance+noise))
	}
	return out
}

func (f *forecaster) scale(h *forecast.History) standard {
	s := f.standard[h]
	if s == nil || h.Next() >= s.at+refresh {
		s = &scaled{standardise(h.Dense(nil, h.Len())), h.Next(), 0}
		f.standard[h] = s
	}
	s.round = f.round
	return s.standard
}
