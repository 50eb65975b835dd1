package forecast

import (
	"math"
	"math/rand/v2"
	"slices"
	"sort"
)

// Hurdle is the distribution of a count in two parts: whether the function is
// called at all, and if so how often. The second part is given by quantiles of
// a continuous variable that is rounded up to the next whole number.
type Hurdle struct {
	zero           float64
	levels, values []float64
}

// NewHurdle returns the distribution that is 0 with probability zero and else,
// rounded up and at least 1, has the given values as quantiles at the levels,
// which are in (0, 1), ascending, and at least two. Between the levels it
// interpolates linearly, above them the tail is exponential. Values need not be
// sorted: quantiles that cross are rearranged (Chernozhukov, Fernandez-Val and
// Galichon, Econometrica 2010). The levels are kept, not copied; values are
// kept and changed.
func NewHurdle(zero float64, levels, values []float64) Hurdle {
	if len(levels) != len(values) || len(levels) < 2 {
		panic("forecast: a hurdle needs as many values as levels, at least two")
	}
	if !(zero >= 0) {
		zero = 0
	}
	for i, v := range values {
		if !(v > 0) {
			v = 0
		}
		values[i] = math.Min(v, MaxDemand)
	}
	if !slices.IsSorted(values) {
		slices.Sort(values)
	}
	return Hurdle{math.Min(zero, 1), levels, values}
}

// Mean integrates the quantile function.
func (d Hurdle) Mean() float64 {
	const points = 50
	s := 0.0
	for i := range points {
		s += d.count((float64(i) + 0.5) / points)
	}
	return (1 - d.zero) * s / points
}

// Quantile returns the smallest count with CDF at least p.
func (d Hurdle) Quantile(p float64) float64 {
	if p <= d.zero || d.zero >= 1 {
		return 0
	}
	return d.count((p - d.zero) / (1 - d.zero))
}

// count is the quantile of the second part.
func (d Hurdle) count(p float64) float64 {
	n := len(d.levels)
	l, v := d.levels, d.values
	i := sort.SearchFloat64s(l, p)
	var x float64
	switch {
	case i == n: // exponential tail through the last two quantiles
		x = v[n-1] + (v[n-1]-v[n-2])/d.tail()*math.Log((1-l[n-1])/math.Max(1-p, 1e-9))
	default:
		i = max(i, 1)
		x = v[i-1] + (v[i]-v[i-1])*(p-l[i-1])/(l[i]-l[i-1])
	}
	// The tolerance keeps what rounding lifted above a whole number.
	return math.Min(math.Max(math.Ceil(x-1e-9-1e-13*math.Abs(x)), 1), MaxDemand)
}

// tail is the logarithm by which the probability above falls from the last but
// one level to the last. Levels that lie close together do not make the tail
// heavy.
func (d Hurdle) tail() float64 {
	const least = 0.5
	n := len(d.levels)
	return math.Max(math.Log((1-d.levels[n-2])/(1-d.levels[n-1])), least)
}

// CDF returns P(count <= x).
func (d Hurdle) CDF(x float64) float64 {
	x = math.Floor(x)
	switch {
	case x < 0:
		return 0
	case x < 1 || d.zero >= 1:
		return d.zero
	case x >= MaxDemand:
		return 1
	}
	i, tail := sort.Search(len(d.values), func(i int) bool { return d.values[i] > x }), 0.0
	if i == len(d.values) {
		tail = d.tail()
	}
	return d.zero + (1-d.zero)*d.below(x, i, tail)
}

// CDFs writes CDF(0), CDF(1), ... to p, which costs less than asking for each.
func (d Hurdle) CDFs(p []float64) {
	i, tail := 0, 0.0
	for k := range p {
		for i < len(d.values) && d.values[i] <= float64(k) {
			i++
		}
		if i == len(d.values) && tail == 0 {
			tail = d.tail()
		}
		p[k] = d.zero
		if k > 0 && d.zero < 1 {
			p[k] += (1 - d.zero) * d.below(float64(k), i, tail)
		}
	}
}

// below is the probability that the continuous variable is at most x >= 1. The
// i-th value is the first above x; when there is none the tail is given.
func (d Hurdle) below(x float64, i int, tail float64) float64 {
	n := len(d.levels)
	l, v := d.levels, d.values
	switch {
	case i == n:
		if v[n-1] <= v[n-2] {
			return 1
		}
		return 1 - (1-l[n-1])*math.Exp(-(x-v[n-1])*tail/(v[n-1]-v[n-2]))
	case i == 0:
		if v[1] <= v[0] {
			return 0
		}
		return math.Max(l[0]-(v[0]-x)*(l[1]-l[0])/(v[1]-v[0]), 0)
	}
	return l[i-1] + (l[i]-l[i-1])*(x-v[i-1])/(v[i]-v[i-1])
}

// Sample draws a count.
func (d Hurdle) Sample(r *rand.Rand) float64 { return d.Quantile(r.Float64()) }
