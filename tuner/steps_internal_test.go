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
	for _, unit := range []float64{0, 1, 1.5, 2} {
		t.Run(fmt.Sprint(unit), func(t *testing.T) {
			rng := stats.Stream(3, "steps")
			seconds := func(cores float64) float64 {
				if unit > 0 && cores > unit {
					cores = unit * math.Floor(cores/unit+1e-9)
				}
				return 0.1 + 0.9/cores
			}
			s, fit := fitSurface(t, wideSpace, overCPU(18, 0.03, rng, seconds))
			if fit.best.unit != unit {
				t.Errorf("unit %v, want %v", fit.best.unit, unit)
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
