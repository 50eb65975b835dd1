package tuner

import (
	"fmt"
	"math"
	"testing"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/stats"
)

// Whether only whole units of CPU count, and which, is found from eighteen
// invocations, and with it where the time falls.
func TestUnitOfSteps(t *testing.T) {
	space := function.Space{
		CPU:    function.Range{Min: 100, Max: 6000, Step: 100},
		Memory: function.Range{Min: int64(128 * function.MiB), Max: int64(4 * function.GiB), Step: int64(64 * function.MiB)},
	}
	for _, unit := range []float64{0, 1, 1.5, 2} {
		t.Run(fmt.Sprint(unit), func(t *testing.T) {
			rng := stats.Stream(3, "steps")
			seconds := func(cores float64) float64 {
				if unit > 0 && cores > unit {
					cores = unit * math.Floor(cores/unit+1e-9)
				}
				return 0.1 + 0.9/cores
			}
			var e evidence
			for i := range 18 {
				cpu := function.MilliCPU(space.CPU.Snap(int64(100 * math.Pow(60, (float64(i)+0.5)/18))))
				e.resources = append(e.resources, function.Resources{CPU: cpu, Memory: function.GiB})
				e.logTime = append(e.logTime, math.Log(seconds(cpu.Cores()))+0.03*rng.NormFloat64())
				e.censored, e.run, e.input = append(e.censored, false), append(e.run, i), append(e.input, 0)
				e.ok++
			}
			s := newSurface(space, e)
			s.observe(e)
			fit, err := s.fit(explanation{}, 1)
			if err != nil {
				t.Fatal(err)
			}
			if fit.best.unit != unit {
				t.Errorf("unit %v, want %v", fit.best.unit, unit)
			}
			s.counts(fit.best.unit)
			if err := s.condition(fit.best.params, fit.slow); err != nil {
				t.Fatal(err)
			}
			for _, cores := range []float64{0.4, 1, 1.4, 1.6, 2.5, 2.9, 3, 5.5} {
				x := s.input(function.Resources{CPU: function.MilliCPU(1000 * cores), Memory: function.GiB})
				if got, want := s.post.Mean(x), math.Log(seconds(cores)); math.Abs(got-want) > 0.06 {
					t.Errorf("%v cores take %.3f s, want %.3f", cores, math.Exp(got), math.Exp(want))
				}
			}
		})
	}
}
