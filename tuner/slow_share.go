package tuner

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
)

// slowShare is the share of slow invocations of a function over the logarithm of
// CPU: some are slow at any size, and more the shorter a quota makes CPU.
type slowShare struct {
	always float64
	// From end on there is CPU enough. Below it the share grows as the logarithm of
	// CPU falls, until on width all are slow.
	end, width float64
}

// shortMost is the share due to a lack of CPU from which on slow invocations may be
// the usual ones, which the surface follows; then followed is the share of slow ones.
const shortMost, followed = 0.5, 0.02

// at returns the share at the logarithm of a CPU.
func (s slowShare) at(cpu float64) float64 {
	return 1 - (1-s.always)*(1-s.short(cpu))
}

// short is the share due to a lack of CPU.
func (s slowShare) short(cpu float64) float64 {
	return math.Min(math.Max((s.end-cpu)/s.width, 0), shortMost)
}

// counted are invocations at the logarithm of a CPU, and how many were slow.
type counted struct{ cpu, seen, hits float64 }

// count adds an invocation to those counted by ascending CPU.
func count(all []counted, cpu float64, hit bool) []counted {
	i, ok := slices.BinarySearchFunc(all, cpu, func(c counted, cpu float64) int { return cmp.Compare(c.cpu, cpu) })
	if !ok {
		all = slices.Insert(all, i, counted{cpu: cpu})
	}
	all[i].seen++
	if hit {
		all[i].hits++
	}
	return all
}

// likelihood returns the logarithm of that of what was counted, by ascending CPU.
// Where most are slow by the lack of CPU the surface follows them from some CPU
// down, which is as likely to be any of those tried or none.
func (s slowShare) likelihood(all []counted) float64 {
	var log float64
	turns := []float64{0} // for each CPU from which on down the surface follows: relative to none
	for _, c := range all {
		l := c.likelihood(s.at(c.cpu))
		log += l
		if s.short(c.cpu) == shortMost {
			turns = append(turns, turns[len(turns)-1]+c.likelihood(followed)-l)
		}
	}
	return log + floats.LogSumExp(turns) - math.Log(float64(len(turns)))
}

// likelihood returns the logarithm of that of a share.
func (c counted) likelihood(share float64) float64 {
	log := (c.seen - c.hits) * math.Log(1-share)
	if c.hits > 0 {
		log += c.hits * math.Log(share)
	}
	return log
}
