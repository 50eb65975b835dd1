package prior_test

import (
	"math"
	"testing"

	"github.com/aquatope/aquatope/forecast"
	"github.com/aquatope/aquatope/forecast/prior"
)

// The file fits the program, and the model knows the difference between a timer
// that is due, one that is not, and silence.
func TestLoad(t *testing.T) {
	m, err := prior.Load()
	if err != nil {
		t.Fatalf("%v\n  make it anew: go generate ./forecast/prior", err)
	}
	const period, from, to = 10, 1000, 1300 // to is a multiple of the period
	timer, silent := forecast.NewHistory("timer", "", from), forecast.NewHistory("silent", "", from)
	f := m.New()
	var last [][]forecast.Distribution
	active := func(i int) float64 { return 1 - last[i][0].CDF(0) }
	for w := int64(from); w < to; w++ {
		if w%period == 0 {
			if err := timer.Observe(w, 1); err != nil {
				t.Fatal(err)
			}
		}
		timer.Advance(w + 1)
		silent.Advance(w + 1)
		last = f.Forecast([]*forecast.History{timer, silent}, 1)
		for i := range last {
			if p := active(i); math.IsNaN(p) || p < 0 || p > 1 {
				t.Fatalf("window %d: probability %v", w, p)
			}
		}
		if w > to-2*period {
			if due := (w+1)%period == 0; due != (active(0) > 0.5) {
				t.Errorf("window %d: the timer is due: %v, its probability %.2f", w+1, due, active(0))
			}
			if active(1) > 0.1 {
				t.Errorf("window %d: silence has probability %.2f of a call", w+1, active(1))
			}
		}
	}
}
