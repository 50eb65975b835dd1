package pool

import (
	"math"

	"github.com/aquatope/aquatope/forecast"
)

// maxCount is the largest count of a window whose single invocations are
// looked at; a function with more is never worth unloading between two of them.
const maxCount = 32

// counts is the forecast of the current window by count, for deciding within
// the window: it answers what is still to come once some have come.
type counts struct {
	p    [maxCount + 1]float64 // of 0, 1, ... invocations
	more float64               // of more than maxCount
}

func (c *counts) fill(d forecast.Distribution) {
	if all, ok := d.(interface{ CDFs(p []float64) }); ok {
		all.CDFs(c.p[:])
	} else {
		for k := range c.p {
			c.p[k] = d.CDF(float64(k))
		}
	}
	below := 0.0
	for k, at := range c.p {
		c.p[k] = max(0, at-below)
		below = max(below, at)
	}
	c.more = max(0, 1-below)
}

// first is the use of the first instance: of n invocations, spread evenly over
// the window, the first comes after 1/(n+1) of it on average.
func (c *counts) first() use {
	u := use{likely: 1 - c.p[0], until: c.more / (maxCount + 2)}
	for k, p := range c.p {
		u.until += p / float64(k+1)
	}
	return u
}

// within is the probability that an invocation comes in the first share of the window.
func (c *counts) within(share float64) float64 {
	none, miss := 0.0, 1.0
	for _, p := range c.p {
		none += p * miss
		miss *= 1 - share
	}
	return 1 - none - c.more*miss
}

// rest decides how long to keep an idle instance within a window of which the
// share u has passed and in which n invocations came: it returns the seconds
// of the remaining ones that are worth it, and whether those are all. Given how
// many are still to come they are spread evenly over what is left. Restart is
// what it costs, beside, to have no instance when the next window comes.
func (c *counts) rest(n int, u, remaining, gb, price, restart float64) (seconds float64, all bool) {
	if n >= maxCount || !(remaining > 0) {
		return remaining, true
	}
	left := math.Max(0, 1-u)
	// Posterior weights of r = k-n invocations to come: Binomial thinning.
	var w [maxCount + 1]float64
	choose, power, sum := 1.0, 1.0, 0.0
	for k := n; k <= maxCount; k++ {
		r := k - n
		w[r] = c.p[k] * choose * power
		sum += w[r]
		power *= left
		choose *= float64(k+1) / float64(r+1)
	}
	// Of more than maxCount, few can be left to come only if nearly all came.
	many := c.more * choose * power
	sum += many
	if !(sum > 0) {
		return remaining, true // what came was held impossible: keep
	}
	best := 0.0
	for _, share := range [...]float64{0.125, 0.25, 0.5, 1} {
		// Of r to come evenly over what is left, none comes in its first share
		// with probability miss = (1-share)^r; the idle time until the first of
		// them, or until giving up, is (1-miss*(1-share))/(r+1) of what is left.
		none, idle, miss := 0.0, many/float64(maxCount-n+2), 1.0
		for r := 0; r <= maxCount-n; r++ {
			none += w[r] * miss
			miss *= 1 - share
			idle += w[r] * (1 - miss) / float64(r+1)
		}
		x := share * remaining
		gain := price*(1-none/sum) - gb*remaining*idle/sum
		if share == 1 {
			gain += restart
		}
		if gain >= best {
			best, seconds, all = gain, x, share == 1
		}
	}
	return seconds, all
}
