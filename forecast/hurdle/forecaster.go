package hurdle

import (
	"sync"

	"github.com/aquatope/aquatope/forecast"
	"github.com/aquatope/aquatope/forecast/feature"
	"github.com/aquatope/aquatope/forecast/nn"
	"github.com/aquatope/aquatope/forecast/tree"
)

const (
	// chunk is how many functions go through the network at once, a multiple of four.
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
	x       []float32  // features of one function
	row     [chunk]int // where each function is read
	experts []reader
	out     nn.Matrix // chunk x (1 + quantiles), the mean of the experts
}

// reader is an expert with room for the rows of a chunk.
type reader struct {
	expert
	trees *tree.Scorer
	rows  nn.Matrix
}

func newWorker(m *Model) *worker {
	w := &worker{out: nn.NewMatrix(chunk, 1+len(nominal))}
	for _, e := range m.experts {
		e.net = e.net.fork()
		width := len(e.in.Mean)
		w.experts = append(w.experts, reader{e, e.forest.Scorer(width), nn.NewMatrix(chunk, width)})
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
		rows, idle := 0, -1 // idle is the last function that was never called
		for i, history := range histories {
			if never := !states[i].tracker.Called(); never && idle >= 0 && history.Start() == histories[idle].Start() && history.Next() == histories[idle].Next() {
				w.row[i] = w.row[idle] // nothing tells the two apart
				continue
			} else if never {
				idle = i
			}
			w.read(rows, states[i].tracker, history, ahead)
			w.row[i] = rows
			rows++
		}
		y := w.predict(rows)
		for i, history := range histories {
			out[i][ahead] = states[i].predict(history.Next(), ahead, y.Row(w.row[i]))
		}
	}
}

// read makes the function the i-th row of the experts. Their trees speak at once.
func (w *worker) read(i int, t *feature.Tracker, h *forecast.History, ahead int) {
	w.x = t.Append(w.x[:0], h, ahead)
	y := w.out.Row(i)
	clear(y)
	for k := range w.experts {
		e := &w.experts[k]
		e.in.apply(e.rows.Row(i), w.x)
		y[0] += e.weight * float32(e.trees.Predict(w.x)) / 2
	}
}

// predict returns, of the first n rows, the logit of activity and the quantiles:
// the mean of the experts, whose trees and networks count the same for activity.
// It is valid until the next read. Rows go through a network in fours, so that what
// one is told does not depend, by a rounding error, on how many others there are.
func (w *worker) predict(n int) nn.Matrix {
	for _, e := range w.experts {
		y := e.net.predict(e.rows.Slice(0, (n+3)/4*4))
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
