package forecast

import (
	"math"
	"math/rand/v2"
)

// Visited is the distribution of the visits of a stage that each run visits so
// often on average, when runs are distributed as d. Arrivals come to the entry of
// a workflow and the graph says where they go, so that one series is forecast for
// all of its functions, those that were never called included.
func Visited(d Distribution, ratio float64) Distribution {
	switch {
	case ratio == 1:
		return d
	case ratio > 1:
		return multiplied{d, ratio}
	}
	return thinned(d, ratio)
}

// multiplied is a whole multiple of another, on average.
type multiplied struct {
	of Distribution
	by float64
}

func (m multiplied) bound(x float64) float64     { return math.Min(math.Round(x*m.by), MaxDemand) }
func (m multiplied) Mean() float64               { return math.Min(m.of.Mean()*m.by, MaxDemand) }
func (m multiplied) Quantile(p float64) float64  { return m.bound(m.of.Quantile(p)) }
func (m multiplied) Sample(r *rand.Rand) float64 { return m.bound(m.of.Sample(r)) }

// CDF is over the runs whose multiple rounds to x at most.
func (m multiplied) CDF(x float64) float64 {
	if x >= MaxDemand {
		return 1
	}
	return m.of.CDF(math.Ceil((math.Floor(x)+0.5)/m.by) - 1)
}

// thinned is how many of the runs reach a stage that each reaches with the same
// probability, independently: the binomial distributions of the quantiles of the
// runs, mixed. Of many runs it is nearly the share.
func thinned(d Distribution, probability float64) Distribution {
	const runs, most, points = 24, 200, 200
	if !(probability > 0) {
		return Empirical{}
	}
	if d.Quantile(0.99) > most {
		return multiplied{d, probability}
	}
	var mass [most + 1]float64
	for i := range runs {
		n := math.Min(math.Round(d.Quantile((float64(i)+0.5)/runs)), most)
		p := math.Pow(1-probability, n)
		for k := 0.0; k <= n; k++ {
			mass[int(k)] += p / runs
			p *= (n - k) / (k + 1) * probability / (1 - probability)
		}
	}
	var sample []float64
	sum, k := mass[0], 0
	for i := range points {
		for sum < (float64(i)+0.5)/points && k < most {
			k++
			sum += mass[k]
		}
		sample = append(sample, float64(k))
	}
	return NewEmpirical(sample)
}
