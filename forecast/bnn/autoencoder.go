package bnn

import (
	"math/rand/v2"

	"github.com/aquatope/aquatope/forecast/nn"
)

const (
	encoderHidden = 64
	decoderHidden = 16
	dropout       = 0.25
)

// autoencoder is the encoder-decoder.
type autoencoder struct {
	e1, e2, d1, d2 *nn.LSTM
	o1, o2         *nn.Linear
	de1, dd1       nn.Dropout
	de2, dd2       nn.Dropout // on single units: published variant only
	relu, relu2    nn.ReLU
	features, flat nn.Matrix
	dseq           nn.Matrix
}

func newAutoencoder(published bool, r *rand.Rand) *autoencoder {
	a := &autoencoder{
		e1: nn.NewLSTM(channels, encoderHidden, r), e2: nn.NewLSTM(encoderHidden, 1, r),
		d1: nn.NewLSTM(1, decoderHidden, r), d2: nn.NewLSTM(decoderHidden, 1, r),
		o1: nn.NewLinear(steps+ahead, 32, r), o2: nn.NewLinear(32, ahead, r),
	}
	a.e1.NoGrad = true
	a.masks(published)
	return a
}

func (a *autoencoder) masks(published bool) {
	a.de1 = nn.Dropout{P: dropout, Shared: steps}
	a.dd1 = nn.Dropout{P: dropout, Shared: steps + ahead}
	if published {
		a.de2 = nn.Dropout{P: dropout, Shared: steps}
		a.dd2 = nn.Dropout{P: dropout, Shared: steps + ahead}
	}
}

// fork returns an autoencoder with the same weights for another goroutine.
func (a *autoencoder) fork() *autoencoder {
	f := &autoencoder{e1: a.e1.Fork(), e2: a.e2.Fork(), d1: a.d1.Fork(), d2: a.d2.Fork(), o1: a.o1.Fork(), o2: a.o2.Fork()}
	f.masks(a.de2.P > 0)
	return f
}

func (a *autoencoder) params() []*nn.Param {
	var p []*nn.Param
	for _, l := range []*nn.LSTM{a.e1, a.e2, a.d1, a.d2} {
		p = append(p, l.Params()...)
	}
	return append(append(p, a.o1.Params()...), a.o2.Params()...)
}

// encode returns the features of all steps, steps·batch x 1, by dropout masks
// drawn from r.
func (a *autoencoder) encode(x nn.Matrix, r *rand.Rand) nn.Matrix {
	h := a.de1.Forward(a.e1.Forward(x, steps), r)
	return a.relu.Forward(a.de2.Forward(a.e2.Forward(h, steps), r))
}

// forward continues the windows: a row of ahead values for each of the batch.
// raw holds the last ahead standardised values, ahead·batch x 1.
func (a *autoencoder) forward(x, raw nn.Matrix, r *rand.Rand) nn.Matrix {
	batch := x.Rows / steps
	const length = steps + ahead
	if len(a.features.Data) != length*batch {
		a.features, a.flat = nn.NewMatrix(length*batch, 1), nn.NewMatrix(batch, length)
		a.dseq = nn.NewMatrix(length*batch, 1)
	}
	copy(a.features.Data, a.encode(x, r).Data)
	copy(a.features.Data[steps*batch:], raw.Data)
	h := a.dd1.Forward(a.d1.Forward(a.features, length), r)
	y := a.dd2.Forward(a.d2.Forward(h, length), r)
	for t := range length {
		for i := range batch {
			a.flat.Data[i*length+t] = y.Data[t*batch+i]
		}
	}
	return a.o2.Forward(a.relu2.Forward(a.o1.Forward(a.flat)))
}

// backward takes the gradient by the output of forward.
func (a *autoencoder) backward(dy nn.Matrix) {
	const length = steps + ahead
	batch := dy.Rows
	d := a.o1.Backward(a.relu2.Backward(a.o2.Backward(dy)))
	for t := range length {
		for i := range batch {
			a.dseq.Data[t*batch+i] = d.Data[i*length+t]
		}
	}
	d = a.d1.Backward(a.dd1.Backward(a.d2.Backward(a.dd2.Backward(a.dseq))))
	d = a.relu.Backward(d.Slice(0, steps*batch))
	a.e1.Backward(a.de1.Backward(a.e2.Backward(a.de2.Backward(d))))
}
