package tuner

import (
	"math"

	"github.com/aquatope/aquatope/function"
)

// evidence is what a history says of one variable.
type evidence struct {
	resources []function.Resources
	logTime   []float64
	censored  []bool // the invocation was stopped: it would have taken longer
	run       []int  // that each belongs to
	input     []int  // of that run, see Run.Input
	ok, bad   int    // invocations that worked and that did not

	effect *inputEffects // on the log times, which it was taken out of; nil without inputs

	floor function.Bytes // memory that is known or strongly believed to be needed
}

// size returns how large the noise of an observation is, relative to that of the
// variable: its input may be steadier than others.
func (e evidence) size(i int) float64 {
	if e.effect == nil || e.input[i] == 0 {
		return 1
	}
	return e.effect.size[e.input[i]-1]
}

// headroom is how much more than the measured peak a function is given.
const headroom = 1.05

// gather sorts the invocations of a history by variable.
func gather(p *Problem, history []Run) []evidence {
	of, n := p.variables()
	all := make([]evidence, n)
	peaks := make([][]usage, n)
	killed := make([][]function.Kill, n)
	for run, r := range history {
		for _, inv := range r.Invocations {
			v := of[inv.Stage]
			e := &all[v]
			var res function.Resources
			if v < len(p.Functions) {
				res = r.Configuration[v]
			}
			switch inv.Outcome {
			case function.OutcomeOK, function.OutcomeTimeout:
				e.resources = append(e.resources, res)
				e.logTime = append(e.logTime, math.Log(math.Max(inv.Seconds, 1e-9)))
				e.censored = append(e.censored, inv.Outcome == function.OutcomeTimeout)
				e.run = append(e.run, run)
				e.input = append(e.input, r.Input)
			case function.OutcomeOOM:
				killed[v] = append(killed[v], function.Kill{Peak: inv.PeakMemory, Limit: res.Memory})
			}
			if inv.Outcome == function.OutcomeOK {
				e.ok++
				if inv.PeakMemory > 0 {
					peaks[v] = append(peaks[v], usage{inv.PeakMemory, res.Memory})
				}
			} else {
				e.bad++
			}
		}
	}
	explainInputs(p, all)
	for v := range p.Functions {
		all[v].floor = memoryFloor(p.Functions[v].Space.Memory, all[v], needed(peaks[v]), function.TooLittle(killed[v]))
	}
	return all
}

// usage is the peak memory of one invocation and the limit it ran under.
type usage struct{ peak, limit function.Bytes }

// needed returns the memory that invocations are seen to need, 0 if none was
// measured. A peak far below the limit is a need, and inputs differ, so the
// largest counts. A peak near the limit may be a cache that fills what it is
// given: if there are only such, the least counts.
func needed(seen []usage) function.Bytes {
	const full = 0.8
	var need, least function.Bytes
	for _, u := range seen {
		if float64(u.peak) < full*float64(u.limit) {
			need = max(need, u.peak)
		}
		if least == 0 || u.peak < least {
			least = u.peak
		}
	}
	if need == 0 {
		return least
	}
	return need
}

// memoryFloor returns the least memory worth trying: what is needed and some
// headroom. Whatever worked is allowed; what was killed is not, nor less.
func memoryFloor(space function.Range, e evidence, need, killed function.Bytes) function.Bytes {
	floor := space.Min
	if need > 0 {
		floor = max(floor, space.SnapUp(int64(float64(need)*headroom)))
		for i, r := range e.resources {
			if !e.censored[i] {
				floor = min(floor, int64(r.Memory))
			}
		}
	}
	if killed > 0 && floor <= int64(killed) {
		floor = space.SnapUp(int64(killed) + 1)
	}
	return function.Bytes(min(max(floor, space.Min), space.Max))
}
