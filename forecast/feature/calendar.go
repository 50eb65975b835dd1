package feature

import "math"

const (
	day  = 1440
	week = 7 * day
)

// calendar is what the function did at the same time of yesterday and of a week
// ago, and the time of day. Without a day of history it says nothing, so that a
// time of day never stands for the only day that was seen.
func (w *view) calendar(v *vector) {
	around := func(back, reach int64) (activity, demand float64) {
		from, to := w.target-back-reach, w.target-back+reach+1
		// What is not known yet, far ahead, is not idle.
		to = min(to, w.h.Next())
		if to-from <= 0 || from < w.h.Start() {
			return 0, 0
		}
		n := float64(to - from)
		return float64(w.h.ActiveIn(from, to)) / n, w.h.Sum(from, to) / n
	}
	units := func(count float64) float64 {
		if count == 0 {
			return 0
		}
		return w.units(count)
	}
	near, demand := around(day, 2)
	v.add("yesterday", near)
	v.add("yesterday's demand", units(demand))
	wide, _ := around(day, 30)
	v.add("yesterday's hour", wide)
	wide, demand = around(week, 30)
	v.add("last week's hour", wide)
	v.add("last week's demand", units(demand))
	sine, cosine := 0.0, 0.0
	if w.length >= day {
		sine, cosine = math.Sincos(2 * math.Pi * float64(((w.target%day)+day)%day) / day)
	}
	v.add("time of day, sine", sine)
	v.add("time of day, cosine", cosine)
}
