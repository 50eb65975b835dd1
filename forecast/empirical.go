package forecast

import (
	"math"
	"math/rand/v2"
	"slices"
	"sort"
)

// Empirical is the distribution of a finite sample with equal weights. The zero
// value is certain to be 0.
type Empirical struct {
	sorted []float64
	mean   float64
}

// NewEmpirical returns the distribution of a sample. Values are clamped to
// [0, MaxDemand], NaN counts as 0.
func NewEmpirical(sample []float64) Empirical {
	e := Empirical{sorted: make([]float64, len(sample))}
	for i, v := range sample {
		if !(v > 0) {
			v = 0
		}
		e.sorted[i] = math.Min(v, MaxDemand)
		e.mean += e.sorted[i] / float64(len(sample))
	}
	slices.Sort(e.sorted)
	return e
}

// Mean returns the mean of the sample.
func (e Empirical) Mean() float64 { return e.mean }

// Quantile returns the smallest value of the sample with CDF at least p.
func (e Empirical) Quantile(p float64) float64 {
	n := len(e.sorted)
	if n == 0 {
		return 0
	}
	// The tolerance keeps 0.9 of ten values at the ninth in spite of rounding.
	i := int(math.Ceil(p*float64(n)-1e-9)) - 1
	return e.sorted[min(max(i, 0), n-1)]
}

// CDF returns the share of the sample that is at most x.
func (e Empirical) CDF(x float64) float64 {
	n := len(e.sorted)
	if n == 0 {
		if x < 0 {
			return 0
		}
		return 1
	}
	return float64(sort.Search(n, func(i int) bool { return e.sorted[i] > x })) / float64(n)
}

// Sample draws one of the values.
func (e Empirical) Sample(r *rand.Rand) float64 {
	if len(e.sorted) == 0 {
		return 0
	}
	return e.sorted[r.IntN(len(e.sorted))]
}
