package feature

import (
	"math"
	"slices"
)

// gapStatistics is the last gaps between active windows, their quantiles, and
// the present one relative to them.
func (w *view) gapStatistics(v *vector) {
	last := func(i int) float64 { return float64(w.ring[(w.ringAt-i+recent)%recent]) }
	for i := 1; i <= 4; i++ {
		g := -1.0
		if i <= w.ringLen {
			g = math.Log1p(last(i))
		}
		v.add("gap", g)
	}
	var sorted [recent]float32
	k := copy(sorted[:], w.ring[:w.ringLen])
	slices.Sort(sorted[:k])
	quantile := func(p float64) float64 {
		if k == 0 {
			return 0
		}
		return float64(sorted[int(p*float64(k-1)+0.5)])
	}
	for _, p := range [...]float64{0.1, 0.5, 0.9, 1} {
		v.add("gap quantile", math.Log1p(quantile(p)))
	}
	v.add("gap mean", w.gapMean)
	v.add("gap deviation", math.Sqrt(w.gapVar))
	v.add("age over median", math.Log((w.age+0.5)/(quantile(0.5)+0.5)))
	v.add("age over 0.9-quantile", math.Log((w.age+0.5)/(quantile(0.9)+0.5)))
	v.add("age over last", math.Log((w.age+0.5)/(last(1)+0.5)))
	v.add("age in deviations", (math.Log(math.Max(w.age, 1))-w.gapMean)/(math.Sqrt(w.gapVar)+0.1))
}

// recentHazard is how the last gaps ended that came as far as the present one:
// just here, about here, or later.
func (w *view) recentHazard(v *vector) {
	equal, near, later := 0.0, 0.0, 0.0
	for i := range w.ringLen {
		d := float64(w.ring[i]) - w.age
		equal += indicator(d == 0)
		near += indicator(math.Abs(d) <= 1)
		later += indicator(d >= 0)
	}
	v.add("recent hazard", (equal+w.rate)/(later+1))
	v.add("recent hazard near", (near+3*w.rate)/(later+1))
	v.add("recent survival", (later+0.5)/(float64(w.ringLen)+1))
}

// hazard is the same over all gaps, with several widths of "here".
func (w *view) hazard(v *vector) {
	a := int(math.Min(w.age, maxGap+1))
	count := func(from, to int) (n float64) {
		for g := max(from, 1); g <= min(to, maxGap); g++ {
			n += float64(w.gaps[g])
		}
		return n
	}
	survived := count(a, maxGap) + float64(w.gaps[maxGap+1])
	v.add("hazard", (count(a, a)+w.rate)/(survived+1))
	v.add("hazard around", (count(a-2, a+2)+5*w.rate)/(survived+5))
	v.add("hazard soon", (count(a, a+5)+6*w.rate)/(survived+6))
	v.add("survival", (survived+0.5)/math.Max(float64(w.active), 1))
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
