package tuner

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

const (
	// Before data: how likely a function is throttled somewhere in the range of sizes.
	priorThrottled = 0.5
	// priorFunctions is how many functions' worth the belief before data is of what
	// functions have in common. They are asked together so many rounds: with more, or
	// a weaker belief, two functions that are slow alike talk each other into it.
	priorFunctions = 2.0
	commonRounds   = 2
	// endSteps is how many ends of a lack of CPU are thought of.
	endSteps = 32
)

var (
	// Shares of what is always slow, and how likely they are before data.
	alwaysShares = [...]float64{0.0005, 0.002, 0.004, 0.008, 0.015, 0.025, 0.04, 0.06, 0.09, 0.14, 0.21, 0.3, 0.4, 0.5}
	alwaysPrior  = [...]float64{8, 2, 1.5, 1, 1, 1, 0.6, 0.4, 0.2, 0.12, 0.08, 0.06, 0.04, 0.03}
	shortWidths  = [...]float64{0.4, 0.8, 1.5}
)

// hypothesis is a slowShare that could be, with how well it explains what was
// counted of each function.
type hypothesis struct {
	always, throttled int // index of its share; 1 if throttled
	likelihood        float64
	slowShare
}

// learnShares returns the shares of every function, one for each explanation of the
// data: evenly spaced quantiles of the posterior, from few slow ones to many, in an
// order of chance. What functions have in common, how many are throttled and how
// large the shares of others are, is learnt from all of them (empirical Bayes).
func learnShares(all [][]counted) [][]slowShare {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, counts := range all {
		for _, c := range counts {
			lo, hi = math.Min(lo, c.cpu), math.Max(hi, c.cpu)
		}
	}
	fits := make([][]hypothesis, len(all))
	for v, counts := range all {
		for a, always := range alwaysShares {
			fits[v] = append(fits[v], newHypothesis(a, 0, slowShare{always: always, end: math.Inf(-1), width: 1}, counts))
			if hi == lo {
				continue
			}
			for k := range endSteps {
				end := lo + (hi-lo)*(float64(k)+0.5)/endSteps
				for _, width := range shortWidths {
					fits[v] = append(fits[v], newHypothesis(a, 1, slowShare{always: always, end: end, width: width}, counts))
				}
			}
		}
	}
	always, throttled := normalised(slices.Clone(alwaysPrior[:])), priorThrottled
	weights := make([][]float64, len(all))
	for range commonRounds {
		sum, short := make([]float64, len(always)), priorFunctions*priorThrottled
		for a, p := range normalised(slices.Clone(alwaysPrior[:])) {
			sum[a] = priorFunctions * p
		}
		functions := priorFunctions
		for v := range fits {
			if len(all[v]) == 0 {
				continue
			}
			weights[v] = posterior(fits[v], always, throttled)
			functions++
			for i, h := range fits[v] {
				sum[h.always] += weights[v][i]
				short += weights[v][i] * float64(h.throttled)
			}
		}
		always, throttled = normalised(sum), short/functions
	}
	out := make([][]slowShare, len(all))
	for v := range fits {
		out[v] = quantiles(fits[v], weights[v], lo, hi, rand.New(rand.NewPCG(designSeed, uint64(v))))
	}
	return out
}

func newHypothesis(always, throttled int, s slowShare, counts []counted) hypothesis {
	h := hypothesis{always: always, throttled: throttled, slowShare: s}
	h.likelihood = s.likelihood(counts)
	return h
}

// posterior returns how likely each hypothesis is.
func posterior(fits []hypothesis, always []float64, throttled float64) []float64 {
	out := make([]float64, len(fits))
	most := math.Inf(-1)
	for i, h := range fits {
		out[i] = h.likelihood + math.Log(always[h.always])
		if h.throttled == 1 {
			out[i] += math.Log(throttled / float64(endSteps*len(shortWidths)))
		} else {
			out[i] += math.Log(1 - throttled)
		}
		most = math.Max(most, out[i])
	}
	for i := range out {
		out[i] = math.Exp(out[i] - most)
	}
	return normalised(out)
}

// quantiles returns a hypothesis for each explanation. They are ordered by their
// mean share over the range of sizes.
func quantiles(fits []hypothesis, weights []float64, lo, hi float64, rng *rand.Rand) []slowShare {
	if weights == nil {
		return make([]slowShare, explanations)
	}
	const steps = 16
	mean := make([]float64, len(fits))
	order := make([]int, len(fits))
	for i, h := range fits {
		order[i] = i
		for k := range steps {
			mean[i] += h.at(lo + (hi-lo)*(float64(k)+0.5)/steps)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(mean[a], mean[b]) })
	out := make([]slowShare, 0, explanations)
	var below float64
	for _, i := range order {
		below += weights[i]
		for len(out) < explanations && below*explanations >= float64(len(out))+0.5 {
			out = append(out, fits[i].slowShare)
		}
	}
	for len(out) < explanations { // rounding
		out = append(out, fits[order[len(order)-1]].slowShare)
	}
	rng.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}
