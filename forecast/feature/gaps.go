package feature

import (
	"math"
)

// gapStatistics is the last gaps between active windows, their quantiles, and
// the present one relative to them.
func (w *view) gapStatistics(v *vector) {
	for _, l := range w.gapLogs {
		v.add("gap", l)
	}
	for _, l := range w.quantileLogs {
		v.add("gap quantile", l)
	}
	v.add("gap mean", w.gapMean)
	v.add("gap deviation", w.gapDeviation)
	v.add("age over median", math.Log((w.age+0.5)/(w.quantiles[1]+0.5)))
	v.add("age over 0.9-quantile", math.Log((w.age+0.5)/(w.quantiles[2]+0.5)))
	v.add("age over last", math.Log((w.age+0.5)/(w.gap(1)+0.5)))
	v.add("age in deviations", (math.Log(max(w.age, 1))-w.gapMean)/(w.gapDeviation+0.1))
}

// recentHazard is how the last gaps ended that came as far as the present one:
// just here, about here, or later.
func (w *view) recentHazard(v *vector) {
	// The gaps are in order, and counts of windows, as the age is.
	equal, near, later, age := 0.0, 0.0, 0.0, float32(w.age)
	for i := w.ringLen - 1; i >= 0 && w.sorted[i] >= age-1; i-- {
		d := w.sorted[i] - age
		equal += indicator(d == 0)
		near += indicator(d <= 1)
		later += indicator(d >= 0)
	}
	v.add("recent hazard", (equal+w.rate)/(later+1))
	v.add("recent hazard near", (near+3*w.rate)/(later+1))
	v.add("recent survival", (later+0.5)/(float64(w.ringLen)+1))
}

// hazard is the same over all gaps, with several widths of "here".
func (w *view) hazard(v *vector) {
	a := int(min(w.age, maxGap+1))
	count := func(from, to int) (n float64) {
		for g := max(from, 1); g <= min(to, maxGap); g++ {
			n += float64(w.gaps.at(g))
		}
		return n
	}
	survived := 0.0 // of all gaps, one less than active windows
	if a > maxGap/2 {
		survived = count(a, maxGap) + float64(w.gaps.at(maxGap+1))
	} else if w.active > 0 {
		survived = float64(w.active) - 1 - count(1, a-1)
	}
	v.add("hazard", (count(a, a)+w.rate)/(survived+1))
	v.add("hazard around", (count(a-2, a+2)+5*w.rate)/(survived+5))
	v.add("hazard soon", (count(a, a+5)+6*w.rate)/(survived+6))
	v.add("survival", (survived+0.5)/max(float64(w.active), 1))
	v.add("survivors", math.Log1p(survived))
}

// run is how long the present run of active windows lasts, and how often runs of
// that length ended.
func (w *view) run(v *vector) {
	length, end := 0.0, -1.0
	if w.active > 0 && w.h.Next()-w.last == 1 {
		length = float64(w.last - w.runStart + 1)
		i := min(w.last-w.runStart, maxRun)
		end = (float64(w.runEnds[i]) + 0.5) / (float64(w.runs[i]) + 1)
	}
	v.add("run end", end)
	v.add("run", math.Log1p(length))
}
