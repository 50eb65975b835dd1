package pool

import "math"

// phaseBins is into how many parts of equal length a window is divided to
// remember in which of them a function is called first.
const phaseBins = 60

const (
	// phaseForget is the weight of the past at which half of it is forgotten.
	phaseForget = 64
	// phaseFade is how fast the evidence for a clock fades, by called window.
	phaseFade = 0.9
	// phaseLimit bounds the evidence, so that a clock that is set anew is noticed.
	phaseLimit = 5
	// phaseNone is the evidence from which on a function is taken to have no clock.
	phaseNone = 1
)

// phase is when in its windows a function is called first. Many functions are
// woken by a clock that strikes in the same second of every minute; the first
// calls of others fall as even arrivals do. The mixture of both is weighed by
// how well each foretold the calls that came.
type phase struct {
	count    [phaseBins]float32
	n        float32
	evidence float64 // log-odds of the clock against even arrivals
}

// add learns that the first of so many calls came after that share of the window.
func (p *phase) add(at float64, calls int) {
	bin := min(max(int(at*phaseBins), 0), phaseBins-1)
	// The chance of the first of n even calls to come in the bin.
	n := float64(max(calls, 1))
	even := math.Pow(1-float64(bin)/phaseBins, n) - math.Pow(1-float64(bin+1)/phaseBins, n)
	even = max(even, 1e-9)
	clock := (float64(p.count[bin]) + even) / (float64(p.n) + 1)
	p.evidence = min(max(phaseFade*p.evidence+math.Log(clock/even), -phaseLimit), phaseLimit)
	// A strike lies within a second or so of the last.
	p.count[bin] += 0.5
	p.count[(bin+1)%phaseBins] += 0.25
	p.count[(bin+phaseBins-1)%phaseBins] += 0.25
	if p.n++; p.n >= phaseForget {
		p.n /= 2
		for i := range p.count {
			p.count[i] /= 2
		}
	}
}

// known reports whether there is anything to know of the function's clock.
func (p *phase) known() bool { return p.n > 0 && p.evidence > phaseNone }

// span is a part of a window, in seconds from its plan, in which it is worth to
// have an instance, and what that saves in GB-seconds; 0 for none.
type span struct{ from, to, gain float64 }

// when returns the parts of a window in which an instance is worth its memory
// for the first call: the best that begins now, and the best of all. The window
// is called at all with the given likelihood, then so many times on average, and
// has not been called during its first passed seconds. An idle second costs gb, a
// cold start price. What an instance gains in a bin depends on no other: the
// chance that the first call comes there, less the chance that none came before.
func (p *phase) when(likely, calls, passed, window, gb, price float64) (now, best span) {
	var even [phaseBins]float64
	sum, x, ratio := 0.0, 1.0, math.Exp(-max(calls-1, 0)/phaseBins)
	for i := range even {
		even[i] = x
		sum += x
		x *= ratio
	}
	clock := 0.0
	if p.n > 0 {
		clock = 1 / (1 + math.Exp(-p.evidence))
	}
	width := window / phaseBins
	passed = min(max(passed, 0), window)
	begin := min(max(int(passed/width), 0), phaseBins-1)
	var runFrom, came float64
	run, prefix, norm := 0.0, 0.0, 1.0
	now.from, now.to = passed, passed
	for i := range even {
		f := even[i] / sum
		if clock > 0 {
			f = (1-clock)*f + clock*(float64(p.count[i])+f)/(float64(p.n)+1)
		}
		f *= likely
		if i < begin {
			came += f
			continue
		}
		if i == begin {
			norm = max(1-came, 1e-6)
			runFrom = passed
		}
		v := (price*f - gb*width*(1-came-f/2)) / norm
		came += f
		end := float64(i+1) * width
		if prefix += v; prefix > now.gain {
			now.to, now.gain = end, prefix
		}
		if run <= 0 {
			run, runFrom = 0, max(passed, end-width)
		}
		if run += v; run > best.gain {
			best = span{runFrom, end, run}
		}
	}
	return now, best
}
