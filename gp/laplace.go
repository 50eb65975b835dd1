package gp

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Around returns n parameter vectors drawn from the posterior of the
// covariance's parameters around fitted ones p; the mean function's parameters
// stay as they are, as a linearised model integrates them out by itself. With
// few data many explanations are about as likely as the best, say more noise and
// a straighter function: predictions that average over them are as wide as they
// should be.
//
// The posterior is approximated by a normal distribution (Laplace's method),
// whose draws are resampled by how much more or less likely they really are.
// Each row of normals holds one standard normal variate for each parameter of
// the covariance, Dim + 1 + Noise.Len() of them, and is one candidate; there
// should be more candidates than draws. With few candidates draws repeat: equal
// draws are next to one another and share their memory.
func (m *Model) Around(d Data, p Params, normals [][]float64, n int) ([]Params, error) {
	e := m.likelihood(d)
	root, err := e.curvature(p)
	if err != nil {
		return nil, fmt.Errorf("exploring the posterior of parameters: %w", err)
	}
	k := len(root)
	lower, upper := m.bounds()
	centre := e.posterior(p, nil)
	candidates := make([]Params, len(normals))
	weight := make([]float64, len(normals))
	var total float64
	for c, z := range normals {
		q := append(Params(nil), p...)
		var norm float64
		inside := true
		for i := range k {
			norm += z[i] * z[i]
			for j := range k {
				q[i] += root[i][j] * z[j]
			}
			inside = inside && q[i] >= lower[i] && q[i] <= upper[i]
		}
		candidates[c] = q
		if v := e.posterior(q, nil); inside && isFinite(v) {
			// No draw may count for very many, as it would if the normal
			// distribution missed a whole region.
			weight[c] = math.Exp(math.Min(v-centre+norm/2, 2))
		}
		total += weight[c]
	}
	out := make([]Params, 0, n)
	if !(total > 0) {
		for range n {
			out = append(out, p)
		}
		return out, nil
	}
	var sum float64
	c := 0
	for i := range n { // systematic resampling
		at := (float64(i) + 0.5) / float64(n) * total
		for c < len(candidates)-1 && sum+weight[c] < at {
			sum += weight[c]
			c++
		}
		out = append(out, candidates[c])
	}
	return out, nil
}

// curvature returns a square root of the covariance of the Laplace
// approximation at p: the inverse square root of the Hessian of the negative log
// posterior, by differences of its gradient.
func (e *likelihood) curvature(p Params) ([][]float64, error) {
	const step = 0.05
	// A direction in which the posterior is flat, or bends the wrong way, gets
	// the width of a vague prior.
	const least = 0.5
	k := e.m.Dim + 1 + e.m.noise().Len()
	up, down := make([]float64, len(p)), make([]float64, len(p))
	q := append(Params(nil), p...)
	raw := make([][]float64, k)
	for i := range k {
		q[i] = p[i] + step
		vu := e.posterior(q, up)
		q[i] = p[i] - step
		vd := e.posterior(q, down)
		q[i] = p[i]
		if !isFinite(vu) || !isFinite(vd) {
			return nil, ErrNotPositiveDefinite
		}
		raw[i] = make([]float64, k)
		for j := range k {
			raw[i][j] = -(up[j] - down[j]) / (2 * step)
		}
	}
	h := mat.NewSymDense(k, nil)
	for i := range k {
		for j := i; j < k; j++ {
			h.SetSym(i, j, (raw[i][j]+raw[j][i])/2)
		}
	}
	var eig mat.EigenSym
	if !eig.Factorize(h, true) {
		return nil, ErrNotPositiveDefinite
	}
	var vectors mat.Dense
	eig.VectorsTo(&vectors)
	root := make([][]float64, k)
	for i := range root {
		root[i] = make([]float64, k)
		for j, v := range eig.Values(nil) {
			root[i][j] = vectors.At(i, j) / math.Sqrt(math.Max(v, least))
		}
	}
	return root, nil
}
