package rehearsal

import (
	"math"
	"slices"

	"github.com/aquatope/aquatope/control"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/pool"
	"github.com/aquatope/aquatope/stats"
	"github.com/aquatope/aquatope/tuner"
)

// Start is a start-up that was seen: how long an instance with some CPU took.
type Start struct {
	CPU     function.MilliCPU
	Seconds float64
}

// starting is what is believed of how long a function takes to start with any CPU.
// A share of what it takes with one CPU or more is computed, and so takes longer with
// less than one; the rest takes as long with any.
type starting struct {
	seen    []Start
	weights []float64 // of the shares 0, 1/computedSteps, ..., 1
}

const (
	computedSteps = 20
	// Before anything is seen at two sizes every share is as likely. Starts with the
	// same CPU are taken to differ by a factor of some exp(startSpread), which counts
	// as much as startsBefore of them.
	startSpread, startsBefore = 0.3, 4.0
)

// slower is how many times longer a start takes with some CPU than with one, of
// which a share is computed; of which no CPU is known is taken to have one.
func slower(cpu function.MilliCPU, share float64) float64 {
	if cpu <= 0 || cpu >= 1000 {
		return 1
	}
	return 1 - share + share/cpu.Cores()
}

// learnStarting weighs the shares by how well they explain starts at various
// sizes: the likelihood of their logarithms under a normal distribution of unknown
// mean and variance, the mean without and the variance with prior.
func learnStarting(seen []Start) starting {
	s := starting{seen: seen, weights: make([]float64, computedSteps+1)}
	logs := make([]float64, len(seen))
	most := math.Inf(-1)
	for k := range s.weights {
		share := float64(k) / computedSteps
		var mean float64
		for i, x := range seen {
			logs[i] = math.Log(math.Max(x.Seconds, 1e-6) / slower(x.CPU, share))
			mean += logs[i] / float64(len(seen))
		}
		squares := startsBefore * startSpread * startSpread
		for _, l := range logs {
			squares += (l - mean) * (l - mean)
		}
		s.weights[k] = -(float64(len(seen)) - 1 + startsBefore) / 2 * math.Log(squares)
		most = math.Max(most, s.weights[k])
	}
	var sum float64
	for k, w := range s.weights {
		s.weights[k] = math.Exp(w - most)
		sum += s.weights[k]
	}
	for k := range s.weights {
		s.weights[k] /= sum
	}
	return s
}

// with returns equally likely times in seconds, ascending, to start with some CPU:
// those that were seen, each as much longer or shorter as is expected.
func (s starting) with(cpu function.MilliCPU) []float64 {
	out := make([]float64, len(s.seen))
	for i, x := range s.seen {
		out[i] = x.Seconds * s.longer(cpu, x.CPU)
	}
	slices.Sort(out)
	return out
}

// longer is how many times longer a start takes with some CPU than with another.
func (s starting) longer(cpu, than function.MilliCPU) float64 {
	var ratio float64 // of logarithms
	for k, w := range s.weights {
		share := float64(k) / computedSteps
		ratio += w * math.Log(slower(cpu, share)/slower(than, share))
	}
	return math.Exp(ratio)
}

// starts returns how long each function may take to start with a configuration.
func (r *Rehearsal) starts(c tuner.Configuration) [][]float64 {
	var out [][]float64
	for f, s := range r.starting {
		out = append(out, s.with(c[f].CPU))
	}
	return out
}

// Starts returns about how long each function takes to start with the most
// resources, in seconds.
func (r *Rehearsal) Starts() []float64 {
	var out []float64
	for _, s := range r.starts(r.Problem.Largest()) {
		out = append(out, stats.Quantile(startQuantile, s))
	}
	return out
}

// OnDemand returns which functions a plan does not keep between runs: those that it
// names, and those that start sooner than they would be worth keeping.
func (r *Rehearsal) OnDemand(p control.JointPlan) []bool {
	var out []bool
	for _, f := range Priced(p, make([]pool.Function, len(p.OnDemand)), r.starts(p.Configuration)) {
		out = append(out, f.OnDemand)
	}
	return out
}
