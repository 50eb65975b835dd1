package tuner

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/aquatope/aquatope/function"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// Prior precisions relative to the noise: effects of a factor e are usual, noise
// is about a fifth of that; how much an effect changes with each e-fold of CPU is
// about as much as noise.
const (
	inputWeight = 0.05
	slopeWeight = 1
)

// inputEffects is by how much each input raises the log time of a variable: a
// level and, as more CPU may help large inputs more than small ones, a slope over
// the logarithm of CPU. Inputs may differ in their noise too: what takes long is
// often steadier than what a busy moment can double.
type inputEffects struct {
	share        []float64 // of the variable's invocations that each input has
	level, slope []float64
	centre       float64   // where the level holds
	size         []float64 // of the noise of each input, relative to that of the variable
	// An input that was met once is hardly known: under each explanation of the
	// data the level is off by so much.
	off [][]float64
}

// at returns the effect of input k where the logarithm of CPU is cpu.
func (e *inputEffects) at(k int, cpu float64) float64 {
	return e.level[k] + e.slope[k]*(cpu-e.centre)
}

// under is at under one explanation of the data.
func (e *inputEffects) under(explanation, k int, cpu float64) float64 {
	return e.at(k, cpu) + e.off[explanation][k]
}

// explainInputs takes out of the evidence what the input explains. Which input a
// run got is known and the sizes of inputs differ by far more than other noise
// does, so an effect of each input on the log time of each variable is fitted by
// ridge regression beside a smooth trend, and subtracted. The effects have a
// mean of 0 over the invocations that runs make.
func explainInputs(p *Problem, all []evidence) {
	if len(p.Inputs) < 2 {
		return
	}
	shares := invocationShares(p)
	for v := range all {
		e, share := &all[v], shares[v]
		sized := v < len(p.Functions)
		e.effect = fitEffects(e, share, sized)
		floats.AddConst(-floats.Dot(share, e.effect.level), e.effect.level)
		floats.AddConst(-floats.Dot(share, e.effect.slope), e.effect.slope)
		rng := rand.New(rand.NewPCG(designSeed, uint64(v)))
		off := make([][]float64, len(share))
		for k := range off {
			off[k] = normalLevels(explanations, rng)
		}
		for x := range e.effect.off {
			for k, sd := range e.effect.off[x] {
				e.effect.off[x][k] = sd * off[k][x]
			}
		}
		for i, k := range e.input {
			if k > 0 {
				e.logTime[i] -= e.effect.at(k-1, e.logCPU(i, sized))
			}
		}
	}
}

func (e *evidence) logCPU(i int, sized bool) float64 {
	if !sized {
		return 0
	}
	return math.Log(e.resources[i].CPU.Cores())
}

// inputShares returns the probabilities of the inputs.
func inputShares(p *Problem) []float64 {
	out, sum := make([]float64, len(p.Inputs)), 0.0
	for _, w := range p.Inputs {
		sum += w
	}
	for k, w := range p.Inputs {
		out[k] = w / sum
	}
	return out
}

// invocationShares returns, for each variable, which share of its invocations each
// input has: inputs of which runs come to a stage more often count for more there.
func invocationShares(p *Problem) [][]float64 {
	runs, all := inputShares(p), p.visits(-1)
	out := make([][]float64, len(all))
	for v := range out {
		out[v] = slices.Clone(runs)
	}
	for k := range runs {
		for v, n := range p.visits(k) {
			if all[v] > 0 {
				out[v][k] *= n / all[v]
			}
		}
	}
	for _, share := range out {
		floats.Scale(1/floats.Sum(share), share)
	}
	return out
}

// fitEffects regresses the log times of one variable that were not censored on a
// trend over its resources and the inputs, and compares the noise of the inputs.
// Its off are standard deviations, the same for all explanations.
func fitEffects(e *evidence, share []float64, sized bool) *inputEffects {
	inputs := len(share)
	out := &inputEffects{
		share: share, level: make([]float64, inputs), slope: make([]float64, inputs),
		size: slices.Repeat([]float64{1}, inputs), off: make([][]float64, explanations),
	}
	for x := range out.off {
		out.off[x] = make([]float64, inputs)
	}
	g := &regression{trend: 1, inputs: inputs}
	if sized {
		g.trend = 4
	}
	for i := range e.logTime {
		if !e.censored[i] && e.input[i] > 0 {
			g.input, g.y = append(g.input, e.input[i]-1), append(g.y, e.logTime[i])
			out.centre += e.logCPU(i, sized)
		}
	}
	if len(g.y) < 2 {
		return out
	}
	out.centre /= float64(len(g.y))
	for i := range e.logTime {
		if !e.censored[i] && e.input[i] > 0 {
			g.add(e, i, out.centre)
		}
	}
	var noise float64
	for range sizeRounds {
		var ok bool
		if noise, ok = g.solve(out.size); !ok {
			return out
		}
		g.resize(out.size, noise)
	}
	for k := range inputs {
		out.level[k], out.slope[k] = g.beta.AtVec(g.trend+k), g.beta.AtVec(g.trend+inputs+k)
		// Compared with the mean of the inputs, which is the surface's.
		contrast := mat.NewVecDense(g.params(), nil)
		for j, s := range share {
			contrast.SetVec(g.trend+j, -s)
		}
		contrast.SetVec(g.trend+k, 1-share[k])
		sd := noise * math.Sqrt(math.Max(mat.Inner(contrast, &g.inverse, contrast), 0))
		for x := range out.off {
			out.off[x][k] = sd
		}
	}
	return out
}

// inputSpread returns the standard deviation of the log time that inputs cause
// with resources r.
func (b *belief) inputSpread(v int, r function.Resources) float64 {
	effect := b.evidence[v].effect
	if effect == nil {
		return 0
	}
	cpu := b.logCPU(v, r)
	square := 0.0
	for k, s := range effect.share {
		d := effect.at(k, cpu)
		square += s * d * d
	}
	return math.Sqrt(square)
}

// excess returns the factor by which inputs and noise of standard deviation sd,
// outliers left out, raise the mean time with resources r.
func (b *belief) excess(v int, r function.Resources, sd float64) float64 {
	effect, n := b.evidence[v].effect, &b.noise[v]
	if effect == nil {
		return n.smear(sd)
	}
	cpu := b.logCPU(v, r)
	sum := 0.0
	for k, s := range effect.share {
		if s > 0 {
			sum += s * math.Exp(effect.at(k, cpu)) * n.smear(sd*effect.size[k])
		}
	}
	return sum
}

// inputOf returns the input that a uniform number draws.
func inputOf(share []float64, u float64) int {
	for k, s := range share {
		if u -= s; u < 0 {
			return k
		}
	}
	return len(share) - 1
}
