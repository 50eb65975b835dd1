package hurdle

import (
	"github.com/aquatope/aquatope/forecast"
	"github.com/aquatope/aquatope/forecast/feature"
	"github.com/aquatope/aquatope/forecast/nn"
)

// chunk is how many functions go through the network at once.
const chunk = 128

// forecaster predicts along one line of time.
type forecaster struct {
	*Model
	net   *network
	state map[*forecast.History]*state
	round int
	x     []float32
	in    nn.Matrix
}

func newForecaster(m *Model) *forecaster {
	return &forecaster{Model: m, net: m.net.fork(), state: map[*forecast.History]*state{}, in: nn.NewMatrix(chunk, len(m.in.Mean))}
}

// Forecast predicts the next h windows of the histories.
func (f *forecaster) Forecast(histories []*forecast.History, h int) [][]forecast.Distribution {
	f.round++
	out := make([][]forecast.Distribution, len(histories))
	for i, history := range histories {
		s := f.state[history]
		if s == nil {
			s = &state{tracker: feature.NewTracker()}
			f.state[history] = s
		}
		s.round = f.round
		s.learn(history)
		s.tracker.Update(history)
		out[i] = make([]forecast.Distribution, h)
	}
	f.rehearse(histories)
	for ahead := range h {
		for from := 0; from < len(histories); from += chunk {
			to := min(from+chunk, len(histories))
			f.part(histories[from:to], ahead, out[from:to])
		}
	}
	f.forget()
	return out
}

// part predicts one window of at most chunk functions.
func (f *forecaster) part(histories []*forecast.History, ahead int, out [][]forecast.Distribution) {
	var logits [chunk]float64
	for i, history := range histories {
		f.x = f.state[history].tracker.Append(f.x[:0], history, ahead)
		logits[i] = f.forest.Predict(f.x)
		f.Model.in.apply(f.in.Row(i), f.x)
	}
	y := f.net.predict(f.in.Slice(0, len(histories)))
	for i, history := range histories {
		row := y.Row(i)
		logit := (logits[i] + float64(row[0])) / 2
		out[i][ahead] = f.state[history].predict(history.Next(), ahead, logit, row[1:])
	}
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
