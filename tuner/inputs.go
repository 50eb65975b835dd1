package tuner

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// inputWeight is the prior precision of an input's effect relative to the noise:
// effects of a factor e are usual, noise is about a fifth of that.
const inputWeight = 0.05

// explainInputs takes out of the evidence what the input explains. Which input a
// run got is known and the sizes of inputs differ by far more than other noise
// does, so an effect of each input on the log time of each variable, the same at
// all resources, is fitted by ridge regression beside a smooth trend, and
// subtracted. The effects have a weighted mean of 0.
func explainInputs(p *Problem, all []evidence) {
	if len(p.Inputs) < 2 {
		return
	}
	share := inputShares(p)
	for v := range all {
		e := &all[v]
		e.effect = inputEffects(e, len(share), v < len(p.Functions))
		mean := 0.0
		for k, s := range share {
			mean += s * e.effect[k]
		}
		for k := range e.effect {
			e.effect[k] -= mean
		}
		for i, k := range e.input {
			if k > 0 {
				e.logTime[i] -= e.effect[k-1]
			}
		}
	}
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

// inputEffects regresses the log times of one variable that were not censored on
// a trend over its resources and the inputs.
func inputEffects(e *evidence, inputs int, sized bool) []float64 {
	trend := 1
	if sized {
		trend = 4
	}
	n := trend + inputs
	a, b := mat.NewSymDense(n, nil), mat.NewVecDense(n, nil)
	x := make([]float64, n)
	used := 0
	for i, y := range e.logTime {
		if e.censored[i] || e.input[i] == 0 {
			continue
		}
		used++
		clear(x)
		x[0] = 1
		if sized {
			c := math.Log(e.resources[i].CPU.Cores())
			x[1], x[2], x[3] = c, c*c, math.Log(e.resources[i].Memory.GiB())
		}
		x[trend+e.input[i]-1] = 1
		for r := range n {
			b.SetVec(r, b.AtVec(r)+x[r]*y)
			for c := r; c < n; c++ {
				a.SetSym(r, c, a.At(r, c)+x[r]*x[c])
			}
		}
	}
	effect := make([]float64, inputs)
	if used < 2 {
		return effect
	}
	for r := range n {
		w := inputWeight
		if r == 0 {
			w = 1e-6 // the level is free
		}
		a.SetSym(r, r, a.At(r, r)+w)
	}
	var chol mat.Cholesky
	var beta mat.VecDense
	if !chol.Factorize(a) || chol.SolveVecTo(&beta, b) != nil {
		return effect
	}
	for k := range effect {
		effect[k] = beta.AtVec(trend + k)
	}
	return effect
}

// inputSpread returns the standard deviation of the log time that inputs cause,
// and the factor by which they raise the mean time.
func (b *belief) inputSpread(v int) (sd, excess float64) {
	effect := b.evidence[v].effect
	if len(effect) == 0 {
		return 0, 1
	}
	square := 0.0
	excess = 0
	for k, s := range inputShares(b.p) {
		square += s * effect[k] * effect[k]
		excess += s * math.Exp(effect[k])
	}
	return math.Sqrt(square), excess
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
