package tuner

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// outliers are the invocations that are slower than the rest explains, as a
// share that depends on CPU: a function that is throttled stalls now and then
// with a tenth of a CPU and never with one.
type outliers struct {
	lines    []odds // for each explanation; nil if there are no outliers
	own, all *tally
	// The share counted near a CPU is uncertain, both that of all functions and how
	// this one differs: under each explanation it is off by so many standard deviations.
	common, apart []float64
	sizes         [][]float64 // for each explanation, quantiles of the log ratio to the surface at equal steps
	slower        float64     // mean ratio to the surface
}

const (
	// Before data: one invocation in fifty with a core, give or take a factor, and
	// rather more with less.
	priorShare, priorSlope     = 0.02, -0.3
	priorLevelSD, priorSlopeSD = 1.0, 0.5
	// How far functions differ from one another, in standard deviations.
	apartLevelSD, apartSlopeSD = 1.2, 0.5
	// ownWeight is the number of observations of its own near a CPU that weigh as
	// much as what all functions say of the share there; before data these are worth
	// so many invocations.
	ownWeight, priorSeen = 10.0, 25.0
	// nearCPU is how far, in the logarithm of CPU, an invocation tells of others.
	nearCPU = 0.25
	// mostOf is for how many invocations a function counts at most in what all have
	// in common, lest one that is invoked often speaks for all.
	mostOf = 40.0
	// The sizes of outliers are those of a function's own, of as many as othersWeight
	// of all functions, and of priorWeight that might be.
	othersWeight, priorWeight = 1.0, 0.3
	// sizeSteps is how many quantiles stand for the sizes of outliers.
	sizeSteps = 100
)

// priorSizes are log ratios of outliers before any was seen: 1.5 to 4 times slower.
var priorSizes = [...]float64{0.4, 0.7, 1.05, 1.4}

// learnOutliers returns those of every variable. Where there are few of them a
// function's share is taken to be like that of the others: the odds of all are
// fitted first, and those of each around them (empirical Bayes).
func learnOutliers(surfaces []*surface) []outliers {
	var slow []residual
	ownSize, scale := make([][]float64, len(surfaces)), make([]float64, len(surfaces))
	var all []trialled
	own := make([][]trialled, len(surfaces))
	for v, s := range surfaces {
		for _, r := range s.resid {
			own[v] = append(own[v], trialled{r.cpu, 1, r.slow()})
			scale[v] += r.sd / float64(len(s.resid))
			if r.slow() {
				ownSize[v] = append(ownSize[v], r.z*r.sd)
				slow = append(slow, r)
			}
		}
		for _, t := range own[v] {
			t.weight = math.Min(1, mostOf/float64(len(own[v])))
			all = append(all, t)
		}
	}
	out := make([]outliers, len(surfaces))
	if len(slow) == 0 {
		return out
	}
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, t := range all {
		lo, hi = math.Min(lo, t.cpu), math.Max(hi, t.cpu)
	}
	near := newTally(lo, hi)
	before := odds{math.Log(priorShare / (1 - priorShare)), priorSlope}
	common, spread := logistic(all, before, priorLevelSD, priorSlopeSD)
	together := normalLevels(explanations, nil)
	for v := range surfaces {
		rng := rand.New(rand.NewPCG(designSeed, uint64(v)))
		best, apart := logistic(own[v], common, apartLevelSD, apartSlopeSD)
		// As far as the function's own data leave it open, it is off by what all are.
		open := apart.level() / apartLevelSD
		// What is far out for a steady function may be usual for this one, and what
		// is usual for a function whose times vary would be far out for it.
		var others []float64
		for _, r := range slow {
			others = append(others, math.Max(outlierZ*scale[v], math.Min(r.z*r.sd, r.z*scale[v])))
		}
		// The most likely logarithm of a share is about that of its mean.
		var middle float64
		for _, t := range own[v] {
			middle += t.cpu / float64(len(own[v]))
		}
		best.level -= apart.at(middle) / 2
		first, second := normalLevels(explanations, rng), normalLevels(explanations, rng)
		o := outliers{own: newTally(lo, hi), all: near, common: together, apart: first}
		for _, t := range own[v] {
			o.own.add(t.cpu, t.slow)
		}
		near.merge(o.own)
		for e := range explanations {
			line := apart.move(best, first[e], second[e])
			line.level += open * open * spread.level() * together[e]
			o.lines = append(o.lines, line)
			o.learnSizes(ownSize[v], others, rng)
		}
		out[v] = o
	}
	return out
}

// learnSizes adds the sizes under one more explanation: those of the function's own
// outliers and, the more the fewer these are, those of others, each counted a random
// number of times (the Bayesian bootstrap of Rubin, 1981).
func (o *outliers) learnSizes(own, others []float64, rng *rand.Rand) {
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
	add(priorSizes[:], priorWeight/float64(len(priorSizes)))
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
// explanation. Half of these have it follow a line, the others have it be what was
// counted near that CPU: a quota stalls below some CPU only, and what never stalled
// near some CPU may have been lucky. When a percentile lies where outliers begin, too small
// a share costs far more than one that is too large; the spread is what makes
// promises careful there.
func (o *outliers) share(cpu float64, explanation int) float64 {
	if o.lines == nil {
		return 0
	}
	const most = 0.5
	if explanation%2 == 0 {
		return math.Min(o.lines[explanation].share(cpu), most)
	}
	return math.Min(o.near(cpu, o.common[explanation], o.apart[explanation]), most)
}

// near is the share counted near a CPU: log-normal with the moments of its
// posterior, the pooled share corrected by the function's own count.
func (o *outliers) near(cpu, common, apart float64) float64 {
	seen, hits := o.all.at(cpu)
	seen, hits = seen+priorSeen, hits+priorShare*priorSeen
	pooled := hits / seen
	seenOwn, hitsOwn := o.own.at(cpu)
	mean := (hitsOwn + ownWeight*pooled) / (seenOwn + ownWeight)
	// Coefficients of variation of Beta distributions.
	cv := func(p, n float64) float64 { return math.Sqrt((1 - p) / (p * (n + 1))) }
	a := cv(pooled, seen) * pooled / mean * ownWeight / (seenOwn + ownWeight)
	b := cv(mean, seenOwn+ownWeight)
	variance := math.Log1p(a*a + b*b)
	z := (a*common + b*apart) / math.Hypot(a, b)
	return mean * math.Exp(z*math.Sqrt(variance)-variance/2)
}

// mean returns the share at a CPU over all explanations.
func (o *outliers) mean(cpu float64) float64 {
	var sum float64
	for e := range o.lines {
		sum += o.share(cpu, e) / float64(len(o.lines))
	}
	return sum
}

// draw turns a uniform number in [0, 1) into the log ratio of an outlier under an
// explanation.
func (o *outliers) draw(u float64, explanation int) float64 {
	return o.sizes[explanation][min(int(u*sizeSteps), sizeSteps-1)]
}

// excess returns how much outliers with a given share add to the mean, as a
// factor.
func (o *outliers) excess(share float64) float64 {
	if share == 0 {
		return 1
	}
	return 1 - share + share*o.slower
}
