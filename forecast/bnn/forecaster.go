package bnn

import (
	"math"
	"math/rand/v2"
	"sync"

	"github.com/aquatope/aquatope/forecast"
)

// refresh is after how many windows the z-score of a function is computed anew.
const refresh = 60

// New returns a forecaster. Equal models draw equal Monte-Carlo masks.
func (m *Model) New() forecast.Forecaster {
	return &forecaster{m, map[string][]*sampler{}, map[*forecast.History]*scaled{}, 0}
}

type forecaster struct {
	*Model
	samplers map[string][]*sampler // one per worker; "" is the shared network
	standard map[*forecast.History]*scaled
	round    int
}

// scaled is the z-score of a function as of a window.
type scaled struct {
	standard
	at    int64
	round int
}

// workers share the functions of a forecast.
const workers = 2

// Forecast predicts the next h windows of the histories.
func (f *forecaster) Forecast(histories []*forecast.History, h int) [][]forecast.Distribution {
	f.round++
	out := make([][]forecast.Distribution, len(histories))
	groups := map[string][]int{}
	all := make([]series, len(histories))
	for i, history := range histories {
		key, n := f.network(history)
		if n == nil || history.Len() == 0 {
			out[i] = unlearnt(history, h)
			continue
		}
		s := series{name: history.Function, counts: history.Dense(nil, steps), standard: f.scale(history)}
		s.start = history.Next() - int64(len(s.counts))
		all[i] = s
		groups[key] = append(groups[key], i)
	}
	for key, members := range groups {
		var wg sync.WaitGroup
		for w, sm := range f.samplersOf(key) {
			wg.Go(func() {
				for from := w * together; from < len(members); from += workers * together {
					f.part(sm, key, all, members[from:min(from+together, len(members))], h, out)
				}
			})
		}
		wg.Wait()
	}
	for h, s := range f.standard {
		if s.round < f.round-refresh {
			delete(f.standard, h)
		}
	}
	return out
}

// network returns the network of a function and its key; nil without one.
func (f *forecaster) network(h *forecast.History) (string, *network) {
	if n, ok := f.perFunction[h.Function]; ok {
		return h.Function, &n
	}
	if f.shared.encoder != nil {
		return "", &f.shared
	}
	return "", nil
}

func (f *forecaster) samplersOf(key string) []*sampler {
	if f.samplers[key] == nil {
		n, ok := f.perFunction[key]
		if !ok {
			n = f.shared
		}
		m := drawMasks(n, f.published, rand.New(rand.NewPCG(f.seed, 1)))
		for range workers {
			f.samplers[key] = append(f.samplers[key], newSampler(n, m))
		}
	}
	return f.samplers[key]
}

// part predicts at most together functions.
func (f *forecaster) part(sm *sampler, key string, all []series, members []int, h int, out [][]forecast.Distribution) {
	n, ok := f.perFunction[key]
	if !ok {
		n = f.shared
	}
	chunk := make([]series, len(members))
	for i, m := range members {
		chunk[i] = all[m]
	}
	sm.read(chunk)
	for i, m := range members {
		s := &chunk[i]
		sm.sample(i)
		first := s.mean + s.sd*float64(s.score(s.at(len(s.counts)-steps)))
		out[m] = make([]forecast.Distribution, h)
		for k := range h {
			noise := 0.0
			if !f.published {
				noise = n.noiseOf(s.name)
			}
			mean, variance := sm.predict(s.start + int64(len(s.counts)+k))
			out[m][k] = forecast.NewGaussian(first+s.sd*mean, s.sd*math.Sqrt(variance+noise))
		}
	}
}

// unlearnt is the forecast of a function of which nothing was learnt: its own
// last windows.
func unlearnt(history *forecast.History, h int) []forecast.Distribution {
	e := forecast.NewEmpirical(history.Dense(nil, refresh))
	out := make([]forecast.Distribution, h)
	for k := range out {
		out[k] = e
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
