package trace

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// The distributions that Complete draws from are the fits that Shahrad et al.
// (Serverless in the Wild, USENIX ATC 2020, section 3) published for all of
// Azure Functions: mean execution time of a function log-normal with these
// parameters of the logarithm of seconds, average memory of an app Burr XII.
const (
	durationLogMean  = -0.38
	durationLogSigma = 2.36
	memoryBurrC      = 11.652
	memoryBurrK      = 0.221
	memoryBurrScale  = 107.083 // MB
	// withinSigma is the spread of the logarithm of single invocations around
	// their function's median, our assumption.
	withinSigma = 0.5
	// Drawn values are kept in the range that platforms allow.
	minDuration, maxDuration = 1.0, 300_000.0 // ms
	minMemory, maxMemory     = 32.0, 1536.0   // MB
)

// Complete draws the durations and memory that the trace lacks and notes what
// it drew and from where. All functions of an app whose memory is unknown get
// the same memory. Draws depend on the order of functions and r only.
func (t *Trace) Complete(r *rand.Rand) {
	var durations, memories int
	apps := map[ID]float64{}
	for i := range t.Functions {
		f := &t.Functions[i]
		// Both are drawn for every function, so that a file more or less does
		// not change what the other functions get.
		mean := math.Exp(durationLogMean+durationLogSigma*r.NormFloat64()) * 1000
		size := memoryBurrScale * math.Pow(math.Pow(1-r.Float64(), -1/memoryBurrK)-1, 1/memoryBurrC)
		if !f.Duration.Known() {
			f.Duration = logNormal(min(max(mean, minDuration), maxDuration))
			f.DurationDrawn = true
			durations++
		}
		if !f.Memory.Known() {
			app := f.ID
			app.Function = ""
			if f.App == "" {
				app.Function = f.Function
			}
			if known, ok := apps[app]; ok {
				size = known
			}
			apps[app] = size
			size = min(max(size, minMemory), maxMemory)
			f.Memory = Percentiles{Mean: size, Levels: []float64{0, 1}, Values: []float64{size, size}}
			f.MemoryDrawn = true
			memories++
		}
	}
	if durations > 0 {
		t.Notes = append(t.Notes, fmt.Sprintf(
			"Durations of %d of %d functions are not in the trace and were drawn: mean log-normal(%g, %g) s, within a function log-normal with sigma %g (Shahrad et al. 2020).",
			durations, len(t.Functions), durationLogMean, durationLogSigma, withinSigma))
	}
	if memories > 0 {
		t.Notes = append(t.Notes, fmt.Sprintf(
			"Memory of %d of %d functions is not in the trace and was drawn: Burr(c=%g, k=%g, scale=%g MB), within [%g, %g] MB (Shahrad et al. 2020).",
			memories, len(t.Functions), memoryBurrC, memoryBurrK, memoryBurrScale, minMemory, maxMemory))
	}
}

// logNormal tabulates a log-normal of the given mean in ms at the levels of the
// Azure trace.
func logNormal(mean float64) Percentiles {
	levels := []float64{0, 0.01, 0.25, 0.5, 0.75, 0.99, 1}
	z := []float64{-3, -2.326, -0.674, 0, 0.674, 2.326, 3}
	p := Percentiles{Mean: mean, Levels: levels, Values: make([]float64, len(z))}
	median := mean * math.Exp(-withinSigma*withinSigma/2)
	for i := range z {
		p.Values[i] = median * math.Exp(withinSigma*z[i])
	}
	return p
}
