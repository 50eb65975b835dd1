// Package feature turns the history of a function into the inputs of the
// global models: numbers that mean the same for a function called twice a day
// and one called a thousand times a minute.
package feature

import (
	"math"
	"slices"

	"github.com/aquatope/aquatope/forecast"
)

// Names of the features, in order; see Tracker.Append for their meaning.
var names []string

// windows over which activity and demand are averaged, in minutes.
var spans = []int64{2, 3, 5, 10, 15, 30, 60, 120, 240, 480}

// lags at which activity is looked at one by one.
var lagList = []int64{1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60, 120, 180, 240, 360}

var multiples = []int64{5, 10, 15, 30, 60}

// Append computes the features of the next window of h, with which t is up
// to date.
func (t *Tracker) Append(x []float32, h *forecast.History) []float32 {
	now := h.Next()
	n := float64(h.Len())
	add := func(name string, v float64) {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			v = 0
		}
		x = append(x, float32(v))
		if collect {
			names = append(names, name)
		}
	}
	log := func(v float64) float64 { return math.Log1p(v) }
	age := float64(0)
	if t.active > 0 {
		age = float64(now - t.last)
	} else {
		age = n + 1
	}
	add("age", log(age))
	add("len", log(n))
	add("active", log(float64(t.active)))
	rate := (float64(t.active) + 0.2) / (n + 10)
	add("rate", math.Log(rate))
	// Gaps.
	for i := 1; i <= 4; i++ {
		g := -1.0
		if i <= t.ringLen {
			g = log(float64(t.ring[(t.ringAt-i+recent)%recent]))
		}
		add("gap", g)
	}
	var sorted [recent]float32
	k := copy(sorted[:], t.ring[:t.ringLen])
	slices.Sort(sorted[:k])
	q := func(p float64) float64 {
		if k == 0 {
			return -1
		}
		return float64(sorted[int(p*float64(k-1)+0.5)])
	}
	for _, p := range []float64{0.1, 0.5, 0.9, 1} {
		add("gapq", log(q(p)))
	}
	add("gapmean", t.gapMean)
	add("gapsd", math.Sqrt(t.gapVar))
	add("age/median", math.Log((age+0.5)/(math.Max(q(0.5), 0)+0.5)))
	add("age/q9", math.Log((age+0.5)/(math.Max(q(0.9), 0)+0.5)))
	add("age/last", math.Log((age+0.5)/(float64(max(t.ring[(t.ringAt-1+recent)%recent], 0))+0.5)))
	add("age z", (math.Log(math.Max(age, 1))-t.gapMean)/(math.Sqrt(t.gapVar)+0.1))
	// Recent gaps equal to or above the age.
	eq, near, ge := 0, 0, 0
	for i := range t.ringLen {
		d := float64(t.ring[i]) - age
		if d == 0 {
			eq++
		}
		if math.Abs(d) <= 1 {
			near++
		}
		if d >= 0 {
			ge++
		}
	}
	add("recent hazard", (float64(eq)+rate)/(float64(ge)+1))
	add("recent near", (float64(near)+3*rate)/(float64(ge)+1))
	add("recent survive", (float64(ge)+0.5)/(float64(t.ringLen)+1))
	// All gaps.
	var survive, at, around, upto uint32
	a := int(math.Min(age, maxGap+1))
	for g := a; g < len(t.gaps); g++ {
		survive += t.gaps[g]
	}
	at = t.gaps[a]
	for g := max(a-2, 1); g <= min(a+2, maxGap); g++ {
		around += t.gaps[g]
	}
	for g := a; g <= min(a+5, maxGap); g++ {
		upto += t.gaps[g]
	}
	if a > maxGap {
		at = 0
	}
	add("hazard", (float64(at)+rate)/(float64(survive)+1))
	add("hazard around", (float64(around)+5*rate)/(float64(survive)+5))
	add("hazard upto", (float64(upto)+6*rate)/(float64(survive)+6))
	add("survive", (float64(survive)+0.5)/float64(max(t.active, 1)))
	add("survivors", log(float64(survive)))
	// Runs.
	run := float64(0)
	if t.active > 0 && now-t.last == 1 {
		run = float64(t.last - t.runStart + 1)
		i := min(t.last-t.runStart, 31)
		add("run end", (float64(t.runEnds[i])+0.5)/(float64(t.runs[i])+1))
	} else {
		add("run end", -1)
	}
	add("run", log(run))
	// Rolling activity.
	for _, s := range spans {
		m := math.Min(float64(s), math.Max(n, 1))
		add("activity", float64(h.ActiveIn(now-s, now))/m)
	}
	for _, s := range []int64{1, 5, 15, 60, 240} {
		m := math.Min(float64(s), math.Max(n, 1))
		add("demand", log(h.Sum(now-s, now)/m))
	}
	// Demand relative to the running level.
	location, scale := t.Scale()
	add("location", location)
	add("scale", math.Log(scale))
	add("trend", (t.fast-t.slow)/scale)
	for _, l := range []int64{1, 2, 3, 5, 10, 15, 30, 60, 1440} {
		v := 0.0
		if c := h.At(now - l); c > 0 {
			v = math.Max(-5, math.Min(5, (log(c)-location)/scale))
		}
		add("relative", v)
	}
	top := 0.0
	for _, c := range h.In(now-30, now) {
		top = math.Max(top, c)
	}
	add("top", math.Max(-5, math.Min(5, (log(top)-location)/scale)))
	for i := 1; i <= 3; i++ {
		v := 0.0
		if c, ok := h.Last(i); ok {
			v = math.Max(-5, math.Min(5, (log(c)-location)/scale))
		}
		add("last", v)
	}
	// Lags.
	for _, l := range lagList {
		v := 0.0
		if h.At(now-l) > 0 {
			v = 1
		}
		add("lag", v)
	}
	// Multiples of usual periods.
	for _, p := range multiples {
		hit, of := 0.0, 0.0
		for i := int64(1); i <= 8 && now-i*p >= h.Start(); i++ {
			of++
			if h.At(now-i*p) > 0 {
				hit++
			}
		}
		add("multiples", (hit+rate)/(of+1))
	}
	// Phase of the hour.
	m := int(((now % hour) + hour) % hour)
	for _, p := range []int{2, 5, 10, 15, 20, 30, 60} {
		c := uint32(0)
		for i := m % p; i < hour; i += p {
			c += t.phases[i]
		}
		add("phase", (float64(c)*float64(p)+1)/(float64(t.active)+1))
	}
	add("minute", float64(m))
	add("minute5", float64(m%5))
	// Detected periods.
	for _, b := range t.best {
		if b.lag == 0 {
			for range 7 {
				add("period", -1)
			}
			continue
		}
		p := int64(b.lag)
		add("period", log(float64(b.lag)))
		add("period score", log(b.score))
		add("period rate", float64(t.lags[b.lag])/float64(t.active))
		hit, of, streak := 0.0, 0.0, 0.0
		for i := int64(1); i <= 10 && now-i*p >= h.Start(); i++ {
			of++
			if h.At(now-i*p) > 0 {
				hit++
				if streak == of-1 {
					streak++
				}
			}
		}
		add("period hits", (hit+rate)/(of+1))
		add("period streak", streak)
		add("period off", math.Min(age-float64(p), 20))
		add("period near", math.Min(float64(h.ActiveIn(now-p-1, now-p+2)), 3))
	}
	// Evidence of single lags.
	var ev, ev2 float64
	for w := range h.In(now-maxLag, now) {
		l := now - w
		r := float64(t.lags[l]) / (float64(t.active) + 3)
		if r > ev {
			ev, ev2 = r, ev
		} else if r > ev2 {
			ev2 = r
		}
	}
	add("evidence", ev)
	add("evidence2", ev2)
	return x
}

var collect bool

// Names returns the names of the features.
func Names() []string {
	if names == nil {
		collect = true
		NewTracker().Append(nil, forecast.NewHistory("", "", 0))
		collect = false
	}
	return names
}
