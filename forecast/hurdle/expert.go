package hurdle

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/aquatope/aquatope/forecast"
	"github.com/aquatope/aquatope/forecast/tree"
)

// expert is a forest and a network that learnt together.
type expert struct {
	in     standard
	forest *tree.Forest
	net    *network
	weight float32 // in the mean of a model's experts
}

// lesson is an expert about to learn.
type lesson struct {
	in     standard
	forest *tree.Forest // that is there already
	score  []float64    // what it says of each row
	more   tree.Config  // of the trees to add
	net    *trainer
}

// fromNothing starts from the share of active rows and a random network.
func fromNothing(s *samples, epochs int, r *rand.Rand) lesson {
	active, weight := 0.0, 0.0
	for i, a := range s.active {
		weight += float64(s.weight[i])
		if a {
			active += float64(s.weight[i])
		}
	}
	p := (active + 0.5) / (weight + 1)
	l := lesson{
		in: fitStandard(s), forest: &tree.Forest{Base: math.Log(p / (1 - p))},
		more: tree.Config{Trees: 150, RowShare: 0.3, FeatureShare: 0.5},
	}
	l.score = slices.Repeat([]float64{l.forest.Base}, s.len())
	own := rand.New(rand.NewPCG(r.Uint64(), r.Uint64()))
	l.net = newTrainer(s, l.in, newNetwork(s.width, own), learningRate, epochs, own)
	return l
}

const (
	// rowsPerTree is how many rows pay for a tree added to those of a prior. Such
	// trees are small and learn slowly: they correct a model that is nearly right.
	rowsPerTree = 300
	// againEpochs are the passes in which the network of a prior learns on.
	againEpochs = 15
)

// learnOn starts from e, which learnt from other rows.
func (e expert) learnOn(s *samples, r *rand.Rand) lesson {
	l := lesson{
		in: e.in, forest: e.forest, score: make([]float64, s.len()),
		more: tree.Config{
			Trees: min(max(s.len()/rowsPerTree, 1), 150), Leaves: 15, MinHessian: 20,
			Shrinkage: 0.05, RowShare: 0.5, FeatureShare: 0.5,
		},
	}
	for i := range l.score {
		l.score[i] = e.forest.Predict(s.x[i*s.width : (i+1)*s.width])
	}
	own := rand.New(rand.NewPCG(r.Uint64(), r.Uint64()))
	l.net = newTrainer(s, e.in, e.net.clone(own), learningRate, againEpochs, own)
	return l
}

// learn goes through the lesson until it is over or the budget ends.
func (l lesson) learn(s *samples, b forecast.Budget, r *rand.Rand, weight float32) expert {
	loss := func(i int, score float64) (float64, float64) {
		p := 1 / (1 + math.Exp(-l.score[i]-score))
		w := float64(s.weight[i])
		if s.active[i] {
			return w * (p - 1), w*p*(1-p) + 1e-9
		}
		return w * p, w*p*(1-p) + 1e-9
	}
	// The network learns between the trees, so that both have learnt something
	// whenever the budget ends.
	added := tree.Train(s.x, s.width, 0, loss, l.more, r, func(trees int) bool {
		for l.net.done*l.more.Trees < l.net.steps*(trees+1) {
			if !b.Go(float64(l.net.done) / float64(l.net.steps)) {
				return false
			}
			l.net.step()
		}
		return true
	})
	forest := &tree.Forest{Base: l.forest.Base, Trees: slices.Concat(l.forest.Trees, added.Trees)}
	return expert{l.in, forest, l.net.network, weight}
}
