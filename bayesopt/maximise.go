package bayesopt

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/aquatope/aquatope/gp/minimise"
)

// SearchOptions bounds the work of [Maximise]. Zero values take the defaults.
type SearchOptions struct {
	Raw        int // batches looked at before choosing where to start; 512
	Restarts   int // local searches; 10
	Iterations int // of each local search at most; 200
}

func (o SearchOptions) withDefaults() SearchOptions {
	if o.Raw == 0 {
		o.Raw = 512
	}
	if o.Restarts == 0 {
		o.Restarts = 10
	}
	if o.Iterations == 0 {
		o.Iterations = 200
	}
	return o
}

// Maximise returns the batch of dim-dimensional points in the unit cube with
// the largest acquisition value found, and that value: local searches with
// gradients from the most promising of many quasi-random batches. Batches in
// seeds are tried as starts besides these.
func (a *NEI) Maximise(dim int, seeds [][][]float64, opt SearchOptions, rng *rand.Rand) ([][]float64, float64) {
	opt = opt.withDefaults()
	type start struct {
		xs    [][]float64
		value float64
	}
	var starts []start
	for _, xs := range seeds {
		starts = append(starts, start{xs, a.Value(xs)})
	}
	seq := NewSobol(min(MaxSobolDim, dim*a.batch)).Scrambled(rng.Uint64())
	for i := range opt.Raw {
		u := seq.Point(uint32(i))
		for len(u) < dim*a.batch {
			u = append(u, rng.Float64())
		}
		xs := rows(u, dim)
		starts = append(starts, start{xs, a.Value(xs)})
	}
	// The best start is always taken, others with a probability that falls
	// with the distance of their value, so that several basins are searched.
	var mean, sd float64
	values := make([]float64, len(starts))
	for i, s := range starts {
		values[i] = s.value
	}
	mean, sd = meanSD(values)
	var bestX [][]float64
	best := math.Inf(-1)
	taken := make([]bool, len(starts))
	for r := range min(opt.Restarts, len(starts)) {
		pick := -1
		top := math.Inf(-1)
		for i, s := range starts {
			if taken[i] {
				continue
			}
			score := s.value
			if r > 0 {
				// Gumbel noise on the logits samples without replacement.
				score = (s.value-mean)/math.Max(sd, 1e-12) - math.Log(-math.Log(rng.Float64()+1e-300))
			}
			if pick < 0 || score > top {
				pick, top = i, score
			}
		}
		taken[pick] = true
		xs, v := a.climb(starts[pick].xs, dim, opt.Iterations)
		if v > best || bestX == nil {
			bestX, best = xs, v
		}
	}
	return a.exchange(bestX, best, opt, rng)
}

// exchange tries to replace each point of a batch by a better one while the
// others stay: the batch is best as a whole only if no single point can be
// improved, and local searches over the whole batch often end short of that.
func (a *NEI) exchange(xs [][]float64, best float64, opt SearchOptions, rng *rand.Rand) ([][]float64, float64) {
	dim := len(xs[0])
	const rounds = 3
	for range rounds {
		improved := false
		for j := range xs {
			type option struct {
				xs    [][]float64
				value float64
			}
			var options []option
			for _, u := range spread(opt.Raw/4, dim, rng) {
				o := option{xs: slices.Clone(xs)}
				o.xs[j] = u
				o.value = a.Value(o.xs)
				options = append(options, o)
			}
			slices.SortStableFunc(options, func(p, q option) int { return cmp.Compare(q.value, p.value) })
			for _, o := range options[:min(2, len(options))] {
				if better, v := a.climb(o.xs, dim, opt.Iterations); v > best {
					xs, best, improved = better, v, true
				}
			}
		}
		if !improved {
			break
		}
	}
	return xs, best
}

// climb is one local search over all coordinates of the batch. The improvement
// itself has no gradient where no draw improves, and a jump where a constraint
// begins to hold, so its logarithm leads the way and it only finishes.
func (a *NEI) climb(xs [][]float64, dim, iterations int) ([][]float64, float64) {
	if !a.log {
		soft := *a
		soft.log = true
		smooth, _ := soft.climb(xs, dim, iterations)
		x1, v1 := a.ascend(smooth, dim, iterations)
		x2, v2 := a.ascend(xs, dim, iterations)
		if v2 > v1 {
			return x2, v2
		}
		return x1, v1
	}
	return a.ascend(xs, dim, iterations)
}

// ascend follows the gradient of the value as it is.
func (a *NEI) ascend(xs [][]float64, dim, iterations int) ([][]float64, float64) {
	n := dim * len(xs)
	lower, upper := make([]float64, n), make([]float64, n)
	x := make([]float64, 0, n)
	for _, row := range xs {
		x = append(x, row...)
	}
	for i := range upper {
		upper[i] = 1
	}
	f := func(x, grad []float64) float64 {
		v := a.Gradient(rows(x, dim), rows(grad, dim))
		for i := range grad {
			grad[i] = -grad[i]
		}
		return -v
	}
	r := minimise.Box(f, x, lower, upper, minimise.Options{Iterations: iterations, Change: 1e-7})
	return rows(r.X, dim), -r.Value
}

// rows cuts x into slices of length dim that share its memory.
func rows(x []float64, dim int) [][]float64 {
	out := make([][]float64, len(x)/dim)
	for i := range out {
		out[i] = x[i*dim : (i+1)*dim : (i+1)*dim]
	}
	return out
}

func meanSD(x []float64) (mean, sd float64) {
	var n float64
	for _, v := range x {
		if !math.IsInf(v, 0) {
			mean += v
			n++
		}
	}
	if n == 0 {
		return 0, 0
	}
	mean /= n
	for _, v := range x {
		if !math.IsInf(v, 0) {
			sd += (v - mean) * (v - mean)
		}
	}
	return mean, math.Sqrt(sd / n)
}
