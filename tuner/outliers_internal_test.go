package tuner

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/aquatope/aquatope/function"
)

// timesAt are invocations of one function with so many thousandths of a core.
func timesAt(cpus []function.MilliCPU, seconds func(cpu function.MilliCPU) float64) evidence {
	rng := rand.New(rand.NewPCG(7, 1))
	var e evidence
	for i, cpu := range cpus {
		e.resources = append(e.resources, function.Resources{CPU: cpu, Memory: function.GiB})
		e.logTime = append(e.logTime, math.Log(seconds(cpu))+0.03*rng.NormFloat64())
		e.censored, e.run, e.input, e.ok = append(e.censored, false), append(e.run, i), append(e.input, 0), e.ok+1
	}
	return e
}

// A function that stalls, and took far longer with little CPU than the lack of it
// explains, is believed to stall there, and now and then a little above; one that takes
// longer in inverse proportion is not.
func TestWhatNoLackOfCPUExplains(t *testing.T) {
	cpus := []function.MilliCPU{1000, 100, 200, 300, 250, 300, 400, 500, 700, 250, 300, 300, 400, 300, 250}
	learn := func(seconds func(cpu function.MilliCPU) float64) func(cpu float64) float64 {
		s, _ := fitTimes(t, timesAt(cpus, seconds))
		o := learnOutliers([]*surface{s})
		return func(cpu float64) float64 { return o[0].mean(math.Log(cpu))[short] }
	}
	tries := 0
	stalls := func(cpu function.MilliCPU) float64 {
		if cpu == 250 {
			tries++
		}
		if cpu < 250 || tries == 1 && cpu == 250 {
			return 0.06 * 700 / float64(cpu)
		}
		return 0.06
	}
	shortAt := learn(stalls)
	if p := shortAt(0.2); p < 0.2 {
		t.Errorf("where it stalled: in %v of all", p)
	}
	if p := shortAt(0.25); p < 0.02 {
		t.Errorf("just above: in %v of all", p)
	}
	if p := learn(func(cpu function.MilliCPU) float64 { return 60 / float64(cpu) })(0.25); p > 0.01 {
		t.Errorf("in inverse proportion to CPU: stalls in %v of all", p)
	}
}

// Where a quota ends stalls of its own kind end, too: their sizes are not those of what
// is slow at any size.
func TestKindsHaveTheirOwnSizes(t *testing.T) {
	var s surface
	for range 30 {
		for _, cpu := range []float64{0.2, 0.4, 0.8} {
			s.resid = append(s.resid, residual{sd: 0.05, cpu: math.Log(cpu)})
		}
	}
	for range 8 {
		s.resid = append(s.resid, residual{z: 30, sd: 0.05, cpu: math.Log(0.2), outlier: true})
	}
	for range 2 {
		s.resid = append(s.resid, residual{z: 8, sd: 0.05, cpu: math.Log(0.8), outlier: true})
	}
	o := learnOutliers([]*surface{&s})[0]
	if a, b := o.of[anywhere].slower, o.of[short].slower; !(b > 1.3*a) {
		t.Errorf("slower by %v at any size and %v for a lack of CPU: want much more", a, b)
	}
	p := o.share(math.Log(0.2), 0)
	for _, u := range []float64{0, 0.5, 1 - 1e-16} {
		if size := o.draw(u, p, 0); !(size > 0.2 && size < 2) {
			t.Errorf("size %v at %v", size, u)
		}
	}
}
