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
	workers [workers]*worker
	state   map[*forecast.History]*state
	round   int
}

// worker has what one goroutine needs to predict.
type worker struct {
	x       []float32 // features of one function
	experts []reader
	out     nn.Matrix // chunk x (1 + quantiles), the mean of the experts
}

// reader is an expert with room for the rows of a chunk.
type reader struct {
	expert
	rows nn.Matrix
}

func newWorker(m *Model) *worker {
	w := &worker{out: nn.NewMatrix(chunk, 1+len(nominal))}
	for _, e := range m.experts {
		e.net = e.net.fork()
		w.experts = append(w.experts, reader{e, nn.NewMatrix(chunk, len(e.in.Mean))})
	}
	return w
}

func newForecaster(m *Model) *forecaster {
	f := &forecaster{state: map[*forecast.History]*state{}}
	for i := range f.workers {
		f.workers[i] = newWorker(m)
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
	for ahead := range h {
		for i, history := range histories {
			w.read(i, states[i].tracker, history, ahead)
		}
		y := w.predict(len(histories))
		for i, history := range histories {
			out[i][ahead] = states[i].predict(history.Next(), ahead, y.Row(i))
		}
	}
}

// read makes the function the i-th row of the experts. Their trees speak at once.
func (w *worker) read(i int, t *feature.Tracker, h *forecast.History, ahead int) {
	w.x = t.Append(w.x[:0], h, ahead)
	y := w.out.Row(i)
	clear(y)
	for _, e := range w.experts {
		e.in.apply(e.rows.Row(i), w.x)
		y[0] += e.weight * float32(e.forest.Predict(w.x)) / 2
	}
}

// predict returns, of the first n rows, the logit of activity and the quantiles:
// the mean of the experts, whose trees and networks count the same for activity.
// It is valid until the next read.
func (w *worker) predict(n int) nn.Matrix {
	for _, e := range w.experts {
		y := e.net.predict(e.rows.Slice(0, n))
		for i := range n {
			out, row := w.out.Row(i), y.Row(i)
			out[0] += e.weight * row[0] / 2
			for j := 1; j < len(row); j++ {
				out[j] += e.weight * row[j]
			}
		}
	}
	return w.out.Slice(0, n)
}

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
