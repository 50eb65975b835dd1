package bnn

import (
	"math/rand/v2"

	"github.com/aquatope/aquatope/forecast/nn"
)

// predictor maps the features of the encoder and the calendar of the window
// to predict to the change of demand since the first window read.
type predictor struct {
	l1, l2, l3 *nn.Linear
	r1, r2     nn.ReLU
	d1, d2     nn.Dropout
}

func newPredictor(r *rand.Rand) *predictor {
	p := &predictor{l1: nn.NewLinear(steps+calendar, 64, r), l2: nn.NewLinear(64, 16, r), l3: nn.NewLinear(16, 1, r), d1: nn.Dropout{P: dropout}, d2: nn.Dropout{P: dropout}}
	p.l1.NoGrad = true
	return p
}

func (p *predictor) fork() *predictor {
	return &predictor{l1: p.l1.Fork(), l2: p.l2.Fork(), l3: p.l3.Fork(), d1: p.d1, d2: p.d2}
}

func (p *predictor) params() []*nn.Param {
	return append(append(p.l1.Params(), p.l2.Params()...), p.l3.Params()...)
}

func (p *predictor) forward(x nn.Matrix, r *rand.Rand) nn.Matrix {
	h := p.d1.Forward(p.r1.Forward(p.l1.Forward(x)), r)
	return p.l3.Forward(p.d2.Forward(p.r2.Forward(p.l2.Forward(h)), r))
}

func (p *predictor) backward(dy nn.Matrix) {
	p.l1.Backward(p.r1.Backward(p.d1.Backward(p.l2.Backward(p.r2.Backward(p.d2.Backward(p.l3.Backward(dy)))))))
}
