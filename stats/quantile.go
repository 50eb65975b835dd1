package stats

import (
	"math"
	"slices"
)

// Quantile returns the p-quantile of the sorted sample x by linear
// interpolation between order statistics (definition 7 of Hyndman and Fan,
// 1996). It returns NaN for an empty sample and panics unless 0 <= p <= 1.
func Quantile(p float64, x []float64) float64 {
	if !(p >= 0 && p <= 1) {
		panic("stats: quantile level outside [0, 1]")
	}
	if len(x) == 0 {
		return math.NaN()
	}
	h := p * float64(len(x)-1)
	i := int(h)
	if i+1 >= len(x) {
		return x[len(x)-1]
	}
	return x[i] + (h-float64(i))*(x[i+1]-x[i])
}

// Quantiles sorts a copy of x and returns its quantiles at the levels p.
func Quantiles(x []float64, p ...float64) []float64 {
	s := slices.Clone(x)
	slices.Sort(s)
	q := make([]float64, len(p))
	for i := range p {
		q[i] = Quantile(p[i], s)
	}
	return q
}
