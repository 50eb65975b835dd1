package sim

import (
	"fmt"
	"math"
	"math/bits"
)

// Spread is a rule that places the invocations of a minute within it.
type Spread int

// The rules.
const (
	// Measured follows what the one public trace of Azure with single
	// invocations (2021) shows: clocks strike at the same second of their
	// minutes, isolated minutes are bursts of seconds, the rest is even.
	Measured Spread = iota
	// Uniform places every invocation independently: a Poisson process given
	// the count of each minute.
	Uniform
)

// ParseSpread returns the rule of that name: measured or uniform.
func ParseSpread(name string) (Spread, error) {
	for _, s := range []Spread{Measured, Uniform} {
		if s.String() == name {
			return s, nil
		}
	}
	return 0, fmt.Errorf("unknown rule of spreading %q: use measured or uniform", name)
}

// String returns the name of the rule.
func (s Spread) String() string {
	if s == Uniform {
		return "uniform"
	}
	return "measured"
}

// Describe says in whole sentences how invocations are placed.
func (s Spread) Describe() string {
	if s == Uniform {
		return "The invocations of a minute are placed independently and uniformly within it."
	}
	return "The invocations of a minute are placed as in the public Azure trace of single invocations (2021): " +
		"a function that repeats its count after the same number of minutes as before is a clock, which strikes at its own second of the minute, give or take half a second, and evenly if more than once; " +
		"several invocations in a minute between two idle ones are a burst from a uniform start, a second apart on average; " +
		"all others are independent and uniform."
}

// manner is how the invocations of one minute are placed.
type manner uint8

const (
	even manner = iota
	clock
	burst
)

const (
	jitterNs   = 0.5e9 // deviation of a clock
	burstGapNs = 1e9   // mean gap within a burst
)

// habit is what the rule needs to know of a function's past.
type habit struct{ last, gap, count int }

// next returns the manner of an active minute; following reports whether the
// minute after it is active as well.
func (h *habit) next(rule Spread, minute, count int, following func() bool) manner {
	gap := minute - h.last
	repeats := gap == h.gap && count == h.count
	isolated := gap > 1
	*h = habit{minute, gap, count}
	switch {
	case rule == Uniform:
		return even
	case repeats:
		return clock
	case count > 1 && isolated && !following():
		return burst
	}
	return even
}

// placement places the invocations of one cell one by one.
type placement struct {
	as       manner
	at, step int64
	gap      float64
}

func (a *Arrivals) place(c cell) placement {
	p := placement{as: c.as}
	switch c.as {
	case clock:
		p.at, p.step = a.phases[c.function], nsPerMinute/int64(c.count)
	case burst:
		// A burst ends within its minute: half of it at most is expected.
		p.gap = math.Min(burstGapNs, float64(nsPerMinute)/2/float64(c.count))
		length := p.gap * float64(c.count-1)
		p.at = int64(a.random.Float64() * (float64(nsPerMinute) - length))
	}
	return p
}

// next returns the offset of the next invocation, from 32 random bits.
func (p *placement) next(u uint64) int64 {
	switch p.as {
	case clock:
		at := p.at + int64(jitterNs*normal(u))
		p.at += p.step
		return (at%nsPerMinute + nsPerMinute) % nsPerMinute
	case burst:
		at := p.at
		p.at += int64(-p.gap * math.Log((float64(u)+0.5)/(1<<32)))
		return min(at, nsPerMinute-1)
	}
	at, _ := bits.Mul64(u<<32, uint64(nsPerMinute))
	return int64(at)
}

// normal is the standard normal quantile at the level u/2^32.
func normal(u uint64) float64 {
	return math.Sqrt2 * math.Erfinv(2*(float64(u)+0.5)/(1<<32)-1)
}
