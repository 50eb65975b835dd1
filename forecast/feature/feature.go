// Package feature turns the history of a function into the inputs of the
// global models: numbers that mean the same for a function called twice a day
// and one called a thousand times a minute.
package feature

import (
	"math"

	"github.com/aquatope/aquatope/forecast"
)

// view is what the groups of features look at.
type view struct {
	*Tracker
	h      *forecast.History
	target int64   // the window to predict
	length float64 // windows known
	age    float64 // windows since the last active one; longer than known without one
	rate   float64 // share of active windows, slightly smoothed
}

// Append appends the features of the window that is ahead windows after the
// next one of h, with which t is up to date.
func (t *Tracker) Append(x []float32, h *forecast.History, ahead int) []float32 {
	v := vector{x: x}
	t.write(&v, h, ahead)
	return v.x
}

func (t *Tracker) write(v *vector, h *forecast.History, ahead int) {
	w := view{Tracker: t, h: h, target: h.Next() + int64(ahead), length: float64(h.Len())}
	w.age = w.length + 1 + float64(ahead)
	if t.active > 0 {
		w.age = float64(w.target - t.last)
	}
	w.rate = (float64(t.active) + 0.2) / (w.length + 10)
	v.add("ahead", math.Log1p(float64(ahead)))
	v.add("age", math.Log1p(w.age))
	v.add("length", math.Log1p(w.length))
	v.add("active", math.Log1p(float64(t.active)))
	v.add("rate", math.Log(w.rate))
	w.gapStatistics(v)
	w.recentHazard(v)
	w.hazard(v)
	w.run(v)
	w.rolling(v)
	w.relative(v)
	w.lagged(v)
	w.repeated(v)
	w.phase(v)
	for i := range t.best {
		w.period(v, i)
	}
	w.evidence(v)
	w.calendar(v)
}

// rolling is activity and demand in windows of several lengths.
func (w *view) rolling(v *vector) {
	for _, s := range [...]int64{2, 3, 5, 10, 15, 30, 60, 120, 240, 480} {
		v.add("activity", float64(w.calls.from(w.target-s, w.seen))/min(float64(s), max(w.length, 1)))
	}
	for _, s := range [...]int64{1, 5, 15, 60, 240} {
		demand := 0.0
		if n := w.calls.from(w.target-s, w.seen); n > 0 {
			demand = math.Log1p(w.h.SumOfLast(n) / min(float64(s), max(w.length, 1)))
		}
		v.add("demand", demand)
	}
}

// relative is demand in units of the running level and spread.
func (w *view) relative(v *vector) {
	v.add("location", w.fast)
	v.add("scale", w.logScale)
	v.add("trend", (w.fast-w.slow)/w.scale)
	for _, l := range [...]int64{1, 2, 3, 5, 10, 15, 30, 60, 1440} {
		x := 0.0
		if at := w.target - l; w.called(at) {
			x = w.units(w.h.At(at))
		}
		v.add("relative", x)
	}
	top := 0.0
	for _, c := range w.h.In(w.target-30, w.target) {
		top = max(top, c)
	}
	v.add("top", w.units(top))
	for _, x := range w.lastUnits {
		v.add("last", x)
	}
}

// lagged is whether single windows of the past were active.
func (w *view) lagged(v *vector) {
	for _, l := range [...]int64{1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60, 120, 180, 240, 360} {
		v.add("lag", indicator(w.called(w.target-l)))
	}
}

func indicator(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
