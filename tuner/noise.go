package tuner

import (
	"math"
	"slices"

	"github.com/aquatope/aquatope/stats"
	"gonum.org/v1/gonum/stat/distuv"
)

// noise is the distribution of one variable's service time around its surface:
// an invocation is an outlier, or its log time is off by the surface's standard
// deviation times a draw of core.
type noise struct {
	outliers
	core []float64 // quantiles of the standardised deviation at equal steps
}

const (
	coreSteps = 200
	// shapeWeight is the number of observations at which the shape of the noise
	// is trusted as much as a normal distribution.
	shapeWeight = 60.0
)

// learnNoise learns the noise of all variables together: each has few
// observations, and their shapes resemble one another. A variable whose own
// residuals clearly have another shape (say, since its inputs come in two sizes)
// keeps that.
func learnNoise(surfaces []*surface) []noise {
	var pooled []float64
	own := make([][]float64, len(surfaces))
	for v, s := range surfaces {
		for _, r := range s.resid {
			if !r.outlier {
				own[v] = append(own[v], r.z)
			}
		}
		slices.Sort(own[v])
		pooled = append(pooled, own[v]...)
	}
	slices.Sort(pooled)
	core, size := coreShape(pooled)
	out := make([]noise, len(surfaces))
	for v, o := range learnOutliers(surfaces) {
		out[v] = noise{outliers: o, core: ownShape(own[v], core, size)}
	}
	return out
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
		for _, r := range s.resid {
			sum[r.run] += math.Max(-3, math.Min(3, r.z))
			count[r.run]++
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

// deviation returns the u-quantile of the standardised deviation of what is no
// outlier.
func (n *noise) deviation(u float64) float64 {
	h := u*coreSteps - 0.5
	i := int(math.Max(0, math.Min(h, coreSteps-2)))
	return n.core[i] + (h-float64(i))*(n.core[i+1]-n.core[i])
}

// smear returns by how much noise of standard deviation sd in the logarithm
// raises the mean above the median, outliers left out, as a factor (Duan,
// Smearing estimate, 1983).
func (n *noise) smear(sd float64) float64 {
	const every = 4
	var sum float64
	for i := every / 2; i < coreSteps; i += every {
		sum += math.Exp(sd * n.core[i])
	}
	return sum * every / coreSteps
}
