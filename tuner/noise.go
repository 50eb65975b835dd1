package tuner

import (
	"math"
	"slices"

	"github.com/aquatope/aquatope/stats"
	"gonum.org/v1/gonum/stat/distuv"
)

// noise is the distribution of one variable's service time around its surface.
// With probability share an invocation is an outlier, slower by a factor drawn
// from factors; otherwise its log time is off by the surface's standard deviation
// times a draw of core.
type noise struct {
	share   float64
	factors []float64 // log ratios of outliers to the surface, ascending
	core    []float64 // quantiles of the standardised deviation at equal steps
	dof     float64   // how many observations the size of the noise rests on
}

const (
	coreSteps = 200
	// shapeWeight is the number of observations at which the shape of the noise
	// is trusted as much as a normal distribution.
	shapeWeight = 60.0
	// shareWeight is the number of observations of its own that weigh as much as
	// all functions' share of outliers.
	shareWeight = 10.0
)

// learnNoise learns the noise of all variables together: each has few
// observations, and their shapes resemble one another.
func learnNoise(surfaces []*surface) []noise {
	var pooled, factors []float64
	total, bad := 0, 0
	outliers := make([]int, len(surfaces))
	for v, s := range surfaces {
		for i, z := range s.resid {
			total++
			switch {
			case s.outlier[i] && z > 0:
				outliers[v]++
				bad++
				factors = append(factors, z*s.spread[i])
			case !s.outlier[i]:
				pooled = append(pooled, z)
			}
		}
	}
	slices.Sort(factors)
	core := coreShape(pooled)
	common := float64(bad) / math.Max(float64(total), 1)
	out := make([]noise, len(surfaces))
	for v, s := range surfaces {
		n := float64(len(s.resid))
		out[v] = noise{
			share:   (float64(outliers[v]) + shareWeight*common) / (n + shareWeight),
			factors: factors, core: core, dof: n,
		}
		if len(factors) == 0 {
			out[v].share = 0
		}
	}
	return out
}

// coreShape returns quantiles between those of the residuals and those of a
// normal distribution. The residuals keep the size that they have together, within
// limits: if all functions' noise came out too small, it shows here.
func coreShape(resid []float64) []float64 {
	z := slices.Clone(resid)
	slices.Sort(z)
	var mean, square float64
	for _, v := range z {
		mean += v / float64(len(z))
	}
	for _, v := range z {
		square += (v - mean) * (v - mean) / float64(len(z))
	}
	const least, most = 0.9, 1.3
	sd := math.Sqrt(square)
	n := float64(len(z))
	size := math.Sqrt((square*n + shapeWeight/4) / (n + shapeWeight/4))
	size = math.Min(math.Max(size, least), most)
	w := float64(len(z)) / (float64(len(z)) + shapeWeight)
	if !(sd > 1e-9) {
		w, sd = 0, 1
	}
	q := make([]float64, coreSteps)
	for i := range q {
		u := (float64(i) + 0.5) / coreSteps
		q[i] = (1 - w) * size * distuv.UnitNormal.Quantile(u)
		if w > 0 {
			q[i] += w * size * (stats.Quantile(u, z) - mean) / sd
		}
	}
	return q
}

// draw turns a uniform number into a deviation: a standardised one, or the log
// ratio of an outlier.
func (n *noise) draw(u float64) (deviation float64, outlier bool) {
	if u >= 1-n.share {
		return stats.Quantile((u-1+n.share)/n.share, n.factors), true
	}
	h := u/(1-n.share)*coreSteps - 0.5
	i := int(math.Max(0, math.Min(h, coreSteps-2)))
	return n.core[i] + (h-float64(i))*(n.core[i+1]-n.core[i]), false
}

// excess returns how much outliers add to the mean, as a factor.
func (n *noise) excess() float64 {
	if n.share == 0 {
		return 1
	}
	var sum float64
	for _, f := range n.factors {
		sum += math.Exp(f)
	}
	return 1 - n.share + n.share*sum/float64(len(n.factors))
}
