package bnn

import (
	"math/rand/v2"

	"github.com/aquatope/aquatope/forecast/nn"
)

const (
	// passes is the number of Monte-Carlo samples.
	passes = 128
	// gates of an LSTM unit.
	gates = 4
	// together is how many functions go through the first layer at once.
	together = 32
)

// masks are the dropout masks of all passes. They are drawn once and used for
// every function and window, so that forecasts differ by what was seen, not by
// the draw.
type masks struct {
	encoder     []float32 // passes x encoderHidden
	unit        []float32 // passes
	head1       []float32 // passes x first layer of the head
	head2       []float32
	published   bool
	secondLayer nn.Matrix // encoderHidden x gates·passes
}

func drawMasks(n network, published bool, r *rand.Rand) *masks {
	draw := func(size int) []float32 {
		m := make([]float32, size)
		for i := range m {
			if r.Float64() >= dropout {
				m[i] = 1 / (1 - dropout)
			}
		}
		return m
	}
	m := &masks{
		encoder: draw(passes * encoderHidden), unit: draw(passes),
		head1: draw(passes * n.head.l1.Out), head2: draw(passes * n.head.l2.Out),
		published: published,
	}
	// The mask of a pass on the input of the second layer is moved to the
	// layer's weights: (h∘m)·W = h·(diag(m)·W). All passes are then columns of
	// one matrix, gate by gate.
	m.secondLayer = nn.NewMatrix(encoderHidden, gates*passes)
	w := n.encoder.e2.Wx.Value
	for j := range encoderHidden {
		row := m.secondLayer.Row(j)
		for g := range gates {
			for k := range passes {
				row[g*passes+k] = m.encoder[k*encoderHidden+j] * w[j*gates+g]
			}
		}
	}
	return m
}

// sampler draws predictions of one network. What precedes the first dropout is
// run once for a function, the rest for all passes in one batch.
type sampler struct {
	*masks
	e1       *nn.LSTM
	recur    []float32 // recurrent weights of the second layer's one unit
	bias     []float32
	head     *predictor
	x        nn.Matrix // steps·together x channels
	n        int       // series read
	first    nn.Matrix // output of the first layer
	one      nn.Matrix // of one function: steps x encoderHidden
	z        nn.Matrix // steps x gates·passes
	features nn.Matrix // passes x steps+calendar
	hidden   []float32
	cell     []float32
}

func newSampler(n network, m *masks) *sampler {
	return &sampler{
		masks: m, e1: n.encoder.e1.Fork(), recur: n.encoder.e2.Wh.Value, bias: n.encoder.e2.B.Value, head: n.head.fork(),
		x: nn.NewMatrix(steps*together, channels), one: nn.NewMatrix(steps, encoderHidden), z: nn.NewMatrix(steps, gates*passes),
		features: nn.NewMatrix(passes, steps+calendar), hidden: make([]float32, passes), cell: make([]float32, passes),
	}
}

// read runs the first layer on the ends of at most together series.
func (m *sampler) read(all []series) {
	m.n = len(all)
	x := m.x.Slice(0, steps*m.n)
	for i := range all {
		all[i].encode(x, i, m.n, len(all[i].counts))
	}
	m.first = m.e1.Forward(x, steps)
}

// sample runs all passes of the second layer on the i-th series read.
func (m *sampler) sample(i int) {
	for t := range steps {
		copy(m.one.Row(t), m.first.Row(t*m.n+i))
	}
	nn.Mul(m.one, m.secondLayer, m.z)
	clear(m.hidden)
	clear(m.cell)
	for t := range steps {
		z := m.z.Row(t)
		for g := range gates {
			w, b, part := m.recur[g], m.bias[g], z[g*passes:(g+1)*passes]
			for k, h := range m.hidden {
				part[k] += w*h + b
			}
		}
		in, forget, candidate, out := z[:passes], z[passes:2*passes], z[2*passes:3*passes], z[3*passes:4*passes]
		nn.Sigmoids(z[:2*passes])
		nn.Tanhs(candidate, candidate)
		nn.Sigmoids(out)
		for k, c := range m.cell {
			m.cell[k] = forget[k]*c + in[k]*candidate[k]
		}
		nn.Tanhs(m.hidden, m.cell)
		for k, o := range out {
			m.hidden[k] *= o
		}
		for k, h := range m.hidden {
			f := max(h, 0)
			if m.published {
				f *= m.unit[k]
			}
			m.features.Data[k*m.features.Cols+t] = f
		}
	}
}

// predict returns the mean and variance, in z-scores, of the change since the
// first window read, for the given window of the series last sampled.
func (m *sampler) predict(window int64) (mean, variance float64) {
	for k := range passes {
		clock(m.features.Row(k)[steps:], window)
	}
	h := m.head.r1.Forward(m.head.l1.Forward(m.features))
	multiply(h.Data, m.head1)
	h = m.head.r2.Forward(m.head.l2.Forward(h))
	multiply(h.Data, m.head2)
	y := m.head.l3.Forward(h)
	for _, v := range y.Data[:passes] {
		mean += float64(v) / passes
	}
	for _, v := range y.Data[:passes] {
		variance += (float64(v) - mean) * (float64(v) - mean) / (passes - 1)
	}
	return mean, variance
}

func multiply(x, mask []float32) {
	for i, v := range mask {
		x[i] *= v
	}
}
