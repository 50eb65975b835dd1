package tuner

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/aquatope/aquatope/function"
)

// wideSpace is what the functions of tests of surfaces may have.
var wideSpace = function.Space{
	CPU:    function.Range{Min: 100, Max: 6000, Step: 100},
	Memory: function.Range{Min: int64(128 * function.MiB), Max: int64(4 * function.GiB), Step: int64(64 * function.MiB)},
}

// overCPU is a function tried once at each of n CPUs, evenly spread in the logarithm.
func overCPU(n int, sd float64, rng *rand.Rand, seconds func(cores float64) float64) evidence {
	var e evidence
	for i := range n {
		cpu := function.MilliCPU(wideSpace.CPU.Snap(int64(100 * math.Pow(60, (float64(i)+0.5)/float64(n)))))
		e.resources = append(e.resources, function.Resources{CPU: cpu, Memory: function.GiB})
		e.logTime = append(e.logTime, math.Log(seconds(cpu.Cores()))+sd*rng.NormFloat64())
		e.censored, e.run, e.input = append(e.censored, false), append(e.run, i), append(e.input, 0)
		e.ok++
	}
	return e
}

// fitSurface returns what is believed of a function by itself.
func fitSurface(t *testing.T, space function.Space, e evidence) (*surface, fitted) {
	t.Helper()
	s := newSurface(space, e)
	s.observe(e)
	fit, err := s.fit(explanation{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	s.counts(fit.best.unit)
	if err := s.condition(fit.best.params, fit.slow); err != nil {
		t.Fatal(err)
	}
	return s, fit
}
