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
	for _, p := range t.best {
		w.period(v, p)
	}
	w.evidence(v)
	w.calendar(v)
}

// rolling is activity and demand in windows of several lengths.
func (w *view) rolling(v *vector) {
	for _, s := range [...]int64{2, 3, 5, 10, 15, 30, 60, 120, 240, 480} {
		m := math.Min(float64(s), math.Max(w.length, 1))
		v.add("activity", float64(w.h.ActiveIn(w.target-s, w.target))/m)
	}
	for _, s := range [...]int64{1, 5, 15, 60, 240} {
		m := math.Min(float64(s), math.Max(w.length, 1))
		v.add("demand", math.Log1p(w.h.Sum(w.target-s, w.target)/m))
	}
}

// relative is demand in units of the running level and spread.
func (w *view) relative(v *vector) {
	location, scale := w.Scale()
	v.add("location", location)
	v.add("scale", math.Log(scale))
	v.add("trend", (w.fast-w.slow)/scale)
	units := func(count float64) float64 {
		return math.Max(-5, math.Min(5, (math.Log1p(count)-location)/scale))
	}
	for _, l := range [...]int64{1, 2, 3, 5, 10, 15, 30, 60, 1440} {
		x := 0.0
		if c := w.h.At(w.target - l); c > 0 {
			x = units(c)
		}
		v.add("relative", x)
	}
	top := 0.0
	for _, c := range w.h.In(w.target-30, w.target) {
		top = math.Max(top, c)
	}
	v.add("top", units(top))
	for i := 1; i <= 3; i++ {
		x := 0.0
		if c, ok := w.h.Last(i); ok {
			x = units(c)
		}
		v.add("last", x)
	}
}

// lagged is whether single windows of the past were active.
func (w *view) lagged(v *vector) {
	for _, l := range [...]int64{1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60, 120, 180, 240, 360} {
		v.add("lag", indicator(w.h.At(w.target-l) > 0))
	}
}

func indicator(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
