package bayesopt

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/aquatope/aquatope/gp"
)

// jointSearch maximises the way BoTorch does: local searches over the whole
// batch from 10 starts, drawn from quasi-random batches with probabilities that
// grow exponentially with their standardised value.
func jointSearch(a *NEI, dim int, rng *rand.Rand) float64 {
	const raw, restarts, iterations = 512, 10, 200
	seq := NewSobol(dim * a.batch).Scrambled(rng.Uint64())
	var starts [][][]float64
	var values []float64
	for i := range uint32(raw) {
		xs := rows(seq.Point(i), dim)
		starts, values = append(starts, xs), append(values, a.Value(xs))
	}
	mean, sd := meanSD(values)
	best := math.Inf(-1)
	for range restarts {
		pick, top := 0, math.Inf(-1)
		for i, v := range values {
			if score := (v-mean)/math.Max(sd, 1e-12) - math.Log(-math.Log(rng.Float64()+1e-300)); score > top {
				pick, top = i, score
			}
		}
		_, v := a.climb(starts[pick], dim, iterations)
		best = math.Max(best, v)
	}
	return best
}

// The batch of three in 20 dimensions after 70 observations, of which the
// decision time is measured, is no worse than one found the reference's way.
func TestBatchIsNoWorseThanAJointSearch(t *testing.T) {
	const dim, points, seeds = 20, 70, 2
	var ours, reference float64
	for seed := range uint64(seeds) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var cost, slow gp.Data
		for i := range uint32(points) {
			x := NewSobol(dim).Scrambled(seed).Point(i)
			var c, s float64
			for j := range dim / 2 {
				t := 0.2 + 1/(0.1+6*x[2*j])
				s += t / 10
				c += t * (x[2*j] + 0.1*x[2*j+1])
			}
			cost.X, cost.Y = append(cost.X, x), append(cost.Y, (c*math.Exp(0.1*rng.NormFloat64())-5)/2)
			slow.X, slow.Y = append(slow.X, x), append(slow.Y, s*math.Exp(0.1*rng.NormFloat64())-0.8)
		}
		model := &gp.Model{Dim: dim}
		params := make(gp.Params, model.NumParams()) // length-scales of 1
		params[dim+1] = math.Log(0.05)
		objective, err := model.Condition(cost, params)
		if err != nil {
			t.Fatal(err)
		}
		constraint, err := model.Condition(slow, params)
		if err != nil {
			t.Fatal(err)
		}
		a, err := NewNEI(objective, []*gp.Posterior{constraint}, NEIOptions{Batch: 3, Samples: 32, Worst: 4, Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		_, v := a.Maximise(dim, nil, SearchOptions{}, rng)
		r := jointSearch(a, dim, rng)
		t.Logf("acquisition value %.4f, found the reference's way %.4f", v, r)
		if v < 0.97*r {
			t.Errorf("seed %d: acquisition value %v, found the reference's way %v", seed, v, r)
		}
		ours, reference = ours+v, reference+r
	}
	if ours < reference {
		t.Errorf("on average %v, found the reference's way %v", ours/seeds, reference/seeds)
	}
}
