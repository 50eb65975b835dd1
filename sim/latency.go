package sim

import (
	"time"

	"github.com/DataDog/sketches-go/ddsketch"
)

// latencies is the distribution of start latencies: a count of the zeros, which
// are nearly all, and a sketch with 1 % relative error for the rest.
type latencies struct {
	zeros  float64
	sketch *ddsketch.DDSketch
}

func newLatencies() *latencies {
	s, err := ddsketch.NewDefaultDDSketch(0.01)
	if err != nil {
		panic("BUG: sim: " + err.Error()) // only for an accuracy outside (0, 1)
	}
	return &latencies{sketch: s}
}

func (l *latencies) add(ns int64) {
	if ns == 0 {
		l.zeros++
		return
	}
	if err := l.sketch.Add(seconds(ns)); err != nil {
		panic("BUG: sim: " + err.Error()) // only for values out of the sketch's range
	}
}

func (l *latencies) quantile(p float64) time.Duration {
	n := l.sketch.GetCount()
	if n == 0 || p*(n+l.zeros) <= l.zeros {
		return 0
	}
	v, err := l.sketch.GetValueAtQuantile(min(1, max(0, (p*(n+l.zeros)-l.zeros)/n)))
	if err != nil {
		return 0
	}
	return time.Duration(v * float64(time.Second))
}
