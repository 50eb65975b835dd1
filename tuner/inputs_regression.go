package tuner

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

const (
	// sizeRounds is how often effects are fitted given the noise of each input and
	// the noise given the effects.
	sizeRounds = 3
	// sizeWeight is the number of observations at which the noise of an input is
	// trusted as much as that it is like that of the others.
	sizeWeight = 4.0
	// farOff is how many standard deviations a residual counts for at most.
	farOff = 3.0
)

// regression is a weighted ridge regression of log times on a trend over
// resources and on what inputs add to it.
type regression struct {
	trend, inputs int
	x             []*mat.VecDense
	y             []float64
	input         []int

	beta    mat.VecDense
	inverse mat.SymDense // of the normal equations: the covariance, but for the noise
}

func (g *regression) params() int { return g.trend + 2*g.inputs }

// add appends the regressors of observation i, centred.
func (g *regression) add(e *evidence, i int, centre float64) {
	sized := g.trend > 1
	x := mat.NewVecDense(g.params(), nil)
	x.SetVec(0, 1)
	c := e.logCPU(i, sized) - centre
	if sized {
		x.SetVec(1, c)
		x.SetVec(2, c*c)
		x.SetVec(3, math.Log(e.resources[i].Memory.GiB()))
	}
	k := g.trend + e.input[i] - 1
	x.SetVec(k, 1)
	x.SetVec(k+g.inputs, c)
	g.x = append(g.x, x)
}

// solve fits with observations weighted by the noise of their inputs, and returns
// the noise that an input of size 1 has. It fails if the equations are singular.
func (g *regression) solve(size []float64) (noise float64, ok bool) {
	n := g.params()
	a, b := mat.NewSymDense(n, nil), mat.NewVecDense(n, nil)
	for i, x := range g.x {
		w := 1 / (size[g.input[i]] * size[g.input[i]])
		a.SymRankOne(a, w, x)
		b.AddScaledVec(b, w*g.y[i], x)
	}
	for r := range n {
		w := inputWeight
		switch {
		case r == 0:
			w = 1e-6 // the level is free
		case r >= g.trend+g.inputs:
			w = slopeWeight
		}
		a.SetSym(r, r, a.At(r, r)+w)
	}
	var chol mat.Cholesky
	if !chol.Factorize(a) || chol.SolveVecTo(&g.beta, b) != nil || chol.InverseTo(&g.inverse) != nil {
		return 0, false
	}
	var square float64
	for i := range g.x {
		d := g.residual(i) / size[g.input[i]]
		square += d * d
	}
	return math.Sqrt(square / math.Max(float64(len(g.y)-g.trend-g.inputs), 1)), true
}

func (g *regression) residual(i int) float64 { return g.y[i] - mat.Dot(g.x[i], &g.beta) }

// resize estimates the size of each input's noise from its residuals, of which
// its own parameters have taken some.
func (g *regression) resize(size []float64, noise float64) {
	if !(noise > 0) {
		return
	}
	square, count := make([]float64, g.inputs), make([]float64, g.inputs)
	for i, x := range g.x {
		k := g.input[i]
		d := math.Min(math.Abs(g.residual(i))/noise, farOff*size[k])
		square[k] += d * d
		count[k] += math.Max(1-mat.Inner(x, &g.inverse, x)/(size[k]*size[k]), 0)
	}
	for k := range size {
		size[k] = math.Sqrt((sizeWeight + square[k]) / (sizeWeight + count[k]))
	}
}
