package tuner

import "github.com/aquatope/aquatope/gp"

// pieces are where a function is flat, from the largest CPU to the smallest.
type pieces []struct{ from, at float64 }

// add adds a piece that begins by some less than the smallest of what was tried in it.
func (p *pieces) add(tried []float64, less float64) {
	first, last := tried[0], tried[len(tried)-1]
	*p = append(*p, struct{ from, at float64 }{first - less, (first + last) / 2})
}

// view is a posterior that may see only which piece a CPU is in.
type view struct {
	*gp.Posterior
	pieces pieces // none where every part of a CPU counts
}

// input is what the posterior sees of x.
func (v view) input(x []float64) []float64 {
	for i, p := range v.pieces {
		if x[0] > p.from-1e-9 || i == len(v.pieces)-1 {
			return []float64{p.at, x[1]}
		}
	}
	return x
}

func (v view) inputs(xs [][]float64) [][]float64 {
	out := make([][]float64, len(xs))
	for i, x := range xs {
		out[i] = v.input(x)
	}
	return out
}

// NoiseVariance is [gp.Posterior.NoiseVariance] of what is seen of x.
func (v view) NoiseVariance(x []float64) float64 {
	return v.Posterior.NoiseVariance(v.input(x))
}

// distinct returns what is seen of xs, each once, and which of it belongs to each of xs.
func (v view) distinct(xs [][]float64) (few [][]float64, of []int) {
	where := map[[2]float64]int{}
	for _, x := range v.inputs(xs) {
		key := [2]float64{x[0], x[1]}
		k, ok := where[key]
		if !ok {
			k = len(few)
			where[key], few = k, append(few, x)
		}
		of = append(of, k)
	}
	return few, of
}

// at returns the values at indices.
func at(values []float64, of []int) []float64 {
	out := make([]float64, len(of))
	for i, k := range of {
		out[i] = values[k]
	}
	return out
}

// PredictAll is [gp.Posterior.PredictAll] of what is seen of xs.
func (v view) PredictAll(xs [][]float64) (mean, variance []float64) {
	if v.pieces == nil {
		return v.Posterior.PredictAll(xs)
	}
	few, of := v.distinct(xs)
	mean, variance = v.Posterior.PredictAll(few)
	return at(mean, of), at(variance, of)
}

// Draws is [gp.Posterior.Draws] of what is seen of xs.
func (v view) Draws(xs, normals [][]float64) ([][]float64, error) {
	if v.pieces == nil {
		return v.Posterior.Draws(xs, normals)
	}
	few, of := v.distinct(xs)
	rows := make([][]float64, len(normals))
	for d, z := range normals {
		rows[d] = z[:len(few)]
	}
	draws, err := v.Posterior.Draws(few, rows)
	for d := range draws {
		draws[d] = at(draws[d], of)
	}
	return draws, err
}
