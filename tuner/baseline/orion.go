package baseline

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/stats"
	"github.com/aquatope/aquatope/tuner"
	"github.com/aquatope/aquatope/workflow"
)

// Orion is the sizing of Mahgoub et al., ORION and the three rights: sizing,
// bundling, and prewarming for serverless DAGs (OSDI 2022): profile functions at
// a few sizes, interpolate their latency distributions in between, combine them
// along the graph (sums in series, maxima in parallel), and from the smallest
// sizes on add the step that lowers the promised percentile most until the
// target is kept. (With a mean target it lowers the mean.)
type Orion struct{}

// Name implements [tuner.Strategy].
func (Orion) Name() string { return "orion" }

// Next implements [tuner.Strategy]: profiling, until the budget is used.
func (Orion) Next(p *tuner.Problem, history []tuner.Run, n, left int, _ *rand.Rand) ([]tuner.Configuration, error) {
	if err := check(p, history); err != nil {
		return nil, err
	}
	var out []tuner.Configuration
	for k := range min(n, left) {
		out = append(out, profileRun(p, history, len(history)+k))
	}
	return out, nil
}

// Recommend implements [tuner.Strategy].
func (Orion) Recommend(p *tuner.Problem, history []tuner.Run, rng *rand.Rand) (tuner.Result, error) {
	if err := check(p, history); err != nil {
		return tuner.Result{}, err
	}
	seen := samples(p, history)
	for _, s := range seen {
		if len(s) == 0 {
			return tuner.Result{Configuration: p.Largest(), Reason: "a function has no measurement: the largest configuration"}, nil
		}
	}
	const levels = 40
	need := memoryNeeds(p, history)
	sizes := make([][]function.Resources, len(p.Functions))
	curves := make([]curve, len(p.Functions))
	for f, fn := range p.Functions {
		sizes[f] = ladder(fn.Space, need[f], levels)
		curves[f] = newCurve(seen[f])
	}
	sim, err := newSimulation(p, 1024, rng, func(f int, r function.Resources, u float64) float64 {
		return curves[f].quantile(r.CPU.Cores(), u)
	})
	if err != nil {
		return tuner.Result{}, err
	}
	at := make([]int, len(sizes))
	c := make(tuner.Configuration, len(sizes))
	set := func() tuner.Configuration {
		for f := range c {
			c[f] = sizes[f][at[f]]
		}
		return c
	}
	value := sim.value(set())
	for value > p.Target.Seconds {
		best, bestValue := -1, value
		for f := range at {
			if at[f]+1 == len(sizes[f]) {
				continue
			}
			at[f]++
			if v := sim.value(set()); v < bestValue {
				best, bestValue = f, v
			}
			at[f]--
		}
		if best < 0 {
			break
		}
		at[best]++
		value = bestValue
	}
	return tuner.Result{
		Configuration: slices.Clone(set()), Feasible: value <= p.Target.Seconds,
		Promised: tuner.Band{Low: value, Mean: value, High: value},
		Reason:   "smallest sizes whose combined distributions keep the target",
	}, nil
}

// curve is a latency distribution for every size: empirical ones at the sizes
// that were profiled, quantiles interpolated in the logarithm in between.
type curve struct {
	logCores []float64
	logTimes [][]float64
}

func newCurve(s []sample) curve {
	var c curve
	for _, v := range s {
		l := math.Log(v.cores)
		if n := len(c.logCores); n == 0 || c.logCores[n-1] != l {
			c.logCores, c.logTimes = append(c.logCores, l), append(c.logTimes, nil)
		}
		last := &c.logTimes[len(c.logTimes)-1]
		*last = append(*last, math.Log(v.seconds))
	}
	for _, t := range c.logTimes {
		slices.Sort(t)
	}
	return c
}

func (c curve) quantile(cores, u float64) float64 {
	l := math.Log(cores)
	i, found := slices.BinarySearch(c.logCores, l)
	switch {
	case found:
		return math.Exp(stats.Quantile(u, c.logTimes[i]))
	case i == 0:
		return math.Exp(stats.Quantile(u, c.logTimes[0]))
	case i == len(c.logCores):
		return math.Exp(stats.Quantile(u, c.logTimes[i-1]))
	}
	t := (l - c.logCores[i-1]) / (c.logCores[i] - c.logCores[i-1])
	return math.Exp((1-t)*stats.Quantile(u, c.logTimes[i-1]) + t*stats.Quantile(u, c.logTimes[i]))
}

// simulation composes latency from service times by quantile.
type simulation struct {
	p        *tuner.Problem
	comp     *workflow.Composition
	columns  *workflow.Columns
	service  [][]float64 // uniform numbers of each slot
	uniform  [][]float64
	variable []int // of each slot
	quantile func(f int, r function.Resources, u float64) float64
	cache    map[simKey][]float64
	latency  []float64
}

type simKey struct {
	slot int
	r    function.Resources
}

func newSimulation(p *tuner.Problem, runs int, rng *rand.Rand, quantile func(f int, r function.Resources, u float64) float64) (*simulation, error) {
	comp, err := workflow.NewComposition(p.Graph)
	if err != nil {
		return nil, err
	}
	s := &simulation{
		p: p, comp: comp, quantile: quantile,
		cache: map[simKey][]float64{}, latency: make([]float64, runs),
	}
	column := func() []float64 {
		u := make([]float64, runs)
		for i := range u {
			u[i] = (float64(i) + rng.Float64()) / float64(runs) // stratified
		}
		rng.Shuffle(runs, func(i, j int) { u[i], u[j] = u[j], u[i] })
		return u
	}
	for _, stage := range comp.Slots() {
		s.service = append(s.service, column())
		s.variable = append(s.variable, variable(p, stage))
	}
	for range comp.Uniforms() {
		s.uniform = append(s.uniform, column())
	}
	s.columns = workflow.NewColumns(comp, nil, s.uniform)
	return s, nil
}

// column returns the service times of a slot under resources r.
func (s *simulation) column(slot int, r function.Resources) []float64 {
	key := simKey{slot, r}
	c, ok := s.cache[key]
	if !ok {
		c = make([]float64, len(s.latency))
		if f := s.variable[slot]; f >= 0 {
			for i, u := range s.service[slot] {
				c[i] = s.quantile(f, r, u)
			}
		}
		s.cache[key] = c
	}
	return c
}

// value returns the promised statistic of a configuration.
func (s *simulation) value(c tuner.Configuration) float64 {
	service := make([][]float64, len(s.service))
	for k, f := range s.variable {
		var r function.Resources
		if f >= 0 {
			r = c[f]
		}
		service[k] = s.column(k, r)
	}
	s.columns.Latencies(service, s.latency)
	return s.p.Target.Of(s.latency)
}
