package forecast

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/stat/distuv"
)

// Gaussian is a normal distribution whose mass below zero lies on zero.
type Gaussian struct{ mean, sd float64 }

// NewGaussian returns a normal distribution, clamped at zero. What is not a
// number becomes 0; the mean is bounded by MaxDemand, the deviation kept
// positive.
func NewGaussian(mean, sd float64) Gaussian {
	if math.IsNaN(mean) {
		mean = 0
	}
	mean = math.Min(math.Max(mean, -MaxDemand), MaxDemand)
	// Small, but not lost in the rounding of the mean.
	if least := 1e-7 * (1 + math.Abs(mean)); !(sd > least) {
		sd = least
	}
	return Gaussian{mean, math.Min(sd, MaxDemand)}
}

// Mean returns the mean of the clamped distribution.
func (g Gaussian) Mean() float64 {
	z := g.mean / g.sd
	return math.Max(g.mean*distuv.UnitNormal.CDF(z)+g.sd*distuv.UnitNormal.Prob(z), 0)
}

// Quantile returns the p-quantile.
func (g Gaussian) Quantile(p float64) float64 {
	if p <= 0 {
		return 0
	}
	return math.Min(math.Max(g.mean+g.sd*distuv.UnitNormal.Quantile(math.Min(p, 1-1e-12)), 0), 10*MaxDemand)
}

// CDF returns P(X <= x).
func (g Gaussian) CDF(x float64) float64 {
	if x < 0 {
		return 0
	}
	return distuv.UnitNormal.CDF((x - g.mean) / g.sd)
}

// Sample draws a value.
func (g Gaussian) Sample(r *rand.Rand) float64 { return math.Max(g.mean+g.sd*r.NormFloat64(), 0) }
