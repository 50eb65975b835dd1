package baseline

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/gp"
	"github.com/aquatope/aquatope/tuner"
	"gonum.org/v1/gonum/stat/distuv"
)

// CLITE is the method of Patel and Tiwari, CLITE: Efficient and QoS-aware
// co-location of multiple latency-critical jobs (HPCA 2020), for a workflow: a
// Gaussian process on one score, which rewards keeping the target first and low
// cost then, and expected improvement, one configuration at a time. It is not
// aware of noise. It begins with an equal share for all functions and one
// extreme for each, copies some coordinates from the best so far when it
// proposes (dropout-copy), and stops when the expected improvement is below 1 %.
type CLITE struct{}

const (
	cliteZeta  = 0.01 // exploration of expected improvement
	cliteStop  = 0.01 // expected improvement that is not worth a run
	cliteProbe = 2000 // candidates looked at
)

// Name implements [tuner.Strategy].
func (CLITE) Name() string { return "clite" }

// Next implements [tuner.Strategy].
func (CLITE) Next(p *tuner.Problem, history []tuner.Run, _, left int, rng *rand.Rand) ([]tuner.Configuration, error) {
	if err := check(p, history); err != nil {
		return nil, err
	}
	if left < 1 {
		return nil, nil
	}
	if k := len(history); k <= len(p.Functions) {
		return []tuner.Configuration{cliteStart(p, k)}, nil
	}
	scores := cliteScores(p, history)
	model := &gp.Model{Dim: 2 * len(p.Functions), Noise: gp.ConstantNoise{}}
	n := model.NumParams()
	model.Lower, model.Upper = make([]float64, n), make([]float64, n)
	for i := range n {
		model.Lower[i], model.Upper[i] = math.Log(0.05), math.Log(20)
	}
	model.Lower[n-2], model.Upper[n-2] = math.Log(1e-6), math.Log(1e-5) // not aware of noise
	model.Lower[n-1], model.Upper[n-1] = -5, 5
	d := gp.Data{Y: scores}
	for _, r := range history {
		d.X = append(d.X, position(p, r.Configuration))
	}
	params, _, err := model.Fit(d, gp.FitOptions{})
	if err != nil {
		return nil, fmt.Errorf("fitting scores: %w", err)
	}
	post, err := model.Condition(d, params)
	if err != nil {
		return nil, fmt.Errorf("fitting scores: %w", err)
	}
	top := 0
	for i, s := range scores {
		if s > scores[top] {
			top = i
		}
	}
	var best tuner.Configuration
	bestEI := -1.0
	for range cliteProbe {
		c := uniform(p, rng)
		for f := range c { // dropout-copy: half of the functions stay as they are
			if rng.IntN(2) == 0 {
				c[f] = history[top].Configuration[f]
			}
		}
		mean, v := post.Predict(position(p, c))
		if ei := improvement(mean-scores[top]-cliteZeta, math.Sqrt(v)); ei > bestEI {
			best, bestEI = c, ei
		}
	}
	if bestEI < cliteStop*scores[top] {
		return nil, nil
	}
	return []tuner.Configuration{best}, nil
}

// improvement is the mean of the positive part of a normal variate.
func improvement(mean, sd float64) float64 {
	if sd <= 0 {
		return math.Max(0, mean)
	}
	z := mean / sd
	return mean*distuv.UnitNormal.CDF(z) + sd*distuv.UnitNormal.Prob(z)
}

// cliteStart is the equal share, then one function at its most with the others
// at their least.
func cliteStart(p *tuner.Problem, k int) tuner.Configuration {
	c := make(tuner.Configuration, len(p.Functions))
	for f, fn := range p.Functions {
		switch {
		case k == 0:
			c[f] = function.Resources{
				CPU:    function.MilliCPU(fn.Space.CPU.Snap((fn.Space.CPU.Min + fn.Space.CPU.Max) / 2)),
				Memory: function.Bytes(fn.Space.Memory.Snap((fn.Space.Memory.Min + fn.Space.Memory.Max) / 2)),
			}
		case f == k-1:
			c[f] = fn.Space.Largest()
		default:
			c[f] = fn.Space.Smallest()
		}
	}
	return c
}

// cliteScores: up to 1/2 by how far the target is missed, from 1/2 to 1 by cost
// relative to the least seen.
func cliteScores(p *tuner.Problem, history []tuner.Run) []float64 {
	least := math.Inf(1)
	for _, r := range history {
		if kept(p, r) {
			least = math.Min(least, p.Cost(r))
		}
	}
	out := make([]float64, len(history))
	for i, r := range history {
		switch {
		case r.Failed:
		case kept(p, r):
			out[i] = 0.5 + 0.5*least/p.Cost(r)
		default:
			out[i] = 0.5 * math.Min(1, p.Target.Seconds/r.Latency)
		}
	}
	return out
}

// position maps a configuration to the unit cube.
func position(p *tuner.Problem, c tuner.Configuration) []float64 {
	var x []float64
	at := func(r function.Range, v int64) float64 {
		if r.Max == r.Min {
			return 0.5
		}
		return float64(v-r.Min) / float64(r.Max-r.Min)
	}
	for f, fn := range p.Functions {
		x = append(x, at(fn.Space.CPU, int64(c[f].CPU)), at(fn.Space.Memory, int64(c[f].Memory)))
	}
	return x
}

// Recommend implements [tuner.Strategy]: the highest score seen.
func (CLITE) Recommend(p *tuner.Problem, history []tuner.Run, _ *rand.Rand) (tuner.Result, error) {
	if err := check(p, history); err != nil {
		return tuner.Result{}, err
	}
	if len(history) == 0 {
		return tuner.Result{Configuration: p.Largest(), Reason: "no run yet: the largest configuration"}, nil
	}
	scores := cliteScores(p, history)
	i := slices.Index(scores, slices.Max(scores))
	return tuner.Result{Configuration: history[i].Configuration, Feasible: scores[i] >= 0.5 && kept(p, history[i]), Reason: "highest score of all runs"}, nil
}
