package baseline

import (
	"math"
	"slices"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/tuner"
)

// ORION, Jolteon and Parrotfish choose one size for each function, as providers
// couple CPU to memory. A size here is a CPU with the memory that comes with it
// (1769 MB for each vCPU, as on AWS Lambda), but never less than invocations were
// seen to need.

// profileSizes is the number of sizes at which functions are profiled.
const profileSizes = 5

// profileRun returns run k of profiling: every function at one of the sizes,
// the largest first.
func profileRun(p *tuner.Problem, history []tuner.Run, k int) tuner.Configuration {
	c := make(tuner.Configuration, len(p.Functions))
	need := memoryNeeds(p, history)
	for f, fn := range p.Functions {
		level := profileSizes - 1 - k%profileSizes
		t := float64(level) / (profileSizes - 1)
		cpu := fn.Space.CPU.Snap(int64(math.Round(float64(fn.Space.CPU.Min) * math.Pow(float64(fn.Space.CPU.Max)/float64(fn.Space.CPU.Min), t))))
		c[f] = sized(fn.Space, cpu, need[f])
	}
	return c
}

// sized returns a size of a function.
func sized(s function.Space, cpu int64, need function.Bytes) function.Resources {
	r := function.Resources{CPU: function.MilliCPU(cpu)}
	mem := max(int64(need), int64(r.CPU.Cores()*1769*float64(function.MiB)))
	r.Memory = function.Bytes(s.Memory.SnapUp(s.Memory.Clamp(mem)))
	return r
}

// memoryNeeds returns what every function needs: its measured peak with some
// headroom, above what it was killed with; 0 where nothing was measured.
func memoryNeeds(p *tuner.Problem, history []tuner.Run) []function.Bytes {
	need := make([]function.Bytes, len(p.Functions))
	for _, r := range history {
		for _, inv := range r.Invocations {
			f := variable(p, inv.Stage)
			if f < 0 {
				continue
			}
			switch inv.Outcome {
			case function.OutcomeOK:
				need[f] = max(need[f], function.Bytes(1.1*float64(inv.PeakMemory)))
			case function.OutcomeOOM:
				need[f] = max(need[f], function.Bytes(1.25*float64(r.Configuration[f].Memory)))
			}
		}
	}
	return need
}

// sample is one observed service time at a size.
type sample struct{ cores, seconds float64 }

// samples returns what was observed of every function, in order of size.
func samples(p *tuner.Problem, history []tuner.Run) [][]sample {
	out := make([][]sample, len(p.Functions))
	for _, r := range history {
		for _, inv := range r.Invocations {
			if f := variable(p, inv.Stage); f >= 0 && inv.Outcome == function.OutcomeOK {
				out[f] = append(out[f], sample{r.Configuration[f].CPU.Cores(), inv.Seconds})
			}
		}
	}
	for _, s := range out {
		slices.SortStableFunc(s, func(a, b sample) int {
			switch {
			case a.cores < b.cores:
				return -1
			case a.cores > b.cores:
				return 1
			}
			return 0
		})
	}
	return out
}

// ladder returns the sizes of a function that a search goes through, at most
// levels of them.
func ladder(s function.Space, need function.Bytes, levels int) []function.Resources {
	var out []function.Resources
	for i := range levels {
		t := float64(i) / float64(levels-1)
		cpu := s.CPU.Snap(int64(math.Round(float64(s.CPU.Min) * math.Pow(float64(s.CPU.Max)/float64(s.CPU.Min), t))))
		if n := len(out); n > 0 && int64(out[n-1].CPU) == cpu {
			continue
		}
		out = append(out, sized(s, cpu, need))
	}
	return out
}
