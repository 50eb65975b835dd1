package bayesopt

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/aquatope/aquatope/gp"
)

// NEI is the noisy expected improvement of a batch under constraints, by
// quasi-Monte-Carlo: noise means that even the best point so far is not known,
// so both it and the batch are drawn jointly (Letham et al., Constrained
// Bayesian optimization with noisy experiments, 2019). A draw of the objective
// f with constraints c has the utility (M - f)·Π sigmoid(-c/η), and the
// improvement is how much the best of the batch exceeds the best of the points
// already observed.
type NEI struct {
	objective   *gp.Sampler
	constraints []*gp.Sampler
	normals     [][][]float64 // for each model, draw, point
	batch       int
	infeasible  float64 // M, which no objective should exceed
	best        []float64
	log         bool
}

// NEIOptions are the choices of [NewNEI].
type NEIOptions struct {
	Batch   int     // points proposed together, at least 1
	Samples int     // draws, at least 1; a power of two is most even
	Seed    uint64  // of the scrambling
	Worst   float64 // M: the objective that an infeasible point counts as
	// Log maximises the logarithm with softened maxima instead, which has
	// gradients where the improvement itself is flat (Ament et al., Unexpected
	// improvements to expected improvement, 2023).
	Log bool
}

// constraintScale is η of the sigmoid, in units of the standardised constraint.
const constraintScale = 1e-3

// NewNEI prepares the acquisition function for posteriors of the objective and
// of each constraint over the same observations, of which there must be at
// least one. Their means must be constant. Errors about opt are [ErrOptions].
func NewNEI(objective *gp.Posterior, constraints []*gp.Posterior, opt NEIOptions) (*NEI, error) {
	n := objective.Len()
	if n == 0 {
		return nil, fmt.Errorf("noisy expected improvement needs observations: tell some first")
	}
	if opt.Batch < 1 || opt.Samples < 1 || math.IsNaN(opt.Worst) || math.IsInf(opt.Worst, 0) {
		return nil, fmt.Errorf("%w: a batch of %d, %d samples, %v for what is infeasible", ErrOptions, opt.Batch, opt.Samples, opt.Worst)
	}
	for _, c := range constraints {
		if c.Len() != n {
			return nil, fmt.Errorf("%w: a constraint with %d observations, the objective has %d", ErrOptions, c.Len(), n)
		}
	}
	a := &NEI{batch: opt.Batch, infeasible: opt.Worst, log: opt.Log}
	models := append([]*gp.Posterior{objective}, constraints...)
	// One sequence over all points of all models, the batch first, as its early
	// dimensions are the most even.
	z := normals(opt.Samples, len(models)*(n+opt.Batch), opt.Seed)
	for i, m := range models {
		at, next := make([][]float64, opt.Samples), make([][]float64, opt.Samples)
		for s := range z {
			next[s] = z[s][i*opt.Batch:][:opt.Batch]
			at[s] = z[s][len(models)*opt.Batch+i*n:][:n]
		}
		sampler, err := m.Sampler(at)
		if err != nil {
			return nil, fmt.Errorf("preparing noisy expected improvement: %w", err)
		}
		a.normals = append(a.normals, next)
		if i == 0 {
			a.objective = sampler
		} else {
			a.constraints = append(a.constraints, sampler)
		}
	}
	a.best = make([]float64, opt.Samples)
	for s, f := range a.objective.AtData() {
		a.best[s] = math.Inf(-1)
		for i := range f {
			u := a.infeasible - f[i]
			for _, c := range a.constraints {
				u *= sigmoid(-c.AtData()[s][i] / constraintScale)
			}
			a.best[s] = math.Max(a.best[s], u)
		}
	}
	return a, nil
}

// normals returns scrambled quasi-random normal variates of any dimension.
// Beyond what a Sobol sequence has, further sequences are joined in random
// order, since two scramblings of one sequence are not independent.
func normals(n, dim int, seed uint64) [][]float64 {
	z := make([][]float64, n)
	for block := 0; block*MaxSobolDim < dim; block++ {
		d := min(MaxSobolDim, dim-block*MaxSobolDim)
		order := make([]int, n)
		for i := range order {
			order[i] = i
		}
		if block > 0 {
			order = rand.New(rand.NewPCG(seed, uint64(block))).Perm(n)
		}
		rows := NewSobol(d).Scrambled(seed + uint64(block)).Normals(n)
		for i := range z {
			z[i] = append(z[i], rows[order[i]]...)
		}
	}
	return z
}

// Value returns the acquisition value of a batch, or its logarithm. Where it is
// undefined it is minus infinity.
func (a *NEI) Value(xs [][]float64) float64 { return a.evaluate(xs, nil) }

// Gradient returns the value and writes its derivatives into grad, one row for
// each point of the batch.
func (a *NEI) Gradient(xs, grad [][]float64) float64 {
	for _, g := range grad {
		clear(g)
	}
	return a.evaluate(xs, grad)
}

func (a *NEI) evaluate(xs, grad [][]float64) float64 {
	if len(xs) != a.batch {
		panic("bayesopt: batch has the wrong size")
	}
	ext := make([]*gp.Extension, 1+len(a.constraints))
	for i := range ext {
		s := a.objective
		if i > 0 {
			s = a.constraints[i-1]
		}
		var ok bool
		if ext[i], ok = s.Extend(xs, a.normals[i]); !ok {
			return math.Inf(-1)
		}
	}
	bars := make([][][]float64, len(ext))
	for i := range bars {
		bars[i] = make([][]float64, len(a.best))
		for s := range bars[i] {
			bars[i][s] = make([]float64, a.batch)
		}
	}
	var value float64
	if a.log {
		value = a.logValue(ext, bars)
	} else {
		value = a.plainValue(ext, bars)
	}
	if grad != nil {
		for i, e := range ext {
			e.Gradient(bars[i], grad)
		}
	}
	return value
}

// plainValue averages the improvements over draws and writes the derivatives
// with respect to the drawn values into bars.
func (a *NEI) plainValue(ext []*gp.Extension, bars [][][]float64) float64 {
	var sum float64
	weight := 1 / float64(len(a.best))
	for s := range a.best {
		best, at := math.Inf(-1), 0
		for j := range a.batch {
			u := a.infeasible - ext[0].Values[s][j]
			for _, c := range ext[1:] {
				u *= sigmoid(-c.Values[s][j] / constraintScale)
			}
			if u > best {
				best, at = u, j
			}
		}
		if best <= a.best[s] {
			continue
		}
		sum += weight * (best - a.best[s])
		feasible := 1.0
		for _, c := range ext[1:] {
			feasible *= sigmoid(-c.Values[s][at] / constraintScale)
		}
		bars[0][s][at] = -weight * feasible
		for i, c := range ext[1:] {
			bars[i+1][s][at] = -weight * best * sigmoid(c.Values[s][at]/constraintScale) / constraintScale
		}
	}
	return sum
}

// Softening of the logarithmic form: of the improvement, of the maximum over
// the batch, and of the constraints, whose hard form would have no gradient.
const (
	logImprovementScale = 1e-2
	logMaximumScale     = 1e-2
	logConstraintScale  = 1e-2
)

// logValue is the logarithm of the mean over draws of the softened maximum over
// the batch of softened improvement times feasibility.
func (a *NEI) logValue(ext []*gp.Extension, bars [][][]float64) float64 {
	n := len(a.best)
	perDraw := make([]float64, n)
	logs := make([]float64, a.batch)
	for s := range a.best {
		for j := range a.batch {
			l, slope := logSoftplus((a.infeasible - ext[0].Values[s][j] - a.best[s]) / logImprovementScale)
			bars[0][s][j] = -slope / logImprovementScale
			logs[j] = l + math.Log(logImprovementScale)
			for i, c := range ext[1:] {
				z := -c.Values[s][j] / logConstraintScale
				logs[j] -= softplus(-z)
				bars[i+1][s][j] = -sigmoid(-z) / logConstraintScale
			}
		}
		// Soft maximum: scale·log Σ exp(log/scale) would be too sharp on
		// logarithms, where a scale of 1 sums the improvements of the batch; the
		// power 1/scale norm approaches the maximum.
		top, sum := maxOf(logs), 0.0
		for _, l := range logs {
			sum += math.Exp((l - top) / logMaximumScale)
		}
		perDraw[s] = top + logMaximumScale*math.Log(sum)
		for j, l := range logs {
			share := math.Exp((l-top)/logMaximumScale) / sum
			for i := range ext {
				bars[i][s][j] *= share
			}
		}
	}
	top, sum := maxOf(perDraw), 0.0
	for _, l := range perDraw {
		sum += math.Exp(l - top)
	}
	for s, l := range perDraw {
		share := math.Exp(l-top) / sum
		for i := range ext {
			for j := range a.batch {
				bars[i][s][j] *= share
			}
		}
	}
	return top + math.Log(sum/float64(n))
}

func maxOf(x []float64) float64 {
	m := math.Inf(-1)
	for _, v := range x {
		m = math.Max(m, v)
	}
	return m
}

func sigmoid(x float64) float64 {
	if x < 0 {
		e := math.Exp(x)
		return e / (1 + e)
	}
	return 1 / (1 + math.Exp(-x))
}

// softplus is log(1 + exp(x)) without overflow.
func softplus(x float64) float64 {
	return math.Max(x, 0) + math.Log1p(math.Exp(-math.Abs(x)))
}

// logSoftplus returns log softplus(x) and its derivative; far to the left both
// approach those of x itself.
func logSoftplus(x float64) (value, slope float64) {
	if x < -30 {
		return x, 1
	}
	s := softplus(x)
	return math.Log(s), sigmoid(x) / s
}
