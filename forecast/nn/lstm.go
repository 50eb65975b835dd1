package nn

import (
	"math"
	"math/rand/v2"
)

// LSTM is a long short-term memory layer (Hochreiter and Schmidhuber, 1997,
// with forget gates). Sequences are given step by step: a matrix of T·B rows,
// of which rows t·B to (t+1)·B-1 are step t of the B samples.
type LSTM struct {
	In, Hidden int
	// Wx is In x 4·Hidden, Wh Hidden x 4·Hidden, B 4·Hidden; the four blocks
	// are input gate, forget gate, candidate and output gate.
	Wx, Wh, B *Param
	NoGrad    bool // the gradient by the input is not needed

	steps  int
	x      Matrix
	gates  Matrix // activated gates of all steps
	cells  Matrix // cell states, with the initial ones first
	hidden Matrix // outputs, with the initial zeros first
	tanhC  Matrix
	dz, dx Matrix
	dh, dc Matrix
}

// NewLSTM returns a layer with weights uniform in ±1/sqrt(hidden) and a forget
// bias of 1, so that it starts out remembering.
func NewLSTM(in, hidden int, r *rand.Rand) *LSTM {
	l := &LSTM{In: in, Hidden: hidden, Wx: newParam(in * 4 * hidden), Wh: newParam(hidden * 4 * hidden), B: newParam(4 * hidden)}
	bound := 1 / math.Sqrt(float64(hidden))
	l.Wx.uniform(bound, r)
	l.Wh.uniform(bound, r)
	for i := hidden; i < 2*hidden; i++ {
		l.B.Value[i] = 1
	}
	return l
}

// Fork returns a layer that shares the weights.
func (l *LSTM) Fork() *LSTM {
	return &LSTM{In: l.In, Hidden: l.Hidden, Wx: l.Wx.fork(), Wh: l.Wh.fork(), B: l.B.fork(), NoGrad: l.NoGrad}
}

// Params returns the weights.
func (l *LSTM) Params() []*Param { return []*Param{l.Wx, l.Wh, l.B} }

func (l *LSTM) wx() Matrix { return Matrix{l.In, 4 * l.Hidden, l.Wx.Value} }
func (l *LSTM) wh() Matrix { return Matrix{l.Hidden, 4 * l.Hidden, l.Wh.Value} }

// Forward returns the outputs of all steps, T·B x Hidden, valid until the next
// call. States start at zero.
func (l *LSTM) Forward(x Matrix, steps int) Matrix {
	h, batch := l.Hidden, x.Rows/steps
	l.x, l.steps = x, steps
	l.gates.resize(x.Rows, 4*h)
	l.tanhC.resize(x.Rows, h)
	l.cells.resize(x.Rows+batch, h)
	l.hidden.resize(x.Rows+batch, h)
	clear(l.cells.Data[:batch*h])
	clear(l.hidden.Data[:batch*h])
	for i := range x.Rows {
		copy(l.gates.Row(i), l.B.Value)
	}
	mul(x, l.wx(), 1, l.gates)
	for t := range steps {
		z := l.gates.Slice(t*batch, (t+1)*batch)
		if t > 0 {
			mul(l.hidden.Slice(t*batch, (t+1)*batch), l.wh(), 1, z)
		}
		for i := range batch {
			g := z.Row(i)
			in, forget, candidate, out := g[:h], g[h:2*h], g[2*h:3*h], g[3*h:4*h]
			Sigmoids(g[:2*h])
			Tanhs(candidate, candidate)
			Sigmoids(out)
			before, c := l.cells.Row(t*batch+i), l.cells.Row((t+1)*batch+i)
			tc, y := l.tanhC.Row(t*batch+i), l.hidden.Row((t+1)*batch+i)
			for j := range h {
				c[j] = forget[j]*before[j] + in[j]*candidate[j]
			}
			Tanhs(tc, c)
			for j := range h {
				y[j] = out[j] * tc[j]
			}
		}
	}
	return l.hidden.Slice(batch, x.Rows+batch)
}

// Backward takes the gradient by all outputs, adds to the gradients of the
// weights, and returns the gradient by the input.
func (l *LSTM) Backward(dy Matrix) Matrix {
	h, batch := l.Hidden, dy.Rows/l.steps
	l.dz.resize(dy.Rows, 4*h)
	l.dh.resize(batch, h)
	l.dc.resize(batch, h)
	clear(l.dh.Data)
	clear(l.dc.Data)
	for t := l.steps - 1; t >= 0; t-- {
		for i := range batch {
			g, dz := l.gates.Row(t*batch+i), l.dz.Row(t*batch+i)
			before, tc := l.cells.Row(t*batch+i), l.tanhC.Row(t*batch+i)
			d, dh, dc := dy.Row(t*batch+i), l.dh.Row(i), l.dc.Row(i)
			for j := range h {
				in, forget, candidate, out := g[j], g[h+j], g[2*h+j], g[3*h+j]
				e := d[j] + dh[j]
				c := dc[j] + e*out*(1-tc[j]*tc[j])
				dz[j] = c * candidate * in * (1 - in)
				dz[h+j] = c * before[j] * forget * (1 - forget)
				dz[2*h+j] = c * in * (1 - candidate*candidate)
				dz[3*h+j] = e * tc[j] * out * (1 - out)
				dc[j] = c * forget
			}
		}
		if t > 0 {
			mulNT(l.dz.Slice(t*batch, (t+1)*batch), l.wh(), l.dh)
		}
	}
	mulTN(l.x, l.dz, Matrix{l.In, 4 * h, l.Wx.Grad})
	mulTN(l.hidden.Slice(0, dy.Rows), l.dz, Matrix{h, 4 * h, l.Wh.Grad})
	for i := range l.dz.Rows {
		for j, v := range l.dz.Row(i) {
			l.B.Grad[j] += v
		}
	}
	if l.NoGrad {
		return Matrix{}
	}
	l.dx.resize(dy.Rows, l.In)
	mulNT(l.dz, l.wx(), l.dx)
	return l.dx
}
