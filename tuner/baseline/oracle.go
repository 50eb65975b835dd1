package baseline

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/tuner"
	"github.com/aquatope/aquatope/tuner/search"
	"github.com/aquatope/aquatope/workflow"
)

// Truth is a workflow whose behaviour is known.
type Truth struct {
	Problem *tuner.Problem
	// Works tells whether function f survives with resources r, Mean the mean
	// service time in seconds of its invocations, Quantile a quantile of it in
	// runs with an input; in all for -1.
	Works    func(f int, r function.Resources) bool
	Mean     func(f int, r function.Resources) float64
	Quantile func(f, input int, r function.Resources, u float64) float64
	// Runs simulated runs: Column writes the service times of a slot in them,
	// Uniform holds their decisions, Input the input of each.
	Runs    int
	Uniform [][]float64
	Input   []int
	Column  func(slot int, r function.Resources, dst []float64)
}

// maxSpace is the most configurations of one function that the oracle looks at.
const maxSpace = 1 << 18

// Oracle returns the cheapest configuration that keeps the promise that can be
// found when the truth is known, its cost and its promised statistic. ok is
// false if none does; then it is the closest found. It is an error if a function
// has too many configurations to look at each.
func Oracle(t Truth) (c tuner.Configuration, cost, value float64, ok bool, err error) {
	p := t.Problem
	for _, f := range p.Functions {
		if cpus, memories := f.Space.CPU.Len(), f.Space.Memory.Len(); cpus > maxSpace/memories {
			return nil, 0, 0, false, fmt.Errorf("function %q may have any of %d CPUs with any of %d sizes of memory, more than the oracle looks at (%d in all): raise the steps of its space",
				f.Name, cpus, memories, maxSpace)
		}
	}
	comp, err := workflow.NewComposition(p.Graph)
	if err != nil {
		return nil, 0, 0, false, err
	}
	sp := &search.Space{
		Graph: p.Graph, Composition: comp, Runs: t.Runs, Uniform: t.Uniform, Input: t.Input, Statistic: p.Target.Of,
		Wait: p.Waits(comp.Slots(), t.Runs, rand.New(rand.NewPCG(1, 2))),
	}
	visits := make([]float64, len(p.Functions))
	for s, v := range p.Graph.VisitRatios() {
		f := slices.IndexFunc(p.Functions, func(f tuner.Function) bool { return f.Name == p.Graph.Stages[s].Function })
		sp.Variable = append(sp.Variable, f)
		visits[f] += v
	}
	for f := range p.Functions {
		sp.Options = append(sp.Options, t.options(f, visits[f]))
	}
	sp.Column = func(slot, option int, dst []float64) {
		v := sp.Variable[comp.Slots()[slot]]
		t.Column(slot, sp.Options[v][option].Resources, dst)
	}
	sp.Longer = func(v, option int) float64 { return p.LongerWait(v, sp.Options[v][option].Resources) }
	// From several starts, as exchanges end in local optima; among them what would
	// be cheapest without a promise.
	cheapest := make([]int, len(sp.Options))
	for v, options := range sp.Options {
		for i := range options {
			if options[i].Cost < options[cheapest[v]].Cost {
				cheapest[v] = i
			}
		}
	}
	starts := [][]int{cheapest}
	for _, share := range []float64{0, 0.1, 0.25} {
		choice := make([]int, len(sp.Options))
		for v := range choice {
			choice[v] = int(share * float64(len(sp.Options[v])-1))
		}
		starts = append(starts, choice)
	}
	sol := sp.Solve(p.Target.Seconds, 40, starts...)
	rng := rand.New(rand.NewPCG(1, 1))
	for range oracleRounds {
		starts = starts[:0]
		for range oracleKicks {
			starts = append(starts, kick(sol.Choice, sp.Options, rng))
		}
		if other := sp.Solve(p.Target.Seconds, 40, starts...); search.Better(other, sol) {
			sol = other
		}
	}
	c = make(tuner.Configuration, len(p.Functions))
	for f := range c {
		c[f] = sp.Options[f][sol.Choice[f]].Resources
	}
	return c, sol.Cost, sol.Value, sol.Feasible, nil
}

// The oracle starts anew so often from what is best so far with some choices changed
// (iterated local search): where measurements are uneven, exchanges alone ended
// 4 % above what can be found.
const oracleRounds, oracleKicks = 2, 4

// kick changes up to three choices, at random.
func kick(choice []int, options [][]search.Option, rng *rand.Rand) []int {
	out := slices.Clone(choice)
	for range min(3, len(out)) {
		v := rng.IntN(len(out))
		out[v] = rng.IntN(len(options[v]))
	}
	return out
}

// options returns what could be best: the fronts of cost against the mean and
// against several quantiles of time, over all runs and with each input.
func (t Truth) options(f int, visits float64) []search.Option {
	p := t.Problem
	space := p.Functions[f].Space
	var all []search.Option
	for i := range space.CPU.Len() {
		for j := range space.Memory.Len() {
			r := function.Resources{CPU: function.MilliCPU(space.CPU.At(i)), Memory: function.Bytes(space.Memory.At(j))}
			if !t.Works(f, r) {
				continue
			}
			mean := t.Mean(f, r)
			all = append(all, search.Option{Resources: r, Time: mean, Cost: visits*(p.Price.Busy(r, 1e9)*mean+p.Price.PerInvocation) + p.StandingCost(f, r)})
		}
	}
	keep := map[function.Resources]search.Option{}
	for _, o := range search.Front(all) {
		keep[o.Resources] = o
	}
	for input := range 1 + len(p.Inputs) {
		for _, u := range []float64{0.5, 0.8, 0.95} {
			byTail := slices.Clone(all)
			for i := range byTail {
				byTail[i].Time = t.Quantile(f, input-1, byTail[i].Resources, u)
			}
			for _, o := range search.Front(byTail) {
				keep[o.Resources] = o
			}
		}
	}
	var out []search.Option
	for _, o := range all {
		if _, ok := keep[o.Resources]; ok {
			out = append(out, o)
		}
	}
	slices.SortStableFunc(out, func(a, b search.Option) int {
		switch {
		case a.Time < b.Time:
			return -1
		case a.Time > b.Time:
			return 1
		}
		return 0
	})
	if len(out) == 0 { // nothing survives: an option that never ends
		out = []search.Option{{Resources: space.Largest(), Time: math.Inf(1), Cost: math.Inf(1)}}
	}
	return out
}
