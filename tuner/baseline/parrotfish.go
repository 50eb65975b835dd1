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

// Parrotfish is the method of Moghimi et al., Parrotfish: Parametric regression
// for optimizing serverless functions (SoCC 2023), for workflows: T(m) = a0 +
// a1·exp(-m/a2) fitted to few adaptive samples of each function; every function
// begins at its cheapest size, and while the workflow misses its target the
// function of the critical path with the least cost per time saved grows.
//
// It models means. Where a percentile is promised, the target is divided by that
// percentile of observed over modelled latency.
type Parrotfish struct{}

const parrotfishLevels = 60

// Name implements [tuner.Strategy].
func (Parrotfish) Name() string { return "parrotfish" }

// Next implements [tuner.Strategy]: the ends and the middle of the sizes first,
// then for every function the size where the fit is least certain for the time
// it has been looked at: the one nearest to its cheapest, alternating with the
// currently chosen one.
func (s Parrotfish) Next(p *tuner.Problem, history []tuner.Run, _, left int, rng *rand.Rand) ([]tuner.Configuration, error) {
	if err := check(p, history); err != nil {
		return nil, err
	}
	if left < 1 {
		return nil, nil
	}
	k := len(history)
	if k < profileSizes {
		return []tuner.Configuration{profileRun(p, history, k)}, nil
	}
	if k%2 == 1 {
		res, err := s.Recommend(p, history, rng)
		if err != nil {
			return nil, err
		}
		return []tuner.Configuration{res.Configuration}, nil
	}
	seen, need := samples(p, history), memoryNeeds(p, history)
	c := make(tuner.Configuration, len(p.Functions))
	for f, fn := range p.Functions {
		sizes := ladder(fn.Space, need[f], parrotfishLevels)
		if len(seen[f]) == 0 {
			c[f] = fn.Space.Largest()
			continue
		}
		c[f] = sizes[cheapestSize(p, sizes, fitExponential(seen[f]))]
	}
	return []tuner.Configuration{c}, nil
}

// Recommend implements [tuner.Strategy].
func (Parrotfish) Recommend(p *tuner.Problem, history []tuner.Run, _ *rand.Rand) (tuner.Result, error) {
	if err := check(p, history); err != nil {
		return tuner.Result{}, err
	}
	seen, need := samples(p, history), memoryNeeds(p, history)
	models := make([]exponential, len(p.Functions))
	sizes := make([][]function.Resources, len(p.Functions))
	at := make([]int, len(p.Functions))
	for f, fn := range p.Functions {
		if len(seen[f]) == 0 {
			return tuner.Result{Configuration: p.Largest(), Reason: "a function has no measurement: the largest configuration"}, nil
		}
		models[f] = fitExponential(seen[f])
		sizes[f] = ladder(fn.Space, need[f], parrotfishLevels)
		at[f] = cheapestSize(p, sizes[f], models[f])
	}
	comp, err := workflow.NewComposition(p.Graph)
	if err != nil {
		return tuner.Result{}, err
	}
	run := newMeanRun(p, comp)
	limit := p.Target.Seconds / run.tail(history, models)
	value := 0.0
	for {
		var path []int
		value, path = run.critical(func(f int) float64 { return models[f].at(sizes[f][at[f]].CPU.Cores()) })
		if value <= limit {
			break
		}
		best, bestRate, bestStep := -1, math.Inf(1), 0
		for _, f := range path {
			now := models[f].at(sizes[f][at[f]].CPU.Cores())
			for _, step := range []int{1, 3, 8} {
				if at[f]+step >= len(sizes[f]) {
					continue
				}
				then := models[f].at(sizes[f][at[f]+step].CPU.Cores())
				saved := now - then
				cost := p.Price.Busy(sizes[f][at[f]+step], 1e9)*then - p.Price.Busy(sizes[f][at[f]], 1e9)*now
				if rate := cost / saved; saved > 1e-9*now && rate < bestRate {
					best, bestRate, bestStep = f, rate, step
				}
			}
		}
		if best < 0 {
			break
		}
		at[best] += bestStep
	}
	c := make(tuner.Configuration, len(at))
	for f := range c {
		c[f] = sizes[f][at[f]]
	}
	return tuner.Result{
		Configuration: c, Feasible: value <= limit,
		Reason: "cheapest sizes, grown along the critical path until the target is kept",
	}, nil
}

// cheapestSize returns the size of least modelled cost.
func cheapestSize(p *tuner.Problem, sizes []function.Resources, m exponential) int {
	best, cost := 0, math.Inf(1)
	for i, r := range sizes {
		if c := p.Price.Busy(r, 1e9) * m.at(r.CPU.Cores()); c < cost {
			best, cost = i, c
		}
	}
	return best
}

// exponential is a0 + a1·exp(-x/a2).
type exponential struct{ a0, a1, a2 float64 }

func (e exponential) at(cores float64) float64 {
	return math.Max(e.a0+e.a1*math.Exp(-cores/e.a2), 1e-6)
}

// fitExponential minimises squared relative errors: for each of many a2 the
// other two follow by linear least squares, not negative.
func fitExponential(s []sample) exponential {
	var best exponential
	least := math.Inf(1)
	for i := range 80 {
		a2 := 0.02 * math.Pow(1000, float64(i)/79)
		var w, x, xx, y, xy float64
		for _, v := range s {
			k, f := 1/(v.seconds*v.seconds), math.Exp(-v.cores/a2)
			w, x, xx, y, xy = w+k, x+k*f, xx+k*f*f, y+k*v.seconds, xy+k*f*v.seconds
		}
		e := exponential{a2: a2}
		if det := w*xx - x*x; det > 1e-12*w*xx {
			e.a0, e.a1 = (y*xx-x*xy)/det, (w*xy-x*y)/det
		} else {
			e.a0 = y / w
		}
		if e.a1 < 0 {
			e.a0, e.a1 = y/w, 0
		}
		if e.a0 < 0 && xx > 0 {
			e.a0, e.a1 = 0, xy/xx
		}
		var sum float64
		for _, v := range s {
			d := e.at(v.cores)/v.seconds - 1
			sum += d * d
		}
		if sum < least {
			best, least = e, sum
		}
	}
	return best
}

// meanRun composes mean service times.
type meanRun struct {
	p        *tuner.Problem
	comp     *workflow.Composition
	variable []int
	service  []float64
	uniform  []float64
}

func newMeanRun(p *tuner.Problem, comp *workflow.Composition) *meanRun {
	m := &meanRun{p: p, comp: comp, service: make([]float64, len(comp.Slots())), uniform: make([]float64, comp.Uniforms())}
	for _, stage := range comp.Slots() {
		m.variable = append(m.variable, variable(p, stage))
	}
	for i := range m.uniform {
		m.uniform[i] = 0.5
	}
	return m
}

// critical returns the latency for mean times and the functions on the critical
// path, each once.
func (m *meanRun) critical(mean func(f int) float64) (float64, []int) {
	for k, f := range m.variable {
		m.service[k] = 0
		if f >= 0 {
			m.service[k] = mean(f)
		}
	}
	var path []int
	for _, slot := range m.comp.CriticalPath(m.service, m.uniform, nil) {
		if f := m.variable[slot]; f >= 0 && !slices.Contains(path, f) {
			path = append(path, f)
		}
	}
	return m.comp.Latency(m.service, m.uniform), path
}

// tail returns the promised percentile of observed over modelled latency; for a
// mean target its mean.
func (m *meanRun) tail(history []tuner.Run, models []exponential) float64 {
	var ratios []float64
	for _, r := range history {
		if r.Failed {
			continue
		}
		modelled, _ := m.critical(func(f int) float64 { return models[f].at(r.Configuration[f].CPU.Cores()) })
		ratios = append(ratios, r.Latency/modelled)
	}
	if len(ratios) == 0 {
		return 1
	}
	if pc := m.p.Target.Percentile; pc > 0 {
		return stats.Quantiles(ratios, pc/100)[0]
	}
	var sum float64
	for _, v := range ratios {
		sum += v
	}
	return sum / float64(len(ratios))
}
