package nn

import (
	"math"
	"math/rand/v2"
)

// Linear maps x to x·W + b.
type Linear struct {
	In, Out int
	W, B    *Param

	x      Matrix
	y, dx  Matrix
	NoGrad bool // the gradient by the input is not needed: first layers
}

// NewLinear returns a layer with weights uniform in ±1/sqrt(in).
func NewLinear(in, out int, r *rand.Rand) *Linear {
	l := &Linear{In: in, Out: out, W: newParam(in * out), B: newParam(out)}
	l.W.uniform(1/math.Sqrt(float64(in)), r)
	l.B.uniform(1/math.Sqrt(float64(in)), r)
	return l
}

// Fork returns a layer that shares the weights.
func (l *Linear) Fork() *Linear {
	return &Linear{In: l.In, Out: l.Out, W: l.W.fork(), B: l.B.fork(), NoGrad: l.NoGrad}
}

// Params returns the weights.
func (l *Linear) Params() []*Param { return []*Param{l.W, l.B} }

// Forward returns the output, valid until the next call.
func (l *Linear) Forward(x Matrix) Matrix {
	l.x = x
	l.y.resize(x.Rows, l.Out)
	for i := range x.Rows {
		copy(l.y.Row(i), l.B.Value)
	}
	mul(x, Matrix{l.In, l.Out, l.W.Value}, 1, l.y)
	return l.y
}

// Backward takes the gradient by the output, adds to the gradients of the
// weights, and returns the gradient by the input.
func (l *Linear) Backward(dy Matrix) Matrix {
	mulTN(l.x, dy, Matrix{l.In, l.Out, l.W.Grad})
	for i := range dy.Rows {
		for j, g := range dy.Row(i) {
			l.B.Grad[j] += g
		}
	}
	if l.NoGrad {
		return Matrix{}
	}
	l.dx.resize(dy.Rows, l.In)
	mulNT(dy, Matrix{l.In, l.Out, l.W.Value}, l.dx)
	return l.dx
}
