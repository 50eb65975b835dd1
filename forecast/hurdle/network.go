package hurdle

import (
	"math"
	"math/rand/v2"
	"sync"

	"github.com/aquatope/aquatope/forecast/nn"
)

// nominal are the levels of the predicted quantiles of the count.
var nominal = [...]float64{0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99}

const (
	hidden1, hidden2 = 128, 64
	dropout          = 0.1
	batchSize        = 512
	learningRate     = 1e-3
	weightDecay      = 1e-3
	// inputs are standardised and clipped, so that no function is far from
	// what was learnt; targets are clipped against single bursts.
	maxInput, maxTarget = 4, 8
	// quantileWeight is the weight of the counts' loss beside that of activity.
	quantileWeight = 0.5
)

// network predicts the logit of activity and the standardised quantiles of the
// count of active windows.
type network struct {
	l1, l2, l3 *nn.Linear
	r1, r2     nn.ReLU
	d1, d2     nn.Dropout
}

func newNetwork(width int, r *rand.Rand) *network {
	n := &network{
		l1: nn.NewLinear(width, hidden1, r), l2: nn.NewLinear(hidden1, hidden2, r), l3: nn.NewLinear(hidden2, 1+len(nominal), r),
		d1: nn.Dropout{P: dropout}, d2: nn.Dropout{P: dropout},
	}
	n.l1.NoGrad = true
	return n
}

// fork returns a network with the same weights for use by another goroutine.
func (n *network) fork() *network {
	return &network{l1: n.l1.Fork(), l2: n.l2.Fork(), l3: n.l3.Fork(), d1: nn.Dropout{P: dropout}, d2: nn.Dropout{P: dropout}}
}

// clone returns a network with the same weights that learns on its own.
func (n *network) clone(r *rand.Rand) *network {
	c := newNetwork(n.l1.In, r)
	if err := nn.SetValues(c.params(), nn.Values(n.params())); err != nil {
		panic("BUG: hurdle: " + err.Error())
	}
	return c
}

func (n *network) params() []*nn.Param {
	return append(append(n.l1.Params(), n.l2.Params()...), n.l3.Params()...)
}

// predict returns a row of outputs per row of x, valid until the next call.
func (n *network) predict(x nn.Matrix) nn.Matrix {
	return n.l3.Forward(n.r2.Forward(n.l2.Forward(n.r1.Forward(n.l1.Forward(x)))))
}

func (n *network) forward(x nn.Matrix, r *rand.Rand) nn.Matrix {
	return n.l3.Forward(n.d2.Forward(n.r2.Forward(n.l2.Forward(n.d1.Forward(n.r1.Forward(n.l1.Forward(x)), r))), r))
}

func (n *network) backward(dy nn.Matrix) {
	n.l1.Backward(n.r1.Backward(n.d1.Backward(n.l2.Backward(n.r2.Backward(n.d2.Backward(n.l3.Backward(dy)))))))
}

// shard is one of the workers that share the rows of a batch. There are two
// on any machine, so that results do not depend on the number of cores.
type shard struct {
	*network
	x, dy nn.Matrix
	r     *rand.Rand
}

const shards = 2

// trainer trains a network step by step.
type trainer struct {
	*network
	s       *samples
	in      standard
	rate    float64
	workers [shards]*shard
	adam    nn.Adam
	r       *rand.Rand
	steps   int // to the end of training
	done    int
}

// newTrainer prepares the given number of passes over the samples, in which the
// rate of learning decays from the given one.
func newTrainer(s *samples, in standard, net *network, rate float64, epochs int, r *rand.Rand) *trainer {
	t := &trainer{network: net, rate: rate, s: s, in: in, adam: nn.Adam{Decay: weightDecay, Clip: 5}, r: r}
	t.steps = epochs * t.batches()
	const part = batchSize / shards
	for i := range t.workers {
		t.workers[i] = &shard{t.fork(), nn.NewMatrix(part, s.width), nn.NewMatrix(part, 1+len(nominal)), rand.New(rand.NewPCG(r.Uint64(), r.Uint64()))}
	}
	return t
}

func (t *trainer) batches() int { return max(1, t.s.len()/batchSize) }

// step learns from one batch.
func (t *trainer) step() {
	params := t.params()
	if t.done%t.batches() == 0 {
		t.s.shuffle(t.r)
	}
	from := t.done % t.batches() * batchSize
	var wg sync.WaitGroup
	for k, w := range t.workers {
		wg.Go(func() { w.step(t.s, t.in, from+k*batchSize/shards) })
	}
	wg.Wait()
	for _, w := range t.workers {
		nn.Collect(params, w.params())
	}
	// Cosine decay with a short warm-up.
	done := float64(t.done) / float64(t.steps)
	t.adam.Rate = t.rate * math.Min(1, float64(t.done+1)/100) * (0.02 + 0.98*(1+math.Cos(math.Pi*done))/2)
	t.adam.Step(params)
	t.done++
}

// step adds the gradients of the rows from..from+batchSize/shards.
func (w *shard) step(s *samples, in standard, from int) {
	rows := s.len()
	for i := range w.x.Rows {
		in.apply(w.x.Row(i), s.row((from+i)%rows))
	}
	y := w.forward(w.x, w.r)
	for i := range w.x.Rows {
		k := s.at((from + i) % rows)
		out, d := y.Row(i), w.dy.Row(i)
		clear(d)
		scale := s.weight[k] / batchSize
		p := nn.Sigmoid(out[0])
		if !s.active[k] {
			d[0] = p * scale
			continue
		}
		d[0] = (p - 1) * scale
		for j, level := range nominal {
			// The derivative of the pinball loss, smooth within ±soft.
			const soft = 0.05
			e := (s.target[k] - out[j+1]) / soft
			below := min(max((1-e)/2, 0), 1)
			d[j+1] = (below - float32(level)) * scale * quantileWeight
		}
	}
	w.backward(w.dy)
}
