package rehearsal

import (
	"math"
	"time"
)

// unrest counts runs by time, to tell how different one time is from another: of a
// burst, and of the quiet hours around it, nobody knows how much comes next.
type unrest struct {
	from, until time.Duration
	runs        [unrestBlocks]float64
	violations  [unrestBlocks]float64
}

// unrestBlocks is into how many parts the time is divided.
const unrestBlocks = 16

// add accounts for a run that arrived at an instant; those from elsewhere do not count.
func (u *unrest) add(at time.Duration, violated bool) {
	if at < u.from || at >= u.until {
		return
	}
	k := min(int(unrestBlocks*(at-u.from)/(u.until-u.from)), unrestBlocks-1)
	u.runs[k]++
	if violated {
		u.violations[k]++
	}
}

// deviation is the standard deviation of the share of violations as a ratio of sums
// over parts of time (Cochran, Sampling Techniques, 1977, section 2.11), without
// what is due to counting runs.
func (u *unrest) deviation() float64 {
	var n, v float64
	for k, runs := range u.runs {
		n += runs
		v += u.violations[k]
	}
	if n == 0 {
		return 0
	}
	share, sum := v/n, 0.0
	for k, runs := range u.runs {
		d := u.violations[k] - share*runs
		sum += d * d
	}
	variance := sum / (n * n) * unrestBlocks / (unrestBlocks - 1)
	return math.Sqrt(max(0, variance-share*(1-share)/n))
}
