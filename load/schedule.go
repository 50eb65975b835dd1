package load

import (
	"iter"
	"math/rand/v2"
	"slices"
	"time"
)

// Arrival is one request that is due.
type Arrival struct {
	At     time.Duration // since the start of the run
	Target int           // index of what is to be called, given by the caller
}

// Schedule is a sequence of arrivals in order of time. Ranging over one twice
// gives different arrivals if it draws from a random source.
type Schedule = iter.Seq[Arrival]

// Constant schedules rate arrivals per second, evenly spaced, for d. The first
// is due at once.
func Constant(target int, rate float64, d time.Duration) Schedule {
	return func(yield func(Arrival) bool) {
		if rate <= 0 {
			return
		}
		gap := float64(time.Second) / rate
		for i := 0; ; i++ {
			at := time.Duration(float64(i) * gap)
			if at >= d || !yield(Arrival{at, target}) {
				return
			}
		}
	}
}

// Poisson schedules arrivals of a Poisson process with rate per second for d:
// the gaps are independent and exponential, as of many users who do not know
// of each other.
func Poisson(target int, rate float64, d time.Duration, rng *rand.Rand) Schedule {
	return func(yield func(Arrival) bool) {
		if rate <= 0 {
			return
		}
		mean := float64(time.Second) / rate
		for t := rng.ExpFloat64() * mean; t < float64(d); t += rng.ExpFloat64() * mean {
			if !yield(Arrival{time.Duration(t), target}) {
				return
			}
		}
	}
}

// Counts schedules counts[i] arrivals at independent, uniformly random moments
// of the i-th interval: what is known of a trace that was recorded as counts,
// if arrivals within an interval are a Poisson process. An interval shorter
// than the recorded one compresses time.
func Counts(target int, counts []int, interval time.Duration, rng *rand.Rand) Schedule {
	return func(yield func(Arrival) bool) {
		var at []time.Duration
		for i, n := range counts {
			at = at[:0]
			for range n {
				at = append(at, time.Duration(rng.Float64()*float64(interval)))
			}
			slices.Sort(at)
			for _, t := range at {
				if !yield(Arrival{time.Duration(i)*interval + t, target}) {
					return
				}
			}
		}
	}
}

// Until ends a schedule before the first arrival at or after d.
func Until(s Schedule, d time.Duration) Schedule {
	return func(yield func(Arrival) bool) {
		for a := range s {
			if a.At >= d || !yield(a) {
				return
			}
		}
	}
}
