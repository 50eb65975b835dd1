package pool

import (
	"math"

	"github.com/aquatope/aquatope/forecast"
)

// levelPoints are the quantiles of arrivals over which the use of levels is averaged.
var levelPoints = [...]float64{0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95}

// levelsWorth returns how many instances are worth keeping warm for a window
// whose arrivals are distributed as d. Level k is used when more than (k-1)*c
// invocations are at work at once, c being the concurrency of an instance; with
// n arrivals in w seconds of mean service s that many at work are Poisson of
// mean n*s/w, the infinite-server queue, and are reached at the rate n/w *
// P(exactly (k-1)*c at work). A level is worth it when the cold start that it
// avoids with probability p costs more than its idle seconds until then.
func levelsWorth(d forecast.Distribution, first use, f Function, window, gb, price float64) int {
	c := max(1, f.Concurrency)
	if !first.worth(window, gb, price) {
		return 0
	}
	service := f.Service.Seconds()
	var arrivals [len(levelPoints)]float64
	for i, p := range levelPoints {
		arrivals[i] = d.Quantile(p)
	}
	level := 1
	for ; level < maxTarget; level++ {
		var next use
		for _, n := range arrivals {
			rate := n / window * poisson(level*c, n*service/window)
			next.add(1/float64(len(arrivals)), rate*window)
		}
		if !next.worth(window, gb, price) {
			break
		}
	}
	return level
}

// Instances returns how many instances of f are at work at once in a window of
// the given seconds in which so many invocations come: the largest number that
// is more likely reached than not, arrivals being spread evenly.
func Instances(arrivals float64, f Function, window float64) int {
	if !(arrivals > 0) || !(window > 0) {
		return 0
	}
	c := max(1, f.Concurrency)
	mean := arrivals * f.Service.Seconds() / window
	if mean > maxTarget*float64(c) {
		return maxTarget
	}
	below, at := 0.0, 0 // P(fewer than at others at work when one comes)
	for k := 1; k < maxTarget; k++ {
		for ; at < k*c; at++ {
			below += poisson(at, mean)
		}
		if arrivals*(1-below) < 0.5 {
			return k
		}
	}
	return maxTarget
}

// maxTarget bounds a target whatever is forecast; caps of functions are lower.
const maxTarget = 10_000

// use is how likely an instance is used in a window, and how much of the window
// passes until then on average, the whole of it when it is not used.
type use struct{ likely, until float64 }

// add mixes in, with a weight, a Poisson process of n uses in a window.
func (u *use) add(weight, n float64) {
	p := -math.Expm1(-n)
	u.likely += weight * p
	if n < 1e-9 {
		u.until += weight
	} else {
		u.until += weight * p / n
	}
}

// worth reports whether the cold start that is avoided costs more than the
// idle time until then.
func (u use) worth(window, gb, price float64) bool {
	return price*u.likely > gb*window*u.until
}

// poisson is P(X = k) for X Poisson of the given mean.
func poisson(k int, mean float64) float64 {
	if !(mean > 0) {
		if k == 0 {
			return 1
		}
		return 0
	}
	l, _ := math.Lgamma(float64(k) + 1)
	return math.Exp(float64(k)*math.Log(mean) - mean - l)
}
