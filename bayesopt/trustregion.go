package bayesopt

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/aquatope/aquatope/gp"
)

// region is the trust region of Eriksson and Poloczek, Scalable constrained
// Bayesian optimization (2021): a box around the best point whose side doubles
// after repeated success and halves after repeated failure. When it has become
// too small it starts again at full size.
type region struct {
	centre []float64
	side   float64
}

const (
	regionStart    = 0.8
	regionLargest  = 1.6
	regionSmallest = 0.8 / 128
)

// replay derives the region from the history alone, so that a study can be
// resumed from its observations.
func (s *Study) replay(batch int) region {
	r := region{side: regionStart}
	best, bestViolation := math.Inf(1), math.Inf(1)
	wins, losses := 0, 0
	succeed := max(3, (s.opt.Dim+9)/10)
	fail := max(4, (s.opt.Dim+batch-1)/batch) * batch
	for _, o := range s.history {
		if o.Failed {
			losses++
		} else {
			var violation float64
			for _, c := range o.Constraints {
				violation += math.Max(0, c)
			}
			better := violation < bestViolation-1e-3*bestViolation ||
				violation <= bestViolation && o.Objective < best-1e-3*math.Abs(best)
			if math.IsInf(bestViolation, 1) || better {
				r.centre, best, bestViolation = o.X, o.Objective, violation
				wins, losses = wins+1, 0
			} else {
				wins, losses = 0, losses+1
			}
		}
		if wins >= succeed {
			r.side, wins = math.Min(2*r.side, regionLargest), 0
		}
		if losses >= fail {
			r.side, losses = r.side/2, 0
			if r.side < regionSmallest {
				r.side = regionStart
			}
		}
	}
	return r
}

// askTrustRegion draws functions from the surrogates and takes for each the
// best of many candidates: by objective among the feasible ones, by total
// violation if there is none.
func (s *Study) askTrustRegion(fit *surrogates, n int, rng *rand.Rand) ([][]float64, error) {
	r := s.replay(n)
	candidates := s.candidates(fit, r, rng)
	const features = 256
	draws := [][]*gp.Path{fit.objective.post.Paths(n, features, rng)}
	for _, c := range fit.constraints {
		draws = append(draws, c.post.Paths(n, features, rng))
	}
	var xs [][]float64
	for b := range n {
		var pick []float64
		best, bestViolation := math.Inf(1), math.Inf(1)
		for _, x := range candidates {
			var violation float64
			for _, c := range draws[1:] {
				violation += math.Max(0, c[b].At(x))
			}
			if violation > bestViolation {
				continue
			}
			if f := draws[0][b].At(x); violation < bestViolation || f < best {
				pick, best, bestViolation = x, f, violation
			}
		}
		xs = append(xs, pick)
	}
	return xs, nil
}

// candidates are quasi-random points of the region, stretched along inputs with
// long length-scales; each differs from the centre in about twenty inputs.
func (s *Study) candidates(fit *surrogates, r region, rng *rand.Rand) [][]float64 {
	dim := s.opt.Dim
	side := make([]float64, dim)
	logLength := fit.objective.post.Params()[:dim]
	var mean float64
	for _, l := range logLength {
		mean += l / float64(dim)
	}
	for i, l := range logLength {
		side[i] = r.side * math.Exp(math.Min(math.Max(l-mean, -2), 2))
	}
	n := min(5000, max(500, 100*dim))
	change := math.Min(1, 20/float64(dim))
	out := make([][]float64, 0, n)
	for _, u := range spread(n, dim, rng) {
		x := slices.Clone(r.centre)
		forced := rng.IntN(dim)
		for i := range x {
			if i == forced || rng.Float64() < change {
				lo, hi := math.Max(0, x[i]-side[i]/2), math.Min(1, x[i]+side[i]/2)
				x[i] = lo + u[i]*(hi-lo)
			}
		}
		out = append(out, x)
	}
	return out
}
