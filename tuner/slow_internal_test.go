package tuner

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/aquatope/aquatope/function"
)

// timesOf are single invocations of a function at several sizes, of which a share
// is slower by a factor.
func timesOf(n int, share, slower, sd float64, seed uint64) evidence {
	rng := rand.New(rand.NewPCG(seed, 1))
	var e evidence
	for i := range n {
		cpu := 100 * math.Pow(2, float64(i%6))
		y := math.Log(0.1+0.3*1000/cpu) + sd*rng.NormFloat64()
		if rng.Float64() < share {
			y += math.Log(slower)
		}
		e.resources = append(e.resources, function.Resources{CPU: function.MilliCPU(cpu), Memory: function.GiB})
		e.logTime, e.censored = append(e.logTime, y), append(e.censored, false)
		e.run, e.input, e.ok = append(e.run, i), append(e.input, 0), e.ok+1
	}
	return e
}

func fitTimes(t *testing.T, e evidence) (*surface, fitted) {
	t.Helper()
	space := function.Space{
		CPU:    function.Range{Min: 100, Max: 4000, Step: 100},
		Memory: function.Range{Min: int64(function.GiB), Max: int64(2 * function.GiB), Step: int64(function.GiB)},
	}
	s, fit := fitSurface(t, space, e)
	s.residuals(e)
	return s, fit
}

// Of invocations of two kinds the surface is that of the usual ones; as one kind
// with much noise its tail would lie far beyond the slow ones.
func TestTwoKindsAreToldApart(t *testing.T) {
	const share, slower, sd = 0.3, 2.0, 0.04
	for seed := range uint64(4) {
		s, fit := fitTimes(t, timesOf(25, share, slower, sd, seed))
		if fit.slow.share < 0.1 || math.Abs(fit.slow.delay-math.Log(slower)) > 0.1 {
			t.Errorf("seed %d: slow part %+v", seed, fit.slow)
		}
		x := s.input(function.Resources{CPU: 1000, Memory: function.GiB})
		if noise := math.Sqrt(s.post.NoiseVariance(x)); noise > 2*sd {
			t.Errorf("seed %d: noise %v, want about %v", seed, noise, sd)
		}
		if mean, _ := s.post.Predict(x); math.Abs(mean-math.Log(0.4)) > 0.08 {
			t.Errorf("seed %d: usual time e^%v, want 0.4", seed, mean)
		}
	}
}

func TestOneKindStaysOne(t *testing.T) {
	for seed := range uint64(6) {
		if _, fit := fitTimes(t, timesOf(25, 0, 1, 0.15, seed)); fit.slow.share > 0 {
			t.Errorf("seed %d: slow part %+v of a bell", seed, fit.slow)
		}
	}
}
