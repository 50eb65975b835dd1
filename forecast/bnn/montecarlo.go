package bnn

import (
	"math/rand/v2"

	"github.com/aquatope/aquatope/forecast/nn"
)

// passes is the number of Monte-Carlo samples.
const passes = 128

// sampler draws predictions by dropout. Only what follows the first dropout is
// repeated: the first LSTM layer runs once for the function, then all passes
// run as one batch.
type sampler struct {
	*autoencoder
	head     *predictor
	x        nn.Matrix // steps x channels
	masked   nn.Matrix // steps·passes x encoderHidden
	features nn.Matrix // passes x steps+calendar
	r        *rand.Rand
}

func newSampler(a *autoencoder, p *predictor, r *rand.Rand) *sampler {
	return &sampler{
		a.fork(), p.fork(), nn.NewMatrix(steps, channels), nn.NewMatrix(steps*passes, encoderHidden),
		nn.NewMatrix(passes, steps+calendar), r,
	}
}

// encode runs the encoder on the windows before the end of the series.
func (m *sampler) encode(s *series) {
	s.encode(m.x, 0, 1, len(s.counts))
	h := m.e1.Forward(m.x, steps)
	for t := range steps {
		row := h.Row(t)
		for k := range passes {
			copy(m.masked.Row(t*passes+k), row)
		}
	}
	y := m.relu.Forward(m.de2.Forward(m.e2.Forward(m.de1.Forward(m.masked, m.r), steps), m.r))
	for k := range passes {
		row := m.features.Row(k)
		for t := range steps {
			row[t] = y.Data[t*passes+k]
		}
	}
}

// predict returns the mean and variance, in z-scores, of the change since the
// first window read, for the given window. encode comes before.
func (m *sampler) predict(window int64) (mean, variance float64) {
	for k := range passes {
		clock(m.features.Row(k)[steps:], window)
	}
	y := m.head.forward(m.features, m.r)
	for _, v := range y.Data[:passes] {
		mean += float64(v) / passes
	}
	for _, v := range y.Data[:passes] {
		variance += (float64(v) - mean) * (float64(v) - mean) / (passes - 1)
	}
	return mean, variance
}
