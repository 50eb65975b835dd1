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
	service, start := make([]float64, len(c.slots)), make([]float64, len(c.slots))
	uniform := make([]float64, c.uniforms)
	first := make([]float64, stages)
	lags := make([]Lag, stages)
	for i := range lags {
		lags[i] = Lag{Stage: i}
	}
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
		for i, at := range first {
			if !math.IsInf(at, 1) {
				lags[i].Seconds = append(lags[i].Seconds, at)
			}
		}
	}
	for i := range lags {
		slices.Sort(lags[i].Seconds)
		lags[i].Reached = float64(len(lags[i].Seconds)) / float64(max(runs, 1))
	}
	return lags
}
