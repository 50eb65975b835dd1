package rehearsal_test

import (
	"math"
	"testing"

	"github.com/aquatope/aquatope/control"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/sim/rehearsal"
	"github.com/aquatope/aquatope/stats"
	"github.com/aquatope/aquatope/tuner"
)

// How long starts take at a size at which none was seen.
func TestLearnsHowStartsDependOnCPU(t *testing.T) {
	t.Parallel()
	// seen are starts at each CPU that take fixed + computed/CPU seconds, but for luck.
	seen := func(each int, fixed, computed float64, cpus ...function.MilliCPU) []rehearsal.Start {
		rng := stats.Stream(1, "start test")
		var out []rehearsal.Start
		for _, c := range cpus {
			for range each {
				s := (fixed + computed/c.Cores()) * math.Exp(0.15*rng.NormFloat64())
				out = append(out, rehearsal.Start{CPU: c, Seconds: s})
			}
		}
		return out
	}
	for _, c := range []struct {
		name        string
		seen        []rehearsal.Start
		least, most float64 // of the 90th percentile with 2 CPUs
	}{
		{"computing, seen at small sizes", seen(10, 0, 1, 250, 500), 1, 1.5},
		{"waiting, seen at small sizes", seen(10, 1, 0, 250, 500), 0.95, 1.4},
		{"both", seen(10, 1, 1, 250, 500, 1000), 1.9, 2.7},
		{"no faster beyond one CPU", seen(10, 0, 1, 1000), 1, 1.4},
		{"seen at one size: between computing and waiting", seen(10, 1, 0, 250), 0.3, 0.8},
		{"seen with an unknown CPU", []rehearsal.Start{{Seconds: 1}}, 1, 1},
		{"seen once", seen(1, 1, 0, 250), 0.3, 0.8},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRehearsalStarting(t, c.seen, c.seen)
			if got := r.Starts()[0]; got < c.least || got > c.most {
				t.Errorf("%.3f s, want %v to %v", got, c.least, c.most)
			}
		})
	}
}

// A function that takes 4.5 s to start with half a CPU and half of that with more: at a
// price of 3 s it is worth keeping only where it starts sooner.
func TestPlansWithStartsOfTheirSize(t *testing.T) {
	t.Parallel()
	var seen []rehearsal.Start
	for i := range 10 {
		seen = append(seen, rehearsal.Start{CPU: 500, Seconds: 4 + 0.1*float64(i)}, rehearsal.Start{CPU: 2000, Seconds: 2 + 0.05*float64(i)})
	}
	r := newRehearsalStarting(t, seen, []rehearsal.Start{{CPU: 1000, Seconds: 0.01}})
	plan := func(cpu function.MilliCPU) control.JointPlan {
		x := function.Resources{CPU: cpu, Memory: function.GiB}
		return control.JointPlan{Configuration: tuner.Configuration{x, x}, Price: 3, OnDemand: make([]bool, 2)}
	}
	if small, large := r.OnDemand(plan(500)), r.OnDemand(plan(2000)); !small[0] || large[0] {
		t.Errorf("on demand: %v with 0.5 CPUs, %v with 2, want the first only", small[0], large[0])
	}
}
