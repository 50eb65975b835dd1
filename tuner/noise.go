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
// observations, and their shapes resemble one another. A variable whose own
// residuals clearly have another shape (say, since its inputs come in two sizes)
// keeps that.
func learnNoise(surfaces []*surface) []noise {
	var pooled, factors []float64
	total, bad := 0, 0
	outliers := make([]int, len(surfaces))
	own := make([][]float64, len(surfaces))
	for v, s := range surfaces {
		for i, z := range s.resid {
			total++
			switch {
			case s.outlier[i] && z > 0:
				outliers[v]++
				bad++
				factors = append(factors, z*s.spread[i])
			case !s.outlier[i]:
				own[v] = append(own[v], z)
			}
		}
		slices.Sort(own[v])
		pooled = append(pooled, own[v]...)
	}
	slices.Sort(factors)
	slices.Sort(pooled)
	core, size := coreShape(pooled)
	common := float64(bad) / math.Max(float64(total), 1)
	out := make([]noise, len(surfaces))
	for v, s := range surfaces {
		n := float64(len(s.resid))
		out[v] = noise{
			share:   cautiousShare(float64(outliers[v])+shareWeight*common, n+shareWeight),
			factors: factors, core: ownShape(own[v], core, size), dof: n,
		}
		if len(factors) == 0 {
			out[v].share = 0
		}
	}
	return out
}

// cautiousShare is one standard deviation above the mean share of outliers of
// which hits in n were seen: when a percentile lies where outliers begin, too
// small a share costs far more than one that is too large.
func cautiousShare(hits, n float64) float64 {
	mean := hits / n
	return mean + math.Sqrt(mean*(1-mean)/(n+1))
}

// coreShape returns quantiles between those of the sorted residuals and those of
// a normal distribution. The residuals keep the size that they have together,
// within limits: if all functions' noise came out too small, it shows here.
func coreShape(z []float64) (core []float64, size float64) {
	const least, most = 0.9, 1.3
	mean, sd := stats.Moments(z)
	n := float64(len(z))
	size = math.Sqrt((sd*sd*n + shapeWeight/4) / (n + shapeWeight/4))
	size = math.Min(math.Max(size, least), most)
	w := n / (n + shapeWeight)
	if !(sd > 1e-9) {
		w, sd = 0, 1
	}
	core = make([]float64, coreSteps)
	for i := range core {
		u := (float64(i) + 0.5) / coreSteps
		core[i] = (1 - w) * size * distuv.UnitNormal.Quantile(u)
		if w > 0 {
			core[i] += w * size * (stats.Quantile(u, z) - mean) / sd
		}
	}
	return core, size
}

// ownShape moves from the common shape to that of the sorted residuals z as far
// as they differ: by the distance of Kolmogorov and Smirnov with the critical
// values of Lilliefors (1967), about 0.89/√n at 5 % and 1.03/√n at 1 %.
func ownShape(z, common []float64, size float64) []float64 {
	const differs, surely = 0.9, 1.2
	mean, sd := stats.Moments(z)
	n := float64(len(z))
	if n < 8 || !(sd > 1e-9) {
		return common
	}
	var distance float64
	for i, v := range z {
		at, _ := slices.BinarySearch(common, (v-mean)/sd*size)
		u := float64(at) / coreSteps
		distance = math.Max(distance, math.Max(u-float64(i)/n, float64(i+1)/n-u))
	}
	w := (distance*math.Sqrt(n) - differs) / (surely - differs)
	w = math.Min(math.Max(w, 0), 1) * n / (n + 10)
	if w == 0 {
		return common
	}
	core := make([]float64, coreSteps)
	for i := range core {
		u := (float64(i) + 0.5) / coreSteps
		core[i] = (1-w)*common[i] + w*size*(stats.Quantile(u, z)-mean)/sd
	}
	return core
}

// commonCause returns, for each variable, how strongly its noise follows a cause
// that all invocations of a run share, such as the size of the run's input or a
// busy machine: the loadings of one factor by the centroid method (Thurstone,
// 1931) from the correlations of residuals within runs, none where these could
// be chance.
func commonCause(surfaces []*surface, runs int) []float64 {
	byRun := make([][]float64, len(surfaces)) // mean residual in each run, NaN without
	for v, s := range surfaces {
		sum, count := make([]float64, runs), make([]float64, runs)
		for i, z := range s.resid {
			sum[s.run[i]] += math.Max(-3, math.Min(3, z))
			count[s.run[i]]++
		}
		for r := range sum {
			sum[r] /= count[r]
		}
		byRun[v] = sum
	}
	loading := make([]float64, len(surfaces))
	var total, chance float64
	for v := range byRun {
		for w := range byRun {
			if v == w {
				continue
			}
			if rho, n := correlation(byRun[v], byRun[w]); n >= 5 {
				loading[v] += rho
				total += rho
				chance += 1 / n
			}
		}
	}
	// Each pair was counted twice, which doubles the standard error of the sum.
	if limit := 1.96 * math.Sqrt(2*chance); total <= limit {
		return make([]float64, len(surfaces))
	}
	// The diagonal, what each shares with itself, is not seen: iterate on it.
	sums := slices.Clone(loading)
	clear(loading)
	for range 50 {
		all := total
		for _, l := range loading {
			all += l * l
		}
		for v := range loading {
			loading[v] = math.Min(math.Max((sums[v]+loading[v]*loading[v])/math.Sqrt(all), 0), 0.98)
		}
	}
	return loading
}

// correlation is that of the pairs in which neither is NaN, and their number.
func correlation(a, b []float64) (rho, n float64) {
	var x, y []float64
	for i := range a {
		if !math.IsNaN(a[i]) && !math.IsNaN(b[i]) {
			x, y = append(x, a[i]), append(y, b[i])
		}
	}
	mx, sx := stats.Moments(x)
	my, sy := stats.Moments(y)
	n = float64(len(x))
	if n < 3 || !(sx > 1e-12) || !(sy > 1e-12) {
		return 0, 0
	}
	for i := range x {
		rho += (x[i] - mx) * (y[i] - my) / (sx * sy * (n - 1))
	}
	return rho, n
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
