package baseline

import (
	"math"
	"math/rand/v2"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/tuner"
)

// Random tries configurations drawn uniformly from the grid.
type Random struct{}

// Name implements [tuner.Strategy].
func (Random) Name() string { return "random" }

// Next implements [tuner.Strategy].
func (Random) Next(p *tuner.Problem, history []tuner.Run, n, left int, rng *rand.Rand) ([]tuner.Configuration, error) {
	if err := check(p, history); err != nil {
		return nil, err
	}
	var out []tuner.Configuration
	for range min(n, left) {
		out = append(out, uniform(p, rng))
	}
	return out, nil
}

// Recommend implements [tuner.Strategy].
func (Random) Recommend(p *tuner.Problem, history []tuner.Run, _ *rand.Rand) (tuner.Result, error) {
	if err := check(p, history); err != nil {
		return tuner.Result{}, err
	}
	return cheapestSeen(p, history), nil
}

func check(p *tuner.Problem, history []tuner.Run) error {
	if err := p.Check(); err != nil {
		return err
	}
	return p.CheckHistory(history)
}

func uniform(p *tuner.Problem, rng *rand.Rand) tuner.Configuration {
	c := make(tuner.Configuration, len(p.Functions))
	for f, fn := range p.Functions {
		c[f] = function.Resources{
			CPU:    function.MilliCPU(fn.Space.CPU.At(rng.IntN(fn.Space.CPU.Len()))),
			Memory: function.Bytes(fn.Space.Memory.At(rng.IntN(fn.Space.Memory.Len()))),
		}
	}
	return c
}

// tail returns what one latency must not exceed for a method that runs each
// configuration once: the target itself.
func kept(p *tuner.Problem, r tuner.Run) bool { return !r.Failed && r.Latency <= p.Target.Seconds }

// cheapestSeen recommends the cheapest run that kept the target; without one,
// the fastest run; without a run, the largest configuration.
func cheapestSeen(p *tuner.Problem, history []tuner.Run) tuner.Result {
	best, cost := -1, math.Inf(1)
	fastest, latency := -1, math.Inf(1)
	for i, r := range history {
		if c := p.Cost(r); kept(p, r) && c < cost {
			best, cost = i, c
		}
		if !r.Failed && r.Latency < latency {
			fastest, latency = i, r.Latency
		}
	}
	switch {
	case best >= 0:
		return tuner.Result{Configuration: history[best].Configuration, Feasible: true, Reason: "cheapest run that kept the target"}
	case fastest >= 0:
		return tuner.Result{Configuration: history[fastest].Configuration, Reason: "no run kept the target; this one was the fastest"}
	}
	return tuner.Result{Configuration: p.Largest(), Reason: "no run has worked: the largest configuration"}
}
