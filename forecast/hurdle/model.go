package hurdle

import (
	"errors"
	"math"
	"math/rand/v2"

	"github.com/aquatope/aquatope/forecast"
	"github.com/aquatope/aquatope/forecast/tree"
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
}

// Name returns the name of the model.
func (Learner) Name() string { return Name }

// Model is a trained model.
type Model struct {
	in     standard
	forest *tree.Forest
	net    *network
}

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
	s := collect(data, rows, b, r)
	if s.len() == 0 {
		return nil, errors.New("training the forecaster: the histories have no window to learn from")
	}
	base := 0.0
	weight := 0.0
	for i, a := range s.active {
		weight += float64(s.weight[i])
		if a {
			base += float64(s.weight[i])
		}
	}
	p := (base + 0.5) / (weight + 1)
	loss := func(i int, score float64) (float64, float64) {
		p := 1 / (1 + math.Exp(-score))
		w := float64(s.weight[i])
		if s.active[i] {
			return w * (p - 1), w*p*(1-p) + 1e-9
		}
		return w * p, w*p*(1-p) + 1e-9
	}
	epochs := l.Epochs
	if epochs == 0 {
		epochs = min(max(3_000_000/s.len(), 4), 40)
	}
	in := fitStandard(s)
	net := newTrainer(s, in, epochs, rand.New(rand.NewPCG(r.Uint64(), r.Uint64())))
	c := tree.Config{Trees: 150, RowShare: 0.3, FeatureShare: 0.5}
	// The network learns between the trees, so that both have learnt something
	// whenever the budget ends.
	forest := tree.Train(s.x, s.width, math.Log(p/(1-p)), loss, c, r, func(trees int) bool {
		for net.done*c.Trees < net.steps*(trees+1) {
			if !b.Go(share(collectShare, 1, float64(net.done)/float64(net.steps))) {
				return false
			}
			net.step()
		}
		return true
	})
	return &Model{in, forest, net.network}, nil
}
