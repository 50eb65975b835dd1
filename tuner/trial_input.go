package tuner

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/aquatope/aquatope/stats"
	"gonum.org/v1/gonum/floats"
)

// InputChooser is a strategy that learns more from some inputs than from others,
// whatever their share of runs, and is not misled by how often it sees each.
type InputChooser interface {
	// InputShares returns how often trials should run with each of the problem's
	// inputs, relative to others, given what is tried next.
	InputShares(p *Problem, history []Run, c Configuration, rng *rand.Rand) ([]float64, error)
}

// NextInput returns with which of the problem's inputs to try c, an index into
// Problem.Inputs or -1 where there is none: the one that is furthest behind its
// share of the trials. Shares are the weights of the inputs, unless the strategy
// chooses.
func NextInput(s Strategy, p *Problem, history []Run, c Configuration, rng *rand.Rand) (int, error) {
	if len(p.Inputs) == 0 {
		return -1, nil
	}
	shares := p.Inputs
	if chooser, ok := s.(InputChooser); ok {
		var err error
		if shares, err = chooser.InputShares(p, history, c, rng); err != nil {
			return 0, err
		}
	}
	counts := make([]float64, len(shares))
	for _, r := range history {
		if r.Input > 0 {
			counts[r.Input-1]++
		}
	}
	return stats.FurthestBehind(shares, counts), nil
}

const (
	shareDraws = 8   // worlds that the shares of inputs are estimated in
	shareRuns  = 256 // simulated runs of each
)

// InputShares implements [InputChooser]. What is to be learnt is what runs cost
// and how long the slowest take: the inputs that cause either count, and every
// input for the share that it has. Before there is a model all are as interesting.
func (s *Structured) InputShares(p *Problem, history []Run, c Configuration, rng *rand.Rand) ([]float64, error) {
	runs := inputShares(p)
	out := slices.Clone(runs)
	if len(history) < designRuns || len(runs) < 2 {
		floats.AddConst(1/float64(len(runs)), out)
		return out, nil
	}
	b, err := believe(p, history, &s.memory)
	if errors.Is(err, errNoObservation) {
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	one := *b
	one.only = c
	menus, err := one.menus(shareDraws, rng)
	if err != nil {
		return nil, err
	}
	floats.Add(out, one.costShares(c))
	floats.Add(out, one.slowShares(menus, rng))
	return out, nil
}

// costShares returns which share of the cost of runs with c each input has.
func (b *belief) costShares(c Configuration) []float64 {
	out := inputShares(b.p)
	for k := range out {
		var cost float64
		for v, visits := range b.p.visits(k)[:len(b.p.Functions)] {
			if s := b.surfaces[v]; s != nil && visits > 0 {
				mean, _, _ := s.predict([][]float64{s.input(c[v])})
				cost += visits * (b.p.rate(c[v])*math.Exp(mean[0]+b.evidence[v].effect.at(k, b.logCPU(v, c[v]))) + b.p.Price.PerInvocation)
			}
		}
		out[k] *= cost
	}
	return normalised(out)
}

// slowShares returns which share each input has of the slow runs, those within
// twice the error budget, or for a promised mean of the time of all runs.
func (b *belief) slowShares(menus []*menu, rng *rand.Rand) []float64 {
	sc := b.newScenario(menus, upTo(shareDraws), shareRuns, rng)
	latency := sc.space(0).Latencies(make([]int, len(menus)))
	out := make([]float64, len(b.p.Inputs))
	least := 0.0
	if pc := b.p.Target.Percentile; pc > 0 {
		least = stats.Quantiles(latency, math.Max(0, 1-2*(1-pc/100)))[0]
	}
	for i, l := range latency {
		switch k := sc.input[i%sc.runs]; {
		case b.p.Target.Percentile == 0:
			out[k] += l
		case l >= least:
			out[k]++
		}
	}
	return normalised(out)
}

// normalised scales shares to a sum of 1, where they have one.
func normalised(shares []float64) []float64 {
	if sum := floats.Sum(shares); sum > 0 {
		floats.Scale(1/sum, shares)
	}
	return shares
}

var _ InputChooser = (*Structured)(nil)
