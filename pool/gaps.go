package pool

import (
	"math"
	"time"
)

// The gaps of a level are counted in bins whose edges grow by the square root
// of two from a quarter of a second to more than four hours.
const (
	gapBins  = 33
	firstGap = 0.25 // s
	// maxLevels is how many instances of a function have gaps of their own;
	// those above share the last.
	maxLevels = 8
	// pooledWeight is how many gaps of its own a function's level needs to
	// count as much as all functions together.
	pooledWeight = 4
	// forgetAt is the number of gaps at which the older half of their weight
	// is forgotten.
	forgetAt = 256
	// unended is how many gaps that never end are added to those seen: each burst
	// has a last use, and among gaps seen there is none after it.
	unended = 1
)

// gaps is a histogram of how long one level of a function stayed unused: level
// k is used while at least k instances are busy. With instances that are
// exchangeable, one more instance kept warm serves exactly the uses of the next
// level, so that a decision about instances is a decision about levels.
type gaps struct {
	count [gapBins]float32
	n     float32
}

func gapBin(seconds float64) int {
	if !(seconds > firstGap) {
		return 0
	}
	return min(int(2*math.Log2(seconds/firstGap))+1, gapBins-1)
}

// gapEdge is the upper edge of a bin in seconds.
func gapEdge(bin int) float64 { return firstGap * math.Exp2(float64(bin)/2) }

func (g *gaps) add(d time.Duration) {
	g.count[gapBin(d.Seconds())]++
	if g.n++; g.n >= forgetAt {
		g.n = 0
		for i := range g.count {
			g.count[i] /= 2
			g.n += g.count[i]
		}
	}
}

// keep returns how long to keep an instance of that size that became idle: the
// time after which giving up costs least, in expectation over the gaps seen here
// and in the pool of all functions, when an idle second costs gb and a cold
// start price. It is the average-case form of the ski-rental problem.
func (g *gaps) keep(pooled *gaps, gb, price float64) time.Duration {
	share := float32(0)
	if pooled.n > 0 {
		share = pooledWeight / pooled.n
	}
	// Gaps that end in a bin, and those that do not end until after it.
	var n, after [gapBins]float64
	total := float64(unended)
	for i := gapBins - 1; i >= 0; i-- {
		after[i] = total
		n[i] = float64(g.count[i] + share*pooled.count[i])
		total += n[i]
	}
	if total == unended {
		return breakEven(gb, price)
	}
	best, bestCost := 0.0, price*total
	lower, held := 0.0, 0.0 // idle seconds of the gaps that are over
	for i := range gapBins - 1 {
		edge := gapEdge(i)
		held += n[i] * (lower + edge) / 2
		if cost := gb*(held+after[i]*edge) + price*after[i]; cost < bestCost {
			best, bestCost = edge, cost
		}
		lower = edge
	}
	return time.Duration(best * float64(time.Second))
}

// breakEven is the keep-alive of one who knows nothing: until the idle memory
// has cost as much as a cold start, which never costs more than twice what
// knowing the future would (Karlin et al., 1988).
func breakEven(gb, price float64) time.Duration {
	s := price / gb
	if !(s < Forever.Seconds()) {
		return Forever
	}
	return time.Duration(s * float64(time.Second))
}
