package bnn

import (
	"math/rand/v2"
	"sync"

	"github.com/aquatope/aquatope/forecast/nn"
)

const (
	batchSize = 128
	shards    = 2 // workers that share a batch, on any machine
)

// trainer trains an autoencoder on examples of series.
type trainer struct {
	master  *autoencoder
	workers []*worker
	adam    nn.Adam
	all     []series
}

// worker computes the gradients of half a batch.
type worker struct {
	*autoencoder
	x, raw, dy nn.Matrix
	r          *rand.Rand
}

func newTrainer(all []series, published bool, r *rand.Rand) *trainer {
	const rate = 1e-4
	t := &trainer{master: newAutoencoder(published, r), adam: nn.Adam{Rate: rate}, all: all}
	const part = batchSize / shards
	for range shards {
		t.workers = append(t.workers, &worker{
			t.master.fork(), nn.NewMatrix(steps*part, channels), nn.NewMatrix(ahead*part, 1), nn.NewMatrix(part, ahead),
			rand.New(rand.NewPCG(r.Uint64(), r.Uint64())),
		})
	}
	return t
}

// epoch passes over the examples once, in the order given; more is asked
// between batches. It returns the mean squared error.
func (t *trainer) epoch(examples []example, more func() bool) float64 {
	params := t.master.params()
	total, batches := 0.0, 0
	for from := 0; from < len(examples); from += batchSize {
		if !more() {
			break
		}
		var wg sync.WaitGroup
		var sums [shards]float64
		for k, w := range t.workers {
			wg.Go(func() { sums[k] = w.step(t.all, examples, from+k*batchSize/shards) })
		}
		wg.Wait()
		for k, w := range t.workers {
			nn.Collect(params, w.params())
			total += sums[k] / shards
		}
		batches++
		t.adam.Step(params)
	}
	return total / float64(max(batches, 1))
}

// step adds the gradients of its share of the batch, whose last examples are
// filled up from the beginning.
func (w *worker) step(all []series, examples []example, from int) float64 {
	const part = batchSize / shards
	pick := func(i int) (*series, int) {
		e := examples[(from+i)%len(examples)]
		return &all[e.series], e.at
	}
	for i := range part {
		s, at := pick(i)
		s.encode(w.x, i, part, at)
		for t := range ahead {
			w.raw.Data[t*part+i] = s.score(s.at(at - ahead + t))
		}
	}
	y := w.forward(w.x, w.raw, w.r)
	sum := 0.0
	for i := range part {
		s, at := pick(i)
		first := s.score(s.at(at - steps))
		for t, v := range y.Row(i) {
			e := v - (s.score(s.counts[at+t]) - first)
			sum += float64(e) * float64(e) / (part * ahead)
			w.dy.Row(i)[t] = 2 * e / (batchSize * ahead)
		}
	}
	w.backward(w.dy)
	return sum
}

// trainPredictor trains the prediction network on features that the encoder
// extracts once.
func trainPredictor(a *autoencoder, all []series, train []example, epochs int, r *rand.Rand, more func(epoch int) bool) *predictor {
	const rate = 1e-3
	p := newPredictor(r)
	x, y := featuresOf(a, all, train, r)
	adam := nn.Adam{Rate: rate}
	bx, dy := nn.NewMatrix(batchSize, x.Cols), nn.NewMatrix(batchSize, 1)
	order := r.Perm(len(train))
	for e := range epochs {
		r.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		for from := 0; from < len(order); from += batchSize {
			if !more(e) {
				return p
			}
			for i := range batchSize {
				copy(bx.Row(i), x.Row(order[(from+i)%len(order)]))
			}
			out := p.forward(bx, r)
			for i := range batchSize {
				dy.Data[i] = 2 * (out.Data[i] - y[order[(from+i)%len(order)]]) / batchSize
			}
			p.backward(dy)
			adam.Step(p.params())
		}
	}
	return p
}

// featuresOf encodes the examples, each by a dropout mask of its own, and
// returns the inputs and targets of the prediction network.
func featuresOf(a *autoencoder, all []series, ex []example, r *rand.Rand) (nn.Matrix, []float32) {
	x, y := nn.NewMatrix(len(ex), steps+calendar), make([]float32, len(ex))
	in := nn.NewMatrix(steps*batchSize, channels)
	for from := 0; from < len(ex); from += batchSize {
		n := min(batchSize, len(ex)-from)
		for i := range batchSize {
			e := ex[from+i%n]
			all[e.series].encode(in, i, batchSize, e.at)
		}
		f := a.encode(in, r)
		for i := range n {
			e, row := ex[from+i], x.Row(from+i)
			for t := range steps {
				row[t] = f.Data[t*batchSize+i]
			}
			s := &all[e.series]
			clock(row[steps:], s.start+int64(e.at))
			y[from+i] = s.score(s.counts[e.at]) - s.score(s.at(e.at-steps))
		}
	}
	return x, y
}
