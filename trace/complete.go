package trace

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// The distributions that Complete draws from. Memory of an app is Burr XII as
// Shahrad et al. (Serverless in the Wild, USENIX ATC 2020, section 3) fitted it
// to all of Azure Functions. The mean execution time of a function is log-normal
// around a median that falls with the function's busiest minute: the least
// squares fit to 402 functions of the Azure 2019 trace whose counts and
// durations are both known. Durations drawn regardless of the counts would let
// thousands of instances run at once, which no function of that sample does:
// in 99 % of them the invocations of the busiest minute keep no more than
// maxBusy instances busy, and the draw is truncated there.
const (
	durationLogMean  = -0.53
	durationLogPeak  = -0.36
	durationLogSigma = 2.5
	maxBusy          = 6.0
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
		mean := meanDuration(f.Counts.Max(), r.Float64())
		size := DrawMemory(r)
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
			f.Memory = Percentiles{Mean: size, Levels: []float64{0, 1}, Values: []float64{size, size}}
			f.MemoryDrawn = true
			memories++
		}
	}
	if durations > 0 {
		t.Notes = append(t.Notes, fmt.Sprintf(
			"Durations of %d of %d functions are not in the trace and were drawn: mean log-normal(%g %+g ln(busiest minute's count), %g) s, at most %g instances busy in that minute (fitted to functions of Azure 2019 with known durations); within a function log-normal with sigma %g.",
			durations, len(t.Functions), durationLogMean, durationLogPeak, durationLogSigma, maxBusy, withinSigma))
	}
	if memories > 0 {
		t.Notes = append(t.Notes, fmt.Sprintf(
			"Memory of %d of %d functions is not in the trace and was drawn: Burr(c=%g, k=%g, scale=%g MB), within [%g, %g] MB (Shahrad et al. 2020).",
			memories, len(t.Functions), memoryBurrC, memoryBurrK, memoryBurrScale, minMemory, maxMemory))
	}
}

// meanDuration returns, in ms, the mean duration at level u of functions with
// the given count in their busiest minute.
func meanDuration(peak int, u float64) float64 {
	logPeak := math.Log(math.Max(float64(peak), 1))
	center := durationLogMean + durationLogPeak*logPeak
	limit := math.Log(maxBusy*60) - logPeak
	// Inverse of the truncated normal distribution, kept off its poles.
	below := 0.5 * math.Erfc(-(limit-center)/durationLogSigma/math.Sqrt2)
	z := -math.Sqrt2 * math.Erfcinv(2*math.Min(math.Max(u*below, 1e-12), 1-1e-12))
	return math.Exp(math.Min(center+durationLogSigma*z, limit)) * 1000
}

// DrawMemory draws the memory of an app in MB from the distribution that
// Complete uses.
func DrawMemory(r *rand.Rand) float64 {
	size := memoryBurrScale * math.Pow(math.Pow(1-r.Float64(), -1/memoryBurrK)-1, 1/memoryBurrC)
	return min(max(size, minMemory), maxMemory)
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
