package tuner

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// outliers are the invocations that are slower than the rest explains: a little, or
// a lot, which tell nothing of one another. What is a lot slower for a lack of CPU may
// take longer or less long than what is so at any size.
type outliers struct {
	shares [2][]slowShare // of those a little and a lot slower, for each explanation of the data; nil if there are none
	of     [kinds]sizes
}

// kinds of outliers. From farSlow on in the log ratio to the surface they are a lot
// slower.
const (
	little = iota
	anywhere
	short
	kinds

	farSlow = 0.3
)

// sizes are by how much the outliers of one kind are slower.
type sizes struct {
	tables [][]float64 // for each explanation, quantiles of the log ratio to the surface at equal steps
	slower float64     // mean ratio to the surface
}

// portion is the share of outliers of each kind.
type portion [kinds]float64

func (p portion) total() float64 { return p[little] + p[anywhere] + p[short] }

const (
	// The sizes of outliers are those of a function's own, and of as many as
	// othersWeight of all functions.
	othersWeight = 3.0
	// sizeSteps is how many quantiles stand for the sizes of outliers.
	sizeSteps = 100
)

// learnOutliers returns those of every variable.
func learnOutliers(surfaces []*surface) []outliers {
	out := make([]outliers, len(surfaces))
	for far := range 2 {
		var all []residual
		own := make([][]residual, len(surfaces))
		counts := make([][]counted, len(surfaces))
		for v, s := range surfaces {
			for _, r := range s.resid {
				hit := r.slow() > 0 && (r.slow() >= farSlow) == (far == 1)
				counts[v] = count(counts[v], r.cpu, hit)
				if hit {
					own[v], all = append(own[v], r), append(all, r)
				}
			}
		}
		if len(all) == 0 {
			continue
		}
		for v, shares := range learnShares(counts) {
			o := &out[v]
			o.shares[far] = shares
			others := surfaces[v].scaled(all)
			rng := rand.New(rand.NewPCG(designSeed, uint64(v)))
			for _, s := range shares {
				if far == 0 {
					o.of[little].learn(own[v], others, rng, func(float64) float64 { return 1 })
					continue
				}
				lack := func(cpu float64) float64 { return s.short(cpu) / (s.short(cpu) + s.always) }
				o.of[anywhere].learn(own[v], others, rng, func(cpu float64) float64 { return 1 - lack(cpu) })
				o.of[short].learn(own[v], others, rng, lack)
			}
		}
	}
	return out
}

// scaled returns the sizes of outliers of all functions as they would be of this one:
// what is far out for a steady function may be usual for it, and what is usual for a
// function whose times vary would be far out for it.
func (s *surface) scaled(all []residual) []float64 {
	var scale float64
	for _, r := range s.resid {
		scale += r.sd / float64(len(s.resid))
	}
	var out []float64
	for _, r := range all {
		out = append(out, math.Max(outlierZ*scale, math.Min(r.slow(), r.slow()/r.sd*scale)))
	}
	return out
}

// learn adds the sizes under one more explanation: those of the function's own
// outliers, as far as they are of this kind by their CPU, and, the more the fewer these
// are, those of others, each counted a random number of times (the Bayesian bootstrap
// of Rubin, 1981).
func (o *sizes) learn(own []residual, others []float64, rng *rand.Rand, kind func(cpu float64) float64) {
	type weighted struct{ size, weight float64 }
	var points []weighted
	var total float64
	add := func(size, weight float64) {
		weight *= rng.ExpFloat64()
		points = append(points, weighted{size, weight})
		total += weight
	}
	for _, r := range own {
		add(r.slow(), kind(r.cpu))
	}
	for _, size := range others {
		add(size, othersWeight/float64(len(others)))
	}
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
	o.tables = append(o.tables, table)
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
	const most = 0.5 // of what is a little slower, and of what is a lot
	var p portion
	if o.shares[0] != nil {
		p[little] = math.Min(o.shares[0][explanation].at(cpu), most)
	}
	if o.shares[1] != nil {
		s := o.shares[1][explanation]
		p[anywhere] = s.always
		p[short] = math.Min((1-s.always)*s.short(cpu), most-s.always)
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
	kind := little
	for k, share := range p {
		if share == 0 {
			continue
		}
		kind = k
		if u < share {
			break
		}
		u -= share
	}
	return o.of[kind].tables[explanation][min(int(u/p[kind]*sizeSteps), sizeSteps-1)]
}

// excess returns how much outliers of these shares add to the mean, as a factor.
func (o *outliers) excess(p portion) float64 {
	factor := 1.0
	for kind, share := range p {
		if share > 0 {
			factor += share * (o.of[kind].slower - 1)
		}
	}
	return factor
}
