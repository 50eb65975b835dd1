package trace

import (
	"math"
	"math/rand/v2"
	"sort"
)

// Percentiles is a distribution known at a few levels, as the published traces
// give it. The zero value is "unknown".
type Percentiles struct {
	// Mean as published; it need not equal the mean of the interpolation.
	Mean float64 `json:"mean"`
	// Weight is the number of samples behind the figures; 0 if unknown.
	Weight float64 `json:"weight"`
	// Levels in [0, 1] and Values, both ascending and of equal length.
	Levels []float64 `json:"levels"`
	Values []float64 `json:"values"`
}

// Known reports whether anything is known.
func (p Percentiles) Known() bool { return len(p.Levels) > 0 }

// Quantile interpolates linearly between the known levels, geometrically where
// both ends are positive, since durations and sizes are skewed. Beyond the
// known levels it returns the outermost value. It returns NaN when nothing is
// known.
func (p Percentiles) Quantile(q float64) float64 {
	n := len(p.Levels)
	if n == 0 {
		return math.NaN()
	}
	i := sort.SearchFloat64s(p.Levels, q)
	switch {
	case i == 0:
		return p.Values[0]
	case i == n:
		return p.Values[n-1]
	}
	f := (q - p.Levels[i-1]) / (p.Levels[i] - p.Levels[i-1])
	a, b := p.Values[i-1], p.Values[i]
	if a > 0 && b > 0 {
		return a * math.Pow(b/a, f)
	}
	return a + f*(b-a)
}

// Sample draws one value.
func (p Percentiles) Sample(r *rand.Rand) float64 { return p.Quantile(r.Float64()) }

// pool returns the mixture of two distributions given at the same levels,
// approximated level by level with the weights, as the publishers of the Azure
// trace did for their own percentiles.
func (p Percentiles) pool(o Percentiles) Percentiles {
	if !p.Known() {
		return o
	}
	if !o.Known() || len(p.Levels) != len(o.Levels) {
		return p
	}
	wp, wo := math.Max(p.Weight, 1), math.Max(o.Weight, 1)
	f := wo / (wp + wo)
	r := Percentiles{Mean: p.Mean + f*(o.Mean-p.Mean), Weight: p.Weight + o.Weight, Levels: p.Levels, Values: make([]float64, len(p.Values))}
	for i := range r.Values {
		r.Values[i] = p.Values[i] + f*(o.Values[i]-p.Values[i])
	}
	return r
}
