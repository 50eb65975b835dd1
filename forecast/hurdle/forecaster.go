package hurdle

import (
	"sync"

	"github.com/aquatope/aquatope/forecast"
	"github.com/aquatope/aquatope/forecast/feature"
	"github.com/aquatope/aquatope/forecast/nn"
)

const (
	// chunk is how many functions go through the network at once.
	chunk = 128
	// workers share the functions of a forecast. What they find does not depend
	// on who found it.
	workers = 2
)

// forecaster predicts along one line of time.
type forecaster struct {
	*Model
	workers [workers]*worker
	state   map[*forecast.History]*state
	round   int
}

// worker has what one goroutine needs to predict.
type worker struct {
	*Model
	net *network
	x   []float32
	in  nn.Matrix
}

func newForecaster(m *Model) *forecaster {
	f := &forecaster{Model: m, state: map[*forecast.History]*state{}}
	for i := range f.workers {
		f.workers[i] = &worker{Model: m, net: m.net.fork(), in: nn.NewMatrix(chunk, len(m.in.Mean))}
	}
	return f
}

// Forecast predicts the next h windows of the histories.
func (f *forecaster) Forecast(histories []*forecast.History, h int) [][]forecast.Distribution {
	f.round++
	out := make([][]forecast.Distribution, len(histories))
	states := make([]*state, len(histories))
	for i, history := range histories {
		s := f.state[history]
		if s == nil {
			s = &state{tracker: feature.NewTracker()}
			f.state[history] = s
		}
		s.round = f.round
		states[i] = s
	}
	f.rehearse(histories)
	var wg sync.WaitGroup
	for i, w := range f.workers {
		wg.Go(func() {
			for from := i * chunk; from < len(histories); from += workers * chunk {
				to := min(from+chunk, len(histories))
				w.part(histories[from:to], states[from:to], h, out[from:to])
			}
		})
	}
	wg.Wait()
	f.forget()
	return out
}

// part predicts at most chunk functions.
func (w *worker) part(histories []*forecast.History, states []*state, h int, out [][]forecast.Distribution) {
	for i, history := range histories {
		states[i].learn(history)
		states[i].tracker.Update(history)
		out[i] = make([]forecast.Distribution, h)
	}
	var logits [chunk]float64
	for ahead := range h {
		for i, history := range histories {
			logits[i] = w.read(states[i].tracker, history, ahead, w.in.Row(i))
		}
		y := w.net.predict(w.in.Slice(0, len(histories)))
		for i, history := range histories {
			row := y.Row(i)
			out[i][ahead] = states[i].predict(history.Next(), ahead, mean(logits[i], row[0]), row[1:])
		}
	}
}

// read writes the input of the network to dst and returns the forest's logit.
func (w *worker) read(t *feature.Tracker, h *forecast.History, ahead int, dst []float32) float64 {
	w.x = t.Append(w.x[:0], h, ahead)
	w.Model.in.apply(dst, w.x)
	return w.forest.Predict(w.x)
}

// mean is the ensemble of the two models of activity.
func mean(forest float64, network float32) float64 { return (forest + float64(network)) / 2 }

// forget drops the state of functions that are no longer asked for.
func (f *forecaster) forget() {
	const rounds = 60
	if f.round%rounds != 0 {
		return
	}
	for h, s := range f.state {
		if s.round < f.round-rounds {
			delete(f.state, h)
		}
	}
}
