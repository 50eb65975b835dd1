package experiment

import (
	"time"

	"github.com/aquatope/aquatope/stats"
)

// ValidateArrival is a run that is due, with one of the sample inputs.
type ValidateArrival struct {
	At    time.Duration
	Input int
}

// visitLength is how many runs a visit has on average.
const visitLength = 12

// ValidateArrivals draws arrivals that come in visits, so that instances are
// found warm, are missing because others are busy, and are gone after a pause:
// within a visit at the given rate per second, between two visits after a time
// that is a keep-alive on average, all exponential. Inputs are drawn by weight.
func ValidateArrivals(seed uint64, duration, keepAlive time.Duration, rate float64, weights []float64) []ValidateArrival {
	r := stats.Stream(seed, "experiment/validate")
	total := 0.0
	for _, w := range weights {
		total += w
	}
	var out []ValidateArrival
	for at := time.Duration(0); at < duration; {
		a := ValidateArrival{At: at}
		for u := r.Float64() * total; a.Input < len(weights)-1 && u >= weights[a.Input]; a.Input++ {
			u -= weights[a.Input]
		}
		out = append(out, a)
		gap := r.ExpFloat64() / rate
		if r.IntN(visitLength) == 0 {
			gap = r.ExpFloat64() * keepAlive.Seconds()
		}
		at += nanos(gap)
	}
	return out
}
