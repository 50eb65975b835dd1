package workflow

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Lag is when a stage is reached for the first time in a run: the time from the
// start of the run until the stage's first invocation.
type Lag struct {
	Stage int
	// Reached is the share of runs that invoke the stage at all.
	Reached float64
	// Seconds holds the lags of the sampled runs that did, ascending.
	Seconds []float64
}

// Mean returns the mean lag in seconds; NaN for a stage that was never reached.
func (l Lag) Mean() float64 {
	sum := 0.0
	for _, s := range l.Seconds {
		sum += s
	}
	return sum / float64(len(l.Seconds))
}

// Quantile returns the lag that a share p of the runs do not exceed, in
// seconds: the order statistic below or at p, so that warming by it errs early.
// It returns NaN for a stage that was never reached and panics unless 0 <= p <= 1.
func (l Lag) Quantile(p float64) float64 {
	if !(p >= 0 && p <= 1) {
		panic("workflow: quantile level outside [0, 1]")
	}
	if len(l.Seconds) == 0 {
		return math.NaN()
	}
	return l.Seconds[int(p*float64(len(l.Seconds)-1))]
}

// Lags samples runs and returns the lag of every stage, in order of stages:
// draw returns a service time of a stage in seconds, r decides the branches.
// It is what warming just ahead of a run needs: a stage whose lag exceeds the
// cold start of its function can be started when the run starts.
func (c *Composition) Lags(stages, runs int, draw func(stage int) float64, r *rand.Rand) []Lag {
	all := newLags(stages)
	c.eachRun(stages, runs, draw, r, all.add)
	return all.lags(runs)
}

// LagsFrom is Lags for runs whose first invocation is known: by each stage that
// some sampled run began with, the lags in the runs that did, counted from that
// invocation. Of the ways of a switch it knows which one was taken as soon as
// the run's first stage tells.
func (c *Composition) LagsFrom(stages, runs int, draw func(stage int) float64, r *rand.Rand) map[int][]Lag {
	by := map[int]samples{}
	began := map[int]int{}
	c.eachRun(stages, runs, draw, r, func(first []float64) {
		begin := slices.Min(first)
		if math.IsInf(begin, 1) {
			return // a run without a stage
		}
		for i := range first {
			first[i] -= begin
		}
		for entry, at := range first {
			if at > 0 {
				continue
			}
			if by[entry] == nil {
				by[entry] = newLags(stages)
			}
			began[entry]++
			by[entry].add(first)
		}
	})
	out := make(map[int][]Lag, len(by))
	for entry, s := range by {
		out[entry] = s.lags(began[entry])
	}
	return out
}

// LagsBetween is Lags for every stage from every other: [a][b] is how long after
// the first invocation of a the first of b follows, in the runs that invoke a. It
// is as of a stage that is never reached where b is a, or comes before it in some run.
func (c *Composition) LagsBetween(stages, runs int, draw func(stage int) float64, r *rand.Rand) [][]Lag {
	from := make([]samples, stages)
	for a := range from {
		from[a] = newLags(stages)
	}
	reached := make([]int, stages)
	before := make([]bool, stages*stages) // a then b: b came before a in some run
	c.eachRun(stages, runs, draw, r, func(first []float64) {
		for a, at := range first {
			if math.IsInf(at, 1) {
				continue
			}
			reached[a]++
			for b, then := range first {
				switch {
				case a == b || math.IsInf(then, 1):
				case then < at:
					before[a*stages+b] = true
				default:
					from[a][b] = append(from[a][b], then-at)
				}
			}
		}
	})
	out := make([][]Lag, stages)
	for a := range out {
		for b := range from[a] {
			if before[a*stages+b] {
				from[a][b] = nil
			}
		}
		out[a] = from[a].lags(reached[a])
	}
	return out
}

// eachRun calls do with the time of every stage's first invocation in a sampled
// run; infinite for a stage that is not reached.
func (c *Composition) eachRun(stages, runs int, draw func(stage int) float64, r *rand.Rand, do func(first []float64)) {
	service, start := make([]float64, len(c.slots)), make([]float64, len(c.slots))
	uniform := make([]float64, c.uniforms)
	first := make([]float64, stages)
	for range runs {
		c.Fill(service, uniform, draw, r)
		c.Starts(service, uniform, start)
		for i := range first {
			first[i] = math.Inf(1)
		}
		for slot, stage := range c.slots {
			if !math.IsNaN(start[slot]) {
				first[stage] = min(first[stage], start[slot])
			}
		}
		do(first)
	}
}

// samples holds the lags of every stage over runs.
type samples [][]float64

func newLags(stages int) samples { return make(samples, stages) }

func (s samples) add(first []float64) {
	for i, at := range first {
		if !math.IsInf(at, 1) {
			s[i] = append(s[i], at)
		}
	}
}

func (s samples) lags(runs int) []Lag {
	out := make([]Lag, len(s))
	for i, seconds := range s {
		slices.Sort(seconds)
		out[i] = Lag{Stage: i, Seconds: seconds, Reached: float64(len(seconds)) / float64(max(runs, 1))}
	}
	return out
}
