package tuner

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/stats"
)

// Serving is what is known of how a workflow is served beside the resources of
// its functions. The zero value is that nothing is known: then no idle time is
// paid for, and nobody waits.
type Serving struct {
	// Standing holds, for each function, how many seconds its instances stand ready
	// for each run, Starting how many they start: both are paid for by the size of
	// the instance, so that they move the cheapest configuration. May be empty.
	Standing, Starting []float64
	// Waiting holds, for each function, equally likely seconds that an invocation
	// waits until an instance serves it, such as for its start; none means 0. What
	// the pool takes of the latency promised is not left for the functions. Who waits
	// for all of it or longer is lost with any resources, and does not count. May
	// be empty.
	Waiting [][]float64
	// Longer returns how many times longer function f takes to start with resources
	// r than with those that the above was seen with, and so who waits for a start
	// waits; nil means as long.
	Longer func(f int, r function.Resources) float64
}

func (s *Serving) longer(f int, r function.Resources) float64 {
	if s.Longer == nil {
		return 1
	}
	return s.Longer(f, r)
}

// Equal reports whether the same was seen.
func (s *Serving) Equal(t Serving) bool {
	return slices.Equal(s.Standing, t.Standing) && slices.Equal(s.Starting, t.Starting) && slices.EqualFunc(s.Waiting, t.Waiting, slices.Equal[[]float64])
}

func (s *Serving) check(functions int) error {
	var errs []error
	count := func(what string, n int) {
		if n > 0 && n != functions {
			errs = append(errs, fmt.Errorf("%s times of %d functions are given, there are %d", what, n, functions))
		}
	}
	count("standing", len(s.Standing))
	count("starting", len(s.Starting))
	count("waiting", len(s.Waiting))
	proper := func(x float64) bool { return x >= 0 && !math.IsInf(x, 0) }
	for _, list := range [][]float64{s.Standing, s.Starting} {
		for i, x := range list {
			if !proper(x) {
				errs = append(errs, fmt.Errorf("instances of function %d start or stand for %v s in each run: that must not be negative", i+1, x))
			}
		}
	}
	for i, list := range s.Waiting {
		if k := slices.IndexFunc(list, func(x float64) bool { return !proper(x) }); k >= 0 {
			errs = append(errs, fmt.Errorf("invocations of function %d wait for %v s: that must not be negative", i+1, list[k]))
		}
	}
	return errors.Join(errs...)
}

// StandingCost returns what it costs in each run that instances of function f
// with resources r start or stand ready.
func (p *Problem) StandingCost(f int, r function.Resources) float64 {
	var seconds float64
	if f < len(p.Standing) {
		seconds = p.Standing[f]
	}
	if f < len(p.Starting) {
		seconds += p.Starting[f] * p.longer(f, r)
	}
	return seconds * p.Price.Idle(r, 1e9)
}

// LongerWait returns how many times longer than Waits says an invocation of a
// function, or of what is none for which it makes no difference, waits with
// resources r.
func (p *Problem) LongerWait(f int, r function.Resources) float64 {
	if f >= len(p.Waiting) {
		return 1
	}
	return p.longer(f, r)
}

// Waits draws how long the invocations of each of some stages wait in so many
// simulated runs, each stage by itself and as evenly spread as its function's
// waiting times are; nil if nothing is known of any.
func (p *Problem) Waits(stages []int, runs int, r *rand.Rand) [][]float64 {
	if len(p.Waiting) == 0 {
		return nil
	}
	of, _ := p.variables()
	sorted := make([][]float64, len(p.Waiting))
	for f, list := range p.Waiting {
		sorted[f] = slices.Sorted(slices.Values(list))
		lost, _ := slices.BinarySearch(sorted[f], p.Target.Seconds)
		sorted[f] = sorted[f][:lost]
	}
	out := make([][]float64, len(stages))
	for k, stage := range stages {
		out[k] = make([]float64, runs)
		if of[stage] >= len(sorted) || len(sorted[of[stage]]) == 0 {
			continue
		}
		for i, at := range r.Perm(runs) {
			out[k][i] = stats.Quantile((float64(at)+0.5)/float64(runs), sorted[of[stage]])
		}
	}
	return out
}
