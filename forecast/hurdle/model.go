package hurdle

import (
	"errors"
	"math/rand/v2"

	"github.com/aquatope/aquatope/forecast"
)

// Name is how reports call the model.
const Name = "hurdle"

// collectShare is the share of the training time that collecting takes, for
// progress.
const collectShare = 0.2

// Learner trains the global model. The zero value is ready to use.
type Learner struct {
	// Rows bounds the number of function-windows learnt from; 0 means 400,000.
	Rows int
	// Epochs is the number of passes of the network; 0 means enough for three
	// million rows, between 4 and 40.
	Epochs int
	// Prior is what was learnt elsewhere. Where the histories are too few to
	// learn from alone, it learns on from them, and the result is the mean of
	// that and of what they say alone. Nil means to learn from the histories only.
	Prior *Model
}

// Name returns the name of the model.
func (Learner) Name() string { return Name }

// Model is a trained model: the weighted mean of its experts.
type Model struct{ experts []expert }

// Name returns the name of the model.
func (*Model) Name() string { return Name }

// New returns a forecaster that has seen nothing yet.
func (m *Model) New() forecast.Forecaster { return newForecaster(m) }

// Train learns from the histories.
func (l Learner) Train(data []*forecast.History, b forecast.Budget, r *rand.Rand) (forecast.Model, error) {
	rows := l.Rows
	if rows == 0 {
		rows = 400_000
	}
	s := collect(data, rows, b.Part(0, collectShare), r)
	if s.len() == 0 {
		return nil, errors.New("training the forecaster: the histories have no window to learn from")
	}
	epochs := l.Epochs
	if epochs == 0 {
		epochs = min(max(3_000_000/s.len(), 4), 40)
	}
	own := 1.0
	if l.Prior != nil {
		own = ownWeight(s.len())
	}
	m := &Model{}
	done := collectShare
	if own < 1 {
		for _, e := range l.Prior.experts {
			// Learning on is quick beside learning from nothing.
			to := done + 0.3*(1-done)
			m.experts = append(m.experts, e.learnOn(s, r).learn(s, b.Part(done, to), r, float32(1-own)*e.weight))
			done = to
		}
	}
	if own > 0 {
		m.experts = append(m.experts, fromNothing(s, epochs, r).learn(s, b.Part(done, 1), r, float32(own)))
	}
	return m, nil
}

// evenRows is how many rows alone are worth as much as a prior that learns on
// from them; found on generated functions and on small parts of
// azure2019-functiondays.
const evenRows = 12_000

// ownWeight is the weight of what was learnt from so many rows alone, beside what
// was learnt on from a prior.
func ownWeight(rows int) float64 {
	w := float64(rows) / float64(rows+evenRows)
	switch {
	case w < 0.1: // too little to be worth an expert
		return 0
	case w > 0.85:
		return 1
	}
	return w
}
