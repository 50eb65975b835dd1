package tuner

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/aquatope/aquatope/gp"
	"gonum.org/v1/gonum/floats"
)

// stairs is what is known of a function that is flat between jumps of any height at
// any CPU: the posterior over all ways to cut the observations into flat pieces,
// summed up exactly (Fearnhead, Exact and efficient Bayesian inference for multiple
// changepoint problems, 2006). The height of a piece lies around what the surface's
// prior mean has there; between two CPUs that were tried there is one jump or none.
type stairs struct {
	data  gp.Data
	cpu   []float64 // that were tried, ascending, as inputs
	sums  []pieceSums
	whole []float64 // logarithm of the chance of no jump up to each CPU
	jump  []float64 // logarithm of that of one just below it
	scale []scaled
	log   float64 // evidence, in the logarithm
}

// pieceSums are sums over the observations below some CPU.
type pieceSums struct{ weight, value, square, trend float64 }

// scaled is the posterior for one size of the noise.
type scaled struct {
	noise float64   // variance relative to the surface's
	upTo  []float64 // evidence of the observations below each CPU, a piece ending there
	log   float64   // evidence of all, and of the size
}

const (
	// fewestStairs is how many points a function must have to be thought of as of stairs.
	fewestStairs = 4
	shareRounds  = 10 // of learning how many functions are of stairs
	// jumpRate is how many jumps are expected from one CPU to e times it, height how far a
	// piece may be from the law, as a standard deviation.
	jumpRate, height = 1.0, 0.3
	// farApart is the logarithm of a length-scale at which pieces tell nothing of one another.
	farApart = -5
	// outlierLog is the logarithm of how often an observation is expected not to fit.
	outlierLog = -3.2
)

// newStairs sums up what the data say with the memory and the noise of parameters p.
func (s *surface) newStairs(data gp.Data, p gp.Params) *stairs {
	first := s.model.NumParams() - amdahlParams
	mean, noise := s.model.Mean.With(p[first:]), s.model.Noise
	n := s.model.Dim + 1
	order := make([]int, len(data.Y))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		if d := data.X[i][0] - data.X[j][0]; math.Abs(d) > 1e-9 {
			return int(math.Copysign(1, d))
		}
		return 0
	})
	data.Weight = slices.Clone(data.Weight)
	st := &stairs{data: data}
	var sum pieceSums
	var constant, scatter, count float64
	for _, i := range order {
		x := data.X[i]
		one := math.Exp(noise.LogVariance(x, p[n:first]))
		variance := one / data.Weight[i]
		if data.Fixed != nil {
			variance += data.Fixed[i]
		}
		memory, _ := penalty(x[1], math.Exp(p[first+3]), p[first+4])
		y, w := data.Y[i]-memory, 1/variance
		trend := mean(x, nil) - memory
		if k := len(st.cpu); k == 0 || x[0] > st.cpu[k-1]+1e-9 {
			st.cpu, st.sums = append(st.cpu, x[0]), append(st.sums, sum)
		}
		sum.weight += w
		sum.value += w * y
		sum.square += w * y * y
		sum.trend += w * trend
		constant += math.Log(w) - data.Repeats[i]*math.Log(one)
		scatter += data.Scatter[i] / one
		count += 1 + data.Repeats[i]
	}
	st.sums = append(st.sums, sum)
	st.whole, st.jump = make([]float64, len(st.cpu)), make([]float64, len(st.cpu))
	for i := 1; i < len(st.cpu); i++ {
		gap := jumpRate * (st.cpu[i] - st.cpu[i-1])
		st.whole[i], st.jump[i] = st.whole[i-1]-gap, math.Log(-math.Expm1(-gap))
	}
	const step = 0.7 // of the log of the noise variance
	var logs []float64
	for k := -5; k <= 1; k++ {
		sc := scaled{noise: math.Exp(step * float64(k))}
		st.sumUp(&sc)
		l, _ := s.model.Priors[n].LogDensity(p[n] + step*float64(k))
		sc.log = sc.upTo[len(st.cpu)] + (constant-count*math.Log(2*math.Pi*sc.noise)-scatter/sc.noise)/2 + l + math.Log(step)
		st.scale, logs = append(st.scale, sc), append(logs, sc.log)
	}
	st.log = floats.LogSumExp(logs)
	return st
}

// sumUp adds up all ways to cut, from the smallest CPU upwards.
func (st *stairs) sumUp(sc *scaled) {
	sc.upTo = make([]float64, len(st.cpu)+1)
	for j := 1; j <= len(st.cpu); j++ {
		sc.upTo[j] = floats.LogSumExp(st.last(sc, j))
	}
}

// last is the logarithm of how likely the last piece below CPU j begins at each CPU,
// with the observations below j.
func (st *stairs) last(sc *scaled, j int) []float64 {
	logs := make([]float64, j)
	for i := range j {
		logs[i] = sc.upTo[i] + st.jump[i] + st.whole[j-1] - st.whole[i] + piece(st.sums[i], st.sums[j], sc.noise)
	}
	return logs
}

// piece is the logarithm of how likely the observations between two sums are if they
// are all of one height, up to a constant.
func piece(from, to pieceSums, noise float64) float64 {
	w := to.weight - from.weight
	value, trend := (to.value-from.value)/w, (to.trend-from.trend)/w
	spread := math.Max(to.square-from.square-w*value*value, 0)
	w /= noise
	grow := 1 + height*height*w
	return -(spread/noise + math.Log(grow) + (value-trend)*(value-trend)*w/grow) / 2
}

// draw draws one way to cut and the size of the noise.
func (st *stairs) draw(rng *rand.Rand) (p pieces, noise float64) {
	var logs []float64
	for _, sc := range st.scale {
		logs = append(logs, sc.log)
	}
	sc := &st.scale[pick(logs, rng.Float64())]
	for j := len(st.cpu); j > 0; {
		i := pick(st.last(sc, j), rng.Float64())
		p.add(st.cpu[i:j], st.below(i)*rng.Float64())
		j = i
	}
	return p, sc.noise
}

// below is how far the next smaller CPU that was tried is.
func (st *stairs) below(i int) float64 {
	if i == 0 {
		return 0
	}
	return st.cpu[i] - st.cpu[i-1]
}

// likeliest is the most likely way to cut, its pieces beginning with what was tried.
func (st *stairs) likeliest() (p pieces, noise float64) {
	sc := &st.scale[0]
	for i := range st.scale {
		if st.scale[i].log > sc.log {
			sc = &st.scale[i]
		}
	}
	for j := len(st.cpu); j > 0; {
		logs := st.last(sc, j)
		i := slices.Index(logs, slices.Max(logs))
		p.add(st.cpu[i:j], 0)
		j = i
	}
	return p, sc.noise
}

// pick returns an index by a uniform number, each as often as the logarithm of its
// likelihood says.
func pick(logs []float64, u float64) int {
	u = math.Log(u) + floats.LogSumExp(logs)
	sum := math.Inf(-1)
	for i, l := range logs {
		if sum = floats.LogSumExp([]float64{sum, l}); u < sum {
			return i
		}
	}
	return len(logs) - 1
}
