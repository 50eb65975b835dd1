package tuner

import (
	"math"
	"math/rand/v2"

	"github.com/aquatope/aquatope/function"
)

// designRuns is the number of runs of the designed start. Six sizes tell the
// parameters of a function's scaling apart, and every run sizes all functions.
const designRuns = 6

// design returns run k of the start: the first is generous, so that needs show
// undisturbed; the others cover the sizes of every function evenly in the
// logarithm, in a different order for each function, so that no run has all
// functions small.
func design(p *Problem, all []evidence, k int, rng *rand.Rand) Configuration {
	c := make(Configuration, len(p.Functions))
	for f, fn := range p.Functions {
		cpuOrder, memOrder := rng.Perm(designRuns-1), rng.Perm(designRuns-1)
		if k == 0 || k >= designRuns || all[f].ok == 0 {
			c[f] = generous(fn.Space, all[f], k)
			continue
		}
		floor := int64(all[f].floor)
		c[f] = function.Resources{
			CPU:    function.MilliCPU(between(fn.Space.CPU, fn.Space.CPU.Min, cpuOrder[k-1])),
			Memory: function.Bytes(between(fn.Space.Memory, floor, memOrder[k-1])),
		}
	}
	return c
}

// between returns level i of designRuns-1 levels between floor and the maximum:
// the ends are left out by half a level, as a model that knows the middle needs
// them least.
func between(r function.Range, floor int64, i int) int64 {
	t := (float64(i) + 0.4) / (designRuns - 1)
	return r.Snap(int64(math.Round(float64(floor) * math.Pow(float64(r.Max)/float64(floor), t))))
}

// generous returns most of the CPU and memory of a space; all of it for a
// function that failed before.
func generous(s function.Space, e evidence, k int) function.Resources {
	if k > 0 && e.ok == 0 {
		return s.Largest()
	}
	most := func(r function.Range) int64 {
		return r.Snap(int64(math.Round(float64(r.Min) * math.Pow(float64(r.Max)/float64(r.Min), 0.75))))
	}
	return function.Resources{
		CPU:    function.MilliCPU(most(s.CPU)),
		Memory: max(function.Bytes(most(s.Memory)), e.floor),
	}
}
