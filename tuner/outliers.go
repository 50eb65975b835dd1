package tuner

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/aquatope/aquatope/stats"
)

// outliers are the invocations that are slower than the rest explains, as a
// share that depends on CPU: a function that is throttled stalls now and then
// with a tenth of a CPU and never with one.
type outliers struct {
	own, all *tally
	factors  []float64 // log ratios to the surface, ascending; of all functions
	// The share is uncertain, both that of all functions and how this one differs:
	// under each explanation of the data it is off by so many standard deviations.
	common, apart []float64
}

const (
	// ownWeight is the number of observations of its own that weigh as much as
	// what all functions say of the share of outliers.
	ownWeight = 10.0
	// Before data: one invocation in fifty, and that is not sure.
	priorHits, priorSeen = 0.5, 25.0
	// nearCPU is how far, in the logarithm of CPU, an invocation tells of others.
	nearCPU = 0.25
)

// learnOutliers returns those of every variable.
func learnOutliers(surfaces []*surface) []outliers {
	var factors []float64
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, s := range surfaces {
		for _, r := range s.resid {
			lo, hi = math.Min(lo, r.cpu), math.Max(hi, r.cpu)
			if r.slow() {
				factors = append(factors, r.z*r.sd)
			}
		}
	}
	out := make([]outliers, len(surfaces))
	if len(factors) == 0 {
		return out
	}
	slices.Sort(factors)
	all := newTally(lo, hi)
	common := normalLevels(explanations, nil)
	for v, s := range surfaces {
		own := newTally(lo, hi)
		for _, r := range s.resid {
			own.add(r.cpu, r.slow())
		}
		all.merge(own)
		out[v] = outliers{
			own: own, all: all, factors: factors, common: common,
			apart: normalLevels(explanations, rand.New(rand.NewPCG(designSeed, uint64(v)))),
		}
	}
	return out
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
// explanation. The share is taken as log-normal with the moments of its posterior:
// the pooled share, corrected by the function's own count. When a percentile lies
// where outliers begin, too small a share costs far more than one that is too
// large; the spread is what makes promises careful there.
func (o *outliers) share(cpu float64, explanation int) float64 {
	if len(o.factors) == 0 {
		return 0
	}
	const most = 0.5
	seen, hits := o.all.at(cpu)
	seen, hits = seen+priorSeen, hits+priorHits
	pooled := hits / seen
	seenOwn, hitsOwn := o.own.at(cpu)
	mean := (hitsOwn + ownWeight*pooled) / (seenOwn + ownWeight)
	// Coefficients of variation of Beta distributions.
	cv := func(p, n float64) float64 { return math.Sqrt((1 - p) / (p * (n + 1))) }
	common := cv(pooled, seen) * pooled / mean * ownWeight / (seenOwn + ownWeight)
	apart := cv(mean, seenOwn+ownWeight)
	variance := math.Log1p(common*common + apart*apart)
	z := (common*o.common[explanation] + apart*o.apart[explanation]) / math.Hypot(common, apart)
	return math.Min(mean*math.Exp(z*math.Sqrt(variance)-variance/2), most)
}

// mean returns the share at a CPU over all explanations.
func (o *outliers) mean(cpu float64) float64 {
	var sum float64
	for e := range o.common {
		sum += o.share(cpu, e) / float64(len(o.common))
	}
	return sum
}

// draw turns a uniform number in [0, 1) into the log ratio of an outlier.
func (o *outliers) draw(u float64) float64 { return stats.Quantile(u, o.factors) }

// excess returns how much outliers with a given share add to the mean, as a
// factor.
func (o *outliers) excess(share float64) float64 {
	if share == 0 {
		return 1
	}
	var sum float64
	for _, f := range o.factors {
		sum += math.Exp(f)
	}
	return 1 - share + share*sum/float64(len(o.factors))
}

// tally counts invocations, and the outliers among them, near each CPU: a curve
// over a grid, since it is asked for every option of every function.
type tally struct {
	lo, step   float64
	seen, hits []float64
}

const tallyPoints = 25

func newTally(lo, hi float64) *tally {
	return &tally{
		lo: lo, step: math.Max(hi-lo, 1e-9) / (tallyPoints - 1),
		seen: make([]float64, tallyPoints), hits: make([]float64, tallyPoints),
	}
}

func (t *tally) add(cpu float64, hit bool) {
	for k := range t.seen {
		d := (t.lo + float64(k)*t.step - cpu) / nearCPU
		w := math.Exp(-d * d / 2)
		t.seen[k] += w
		if hit {
			t.hits[k] += w
		}
	}
}

func (t *tally) merge(o *tally) {
	for k := range t.seen {
		t.seen[k] += o.seen[k]
		t.hits[k] += o.hits[k]
	}
}

// at returns what is counted near a CPU, the nearest end outside of the grid.
func (t *tally) at(cpu float64) (seen, hits float64) {
	h := math.Min(math.Max((cpu-t.lo)/t.step, 0), tallyPoints-1)
	k := min(int(h), tallyPoints-2)
	a := h - float64(k)
	return (1-a)*t.seen[k] + a*t.seen[k+1], (1-a)*t.hits[k] + a*t.hits[k+1]
}
