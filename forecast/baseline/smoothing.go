package baseline

import (
	"github.com/aquatope/aquatope/forecast"
)

// alphas are the weights of the newest count that smoothing chooses from.
var alphas = [...]float64{0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9}

// ExponentialSmoothing predicts an exponentially weighted mean. Its weight is
// chosen for each function, always anew, by the squared errors of the last few
// hundred windows.
func ExponentialSmoothing() forecast.Learner {
	return model{"exponential-smoothing", func() point { return &smoothing{} }}
}

type smoothing struct {
	level  [len(alphas)]float64
	errors [len(alphas)]float64
	n      int
}

func (p *smoothing) observe(c float64) {
	const memory = 0.995
	for i, a := range alphas {
		if p.n == 0 {
			p.level[i] = c
			continue
		}
		e := c - p.level[i]
		p.errors[i] = memory*p.errors[i] + e*e
		// While little is known the mean weighs all counts equally.
		p.level[i] += max(a, 1/float64(p.n+1)) * e
	}
	p.n++
}

func (p *smoothing) predict(int) float64 {
	best := 0
	for i := range alphas {
		if p.errors[i] < p.errors[best] {
			best = i
		}
	}
	return p.level[best]
}
