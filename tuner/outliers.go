package tuner

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// outliers are the invocations that are slower than the rest explains: a little, or
// a lot, which tell nothing of one another.
type outliers [severities]severity

// severities are how many kinds of outliers there are, from farSlow on in the log
// ratio to the surface those that are a lot slower.
const (
	severities = 2
	farSlow    = 0.3
)

// severity describes the outliers of one kind.
type severity struct {
	shares []slowShare // for each explanation of the data; nil if there are none
	sizes  [][]float64 // for each explanation, quantiles of the log ratio to the surface at equal steps
	slower float64     // mean ratio to the surface
}

// portion is the share of outliers of each severity.
type portion [severities]float64

func (p portion) total() float64 { return p[0] + p[1] }

const (
	// The sizes of outliers are those of a function's own, and of as many as
	// othersWeight of all functions.
	othersWeight = 1.0
	// sizeSteps is how many quantiles stand for the sizes of outliers.
	sizeSteps = 100
)

// learnOutliers returns those of every variable.
func learnOutliers(surfaces []*surface) []outliers {
	out := make([]outliers, len(surfaces))
	for k := range severities {
		var slow []residual
		ownSize, scale := make([][]float64, len(surfaces)), make([]float64, len(surfaces))
		counts := make([][]counted, len(surfaces))
		for v, s := range surfaces {
			for _, r := range s.resid {
				hit := r.slow() && (r.z*r.sd >= farSlow) == (k == 1)
				counts[v] = count(counts[v], r.cpu, hit)
				scale[v] += r.sd / float64(len(s.resid))
				if hit {
					ownSize[v] = append(ownSize[v], r.z*r.sd)
					slow = append(slow, r)
				}
			}
		}
		if len(slow) == 0 {
			continue
		}
		for v, shares := range learnShares(counts) {
			o := severity{shares: shares}
			// What is far out for a steady function may be usual for this one, and what
			// is usual for a function whose times vary would be far out for it.
			var others []float64
			for _, r := range slow {
				others = append(others, math.Max(outlierZ*scale[v], math.Min(r.z*r.sd, r.z*scale[v])))
			}
			rng := rand.New(rand.NewPCG(designSeed, uint64(v)))
			for range explanations {
				o.learnSizes(ownSize[v], others, rng)
			}
			out[v][k] = o
		}
	}
	return out
}

// learnSizes adds the sizes under one more explanation: those of the function's own
// outliers and, the more the fewer these are, those of others, each counted a random
// number of times (the Bayesian bootstrap of Rubin, 1981).
func (o *severity) learnSizes(own, others []float64, rng *rand.Rand) {
	type weighted struct{ size, weight float64 }
	var points []weighted
	var total float64
	add := func(sizes []float64, weight float64) {
		for _, s := range sizes {
			points = append(points, weighted{s, weight * rng.ExpFloat64()})
			total += points[len(points)-1].weight
		}
	}
	add(own, 1)
	add(others, othersWeight/float64(len(others)))
	slices.SortFunc(points, func(a, b weighted) int { return cmp.Compare(a.size, b.size) })
	table := make([]float64, sizeSteps)
	k, below := 0, 0.0
	for i := range table {
		// Sizes are interpolated between the middles of the points' weights.
		at := (float64(i) + 0.5) / sizeSteps * total
		next := func() float64 { return below + points[k].weight + points[k+1].weight/2 }
		for k < len(points)-2 && next() < at {
			below += points[k].weight
			k++
		}
		table[i] = points[k].size
		if k < len(points)-1 {
			from := below + points[k].weight/2
			t := math.Min(math.Max((at-from)/(next()-from), 0), 1)
			table[i] += t * (points[k+1].size - points[k].size)
		}
		o.slower += math.Exp(table[i]) / (sizeSteps * explanations)
	}
	o.sizes = append(o.sizes, table)
}

// normalLevels returns n evenly spaced quantiles of a normal distribution, in
// random order if rng is not nil.
func normalLevels(n int, rng *rand.Rand) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = math.Sqrt2 * math.Erfinv(2*(float64(i)+0.5)/float64(n)-1)
	}
	if rng != nil {
		rng.Shuffle(n, func(i, j int) { out[i], out[j] = out[j], out[i] })
	}
	return out
}

// share returns the share of outliers at a CPU (logarithm of cores) under an
// explanation.
func (o *outliers) share(cpu float64, explanation int) portion {
	const most = 0.5
	var p portion
	for k := range o {
		if o[k].shares != nil {
			p[k] = math.Min(o[k].shares[explanation].at(cpu), most)
		}
	}
	return p
}

// mean returns the share at a CPU over all explanations.
func (o *outliers) mean(cpu float64) portion {
	var mean portion
	for e := range explanations {
		for k, p := range o.share(cpu, e) {
			mean[k] += p / explanations
		}
	}
	return mean
}

// draw turns a uniform number in [0, 1) into the log ratio of an outlier under an
// explanation.
func (o *outliers) draw(u float64, p portion, explanation int) float64 {
	u *= p.total()
	k := 0
	if u >= p[0] {
		k, u = 1, u-p[0]
	}
	return o[k].sizes[explanation][min(int(u/p[k]*sizeSteps), sizeSteps-1)]
}

// excess returns how much outliers of these shares add to the mean, as a factor.
func (o *outliers) excess(p portion) float64 {
	factor := 1.0
	for k, share := range p {
		factor += share * (o[k].slower - 1)
	}
	return factor
}
