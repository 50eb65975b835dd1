package tuner

import (
	"math"
	"math/rand/v2"

	"github.com/aquatope/aquatope/bayesopt"
	"github.com/aquatope/aquatope/function"
)

// Blackbox is the resource manager of the Aquatope paper (ASPLOS 2023): Bayesian
// optimisation of cost over the concatenated resources of all functions, blind
// to the graph, with two Gaussian processes (cost; latency minus target), batches
// by constrained noisy expected improvement, and pruning of observations outside
// of the 95 % leave-one-out interval. One run of a configuration gives one
// latency, so the promise that it models is that of the mean.
//
// The zero value is the paper's. It holds no state.
type Blackbox struct {
	// Log models the logarithms of cost and latency over the logarithms of
	// resources, with log expected improvement and a 3 sigma outlier rule taken
	// one at a time: what the method becomes with what is known since.
	Log bool
	// TrustRegion proposes by Thompson sampling in a trust region (SCBO).
	TrustRegion bool
}

// blackboxStart is the number of random configurations before the first model.
const blackboxStart = 10

// Name implements [Strategy].
func (b *Blackbox) Name() string {
	switch {
	case b.TrustRegion && b.Log:
		return "trust-region"
	case b.TrustRegion:
		return "trust-region-linear"
	case b.Log:
		return "blackbox-log"
	}
	return "blackbox"
}

// Next implements [Strategy].
func (b *Blackbox) Next(p *Problem, history []Run, n, left int, rng *rand.Rand) ([]Configuration, error) {
	if err := check(p, history); err != nil {
		return nil, err
	}
	n = min(n, left)
	if len(history) < blackboxStart {
		var out []Configuration
		for range min(n, blackboxStart-len(history)) {
			out = append(out, randomConfiguration(p, rng))
		}
		return out, nil
	}
	s, err := b.study(p, history)
	if err != nil {
		return nil, err
	}
	xs, err := s.Ask(n, rng)
	if err != nil {
		return nil, err
	}
	out := make([]Configuration, len(xs))
	for i, x := range xs {
		out[i] = b.decode(p, x)
	}
	return out, nil
}

// randomConfiguration draws every resource uniformly from its grid.
func randomConfiguration(p *Problem, rng *rand.Rand) Configuration {
	c := make(Configuration, len(p.Functions))
	for f, fn := range p.Functions {
		c[f] = function.Resources{
			CPU:    function.MilliCPU(fn.Space.CPU.At(rng.IntN(fn.Space.CPU.Len()))),
			Memory: function.Bytes(fn.Space.Memory.At(rng.IntN(fn.Space.Memory.Len()))),
		}
	}
	return c
}

// study tells a Bayesian optimisation everything that was seen.
func (b *Blackbox) study(p *Problem, history []Run) (*bayesopt.Study, error) {
	opt := bayesopt.Options{Dim: 2 * len(p.Functions), Constraints: 1, Outliers: bayesopt.OutlierRule{Z: 1.96, OnePass: true}}
	if b.Log {
		opt.Acquisition = bayesopt.LogNoisyEI
		opt.Outliers = bayesopt.OutlierRule{Z: 3}
	}
	if b.TrustRegion {
		opt.Acquisition = bayesopt.TrustRegion
	}
	s, err := bayesopt.NewStudy(opt)
	if err != nil {
		return nil, err
	}
	for _, r := range history {
		o := bayesopt.Observation{X: b.encode(p, r.Configuration), Failed: r.Failed}
		if !r.Failed {
			o.Objective, o.Constraints = p.Cost(r), []float64{r.Latency - p.Target.Seconds}
			if b.Log {
				o.Objective, o.Constraints = math.Log(o.Objective), []float64{math.Log(r.Latency / p.Target.Seconds)}
			}
			if math.IsInf(o.Objective, 0) {
				o.Failed = true // nothing ran
			}
		}
		if err := s.Tell(o); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Recommend implements [Strategy]: among the configurations that were run, the
// one of lowest modelled cost whose modelled latency keeps the target.
func (b *Blackbox) Recommend(p *Problem, history []Run, _ *rand.Rand) (Result, error) {
	if err := check(p, history); err != nil {
		return Result{}, err
	}
	s, err := b.study(p, history)
	if err != nil {
		return Result{}, err
	}
	x, feasible, err := s.Best()
	if err != nil {
		return Result{}, err
	}
	if x == nil {
		return Result{Configuration: p.Largest(), Reason: "too few runs to say anything: the largest configuration"}, nil
	}
	reason := "cheapest of the configurations that were run, by the models of cost and latency"
	if !feasible {
		reason = "no configuration that was run keeps the target; this one comes closest"
	}
	return Result{Configuration: b.decode(p, x), Feasible: feasible, Reason: reason}, nil
}

// encode maps a configuration to the unit cube, decode back to the grid.
func (b *Blackbox) encode(p *Problem, c Configuration) []float64 {
	x := make([]float64, 0, 2*len(c))
	for f, fn := range p.Functions {
		x = append(x, b.position(fn.Space.CPU, int64(c[f].CPU)), b.position(fn.Space.Memory, int64(c[f].Memory)))
	}
	return x
}

func (b *Blackbox) position(r function.Range, v int64) float64 {
	if r.Max == r.Min {
		return 0.5
	}
	t := float64(v-r.Min) / float64(r.Max-r.Min)
	if b.Log {
		t = math.Log(float64(v)/float64(r.Min)) / math.Log(float64(r.Max)/float64(r.Min))
	}
	return math.Min(math.Max(t, 0), 1)
}

func (b *Blackbox) decode(p *Problem, x []float64) Configuration {
	c := make(Configuration, len(p.Functions))
	for f, fn := range p.Functions {
		c[f] = function.Resources{
			CPU:    function.MilliCPU(b.value(fn.Space.CPU, x[2*f])),
			Memory: function.Bytes(b.value(fn.Space.Memory, x[2*f+1])),
		}
	}
	return c
}

func (b *Blackbox) value(r function.Range, t float64) int64 {
	v := float64(r.Min) + t*float64(r.Max-r.Min)
	if b.Log {
		v = float64(r.Min) * math.Pow(float64(r.Max)/float64(r.Min), t)
	}
	return r.Snap(int64(math.Round(v)))
}
