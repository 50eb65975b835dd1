package trace

import (
	"math"
	"math/rand/v2"
)

// entry draws the calls of an entry function, minute after minute.
type entry struct {
	shape   shape
	minutes int
	r       *rand.Rand

	// Of timers: the period, the calls of each strike, the share of those that
	// are skipped.
	period, calls int
	skipped       float64
	// Of bursts: mean minutes between them, mean calls a minute, minutes left of
	// the one under way.
	silence, height float64
	length          int
	at              int // when the next strike or burst is due

	// Of the others: calls a minute, and how they change.
	rate, daily, weekend, peak, spread, noise float64
	from, to                                  int
}

// newEntry draws how a function of that shape is called over so many minutes.
func newEntry(s shape, minutes int, r *rand.Rand) *entry {
	e := &entry{shape: s, minutes: minutes, r: r, to: minutes}
	switch s {
	case timer:
		periods := []int{1, 2, 5, 5, 10, 15, 15, 30, 60, 60, 120, 360, 1440}
		e.period, e.calls = periods[r.IntN(len(periods))], 1
		if r.Float64() < 0.15 {
			e.calls += r.IntN(20)
		}
		e.skipped = r.Float64() * 0.02
		e.at = r.IntN(e.period)
	case bursty:
		e.silence = 60 * math.Exp(3*r.Float64())
		e.height = math.Exp(1 + 4*r.Float64())
		e.await(0)
	case rare:
		e.rate = math.Exp(-4*r.Float64()) * 20 / MinutesPerDay
	default:
		if s == shortLived {
			e.from = r.IntN(minutes)
			e.to = e.from + r.IntN(minutes-e.from) + 1
		}
		// Mean calls a minute, heavy-tailed over functions.
		e.rate = math.Exp(-3.5 + 2.2*r.NormFloat64())
		e.daily, e.weekend, e.peak = r.Float64(), 0.3+0.7*r.Float64(), r.Float64()
		e.spread = 0.5 * r.Float64()
	}
	return e
}

// next returns the calls in minute m, one after the last that was asked for.
func (e *entry) next(m int) int {
	switch e.shape {
	case timer:
		if m != e.at {
			return 0
		}
		e.at += e.period
		if e.r.Float64() >= e.skipped {
			return e.calls
		}
		return 0
	case bursty:
		return e.burst(m)
	case rare:
		return poisson(e.rate, e.r)
	}
	if m < e.from || m >= e.to {
		return 0
	}
	phase := 2 * math.Pi * (float64(m%MinutesPerDay)/MinutesPerDay - e.peak)
	v := e.rate * math.Exp(1.2*e.daily*math.Cos(phase))
	if m/MinutesPerDay%7 >= 5 {
		v *= e.weekend
	}
	// Slow multiplicative noise: an autoregression of ten minutes.
	e.noise = 0.9*e.noise + e.spread*0.44*e.r.NormFloat64()
	return poisson(math.Min(v*math.Exp(e.noise), 1e6), e.r)
}

// await draws when the next burst after a minute begins.
func (e *entry) await(m int) { e.at = m + 1 + int(e.silence*e.r.ExpFloat64()) }

func (e *entry) burst(m int) int {
	if m < e.at {
		return 0
	}
	if m == e.at {
		e.length = 1 + int(10*e.r.ExpFloat64())
	}
	n := poisson(e.height*e.r.ExpFloat64(), e.r)
	if e.length--; e.length == 0 || m+1 == e.minutes {
		e.await(m + 1)
	}
	return n
}

// callee draws the calls of a function by another: each call leads, with a
// probability, to one or a few, now and then a minute later.
type callee struct {
	probability, late float64
	fan               int
	r                 *rand.Rand
	later             int // calls of the last minute that come in this
}

func newCallee(r *rand.Rand) *callee {
	c := &callee{probability: 0.3 + 0.7*r.Float64(), fan: 1, r: r}
	if r.Float64() < 0.2 {
		c.fan = 2 + r.IntN(4)
	}
	c.late = r.Float64() * 0.4
	return c
}

// next returns the calls of a minute in which the caller is called n times.
func (c *callee) next(n int) int {
	now := c.later
	c.later = 0
	if n > 0 {
		k := c.fan * binomial(n, c.probability, c.r)
		c.later = binomial(k, c.late, c.r)
		now += k - c.later
	}
	return min(now, MaxCount)
}
