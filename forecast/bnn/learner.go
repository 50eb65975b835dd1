package bnn

import (
	"errors"
	"math/rand/v2"

	"github.com/aquatope/aquatope/forecast"
)

// Learner trains the network. The zero value is the repaired network at the
// paper's length of training, one for all functions.
type Learner struct {
	// Published restores the dropout on the encoder's single unit and leaves
	// the inherent noise out, as in the published code.
	Published bool
	// PerFunction trains one network for each function, as in the paper.
	PerFunction bool
	// Epochs over the windows; 0 means the paper's 128.
	Epochs int
	// Windows bounds the number of windows learnt from; 0 means 10,000.
	Windows int
}

// Name returns how reports call the model.
func (l Learner) Name() string {
	if l.Published {
		return "aquatope-paper-published"
	}
	return "aquatope-paper"
}

// network is one trained pair with its inherent noise.
type network struct {
	encoder *autoencoder
	head    *predictor
	noise   float64 // variance of the residuals in z-scores, of all functions
	// own is the variance of the residuals of single functions, by name.
	own map[string]float64
}

// noiseOf returns the inherent noise of a function.
func (n *network) noiseOf(function string) float64 {
	if v, ok := n.own[function]; ok {
		return v
	}
	return n.noise
}

// Model is a trained model.
type Model struct {
	name        string
	published   bool
	shared      network            // for all functions without their own
	perFunction map[string]network // by History.Function
	seed        uint64             // of the Monte-Carlo masks
}

// Name returns how reports call the model.
func (m *Model) Name() string { return m.name }

// Train learns from the histories.
func (l Learner) Train(data []*forecast.History, b forecast.Budget, r *rand.Rand) (forecast.Model, error) {
	all := make([]series, 0, len(data))
	for _, h := range data {
		if s := newSeries(h); len(s.counts) >= steps+2*ahead {
			all = append(all, s)
		}
	}
	if len(all) == 0 {
		return nil, errors.New("training the hybrid Bayesian network: no history is longer than 72 windows")
	}
	m := &Model{name: l.Name(), published: l.Published, seed: r.Uint64(), perFunction: map[string]network{}}
	if !l.PerFunction {
		m.shared = l.train(all, b, r)
		return m, nil
	}
	for i := range all {
		part := forecast.Budget{Continue: b.Continue}
		if !b.Go(float64(i) / float64(len(all))) {
			break
		}
		m.perFunction[all[i].name] = l.train(all[i:i+1], part, r)
	}
	return m, nil
}

func (l Learner) train(all []series, b forecast.Budget, r *rand.Rand) network {
	const headShare = 0.1 // of the time, for progress
	epochs, windows := l.Epochs, l.Windows
	if epochs == 0 {
		epochs = 128
	}
	if windows == 0 {
		windows = 10_000
	}
	train, validate := examples(all, windows, r)
	t := newTrainer(all, l.Published, r)
	if len(train) == 0 {
		train = validate
	}
	done, batches := 0, epochs*((len(train)+batchSize-1)/batchSize)
	for range epochs {
		r.Shuffle(len(train), func(i, j int) { train[i], train[j] = train[j], train[i] })
		t.epoch(train, func() bool {
			done++
			return b.Go((1 - headShare) * float64(done) / float64(batches))
		})
	}
	n := network{encoder: t.master}
	n.head = trainPredictor(t.master, all, train, epochs, r, func(e int) bool {
		return b.Go(1 - headShare + headShare*float64(e)/float64(epochs))
	})
	n.noise = pooled(residuals(n, all, validate, r))
	n.own = map[string]float64{}
	// A function's own noise is pulled toward that of all with the weight of a
	// few windows.
	const prior, perFunction = 5, 100
	for k := range all {
		e := residuals(n, all, ownExamples(all, k, perFunction), r)
		n.own[all[k].name] = (pooled(e)*float64(len(e)) + prior*n.noise) / (float64(len(e)) + prior)
	}
	return n
}

// residuals are the errors on windows that were held out.
func residuals(n network, all []series, held []example, r *rand.Rand) []float32 {
	if len(held) == 0 {
		return nil
	}
	x, y := featuresOf(n.encoder, all, held, r)
	head := n.head.fork()
	head.d1.P, head.d2.P = 0, 0
	for i, v := range head.forward(x, r).Data[:len(y)] {
		y[i] -= v
	}
	return y
}

// pooled is the mean square; 1, the variance of a z-score, without residuals.
func pooled(e []float32) float64 {
	if len(e) == 0 {
		return 1
	}
	s := 0.0
	for _, v := range e {
		s += float64(v) * float64(v) / float64(len(e))
	}
	return s
}
