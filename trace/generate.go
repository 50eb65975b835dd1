package trace

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
)

// Generator makes synthetic traces that have what real ones are made of: a few
// busy functions with a daily and weekly rhythm, many rare ones, timers, bursts,
// functions that come and go, and apps whose functions call each other.
type Generator struct {
	Functions int // at least 1
	Days      int // at least 1
}

// shape is how the first function of an app is called.
type shape int

const (
	rhythmic   shape = iota // Poisson around a daily and weekly rhythm, over-dispersed
	timer                   // every so many minutes
	bursty                  // long silence, then many calls for some minutes
	rare                    // a few calls a day at no particular time
	shortLived              // as rhythmic, but deployed late or removed early
)

// The shares of the shapes and the triggers follow Shahrad et al. (2020,
// section 3) in order of magnitude: about a third of functions are timers, and
// most functions are called less than once a minute.
var shapes = []struct {
	shape   shape
	share   float64
	trigger []string
}{
	{rhythmic, 0.35, []string{"http", "http", "queue", "event"}},
	{timer, 0.25, []string{"timer"}},
	{bursty, 0.12, []string{"queue", "event", "storage"}},
	{rare, 0.23, []string{"http", "storage", "others"}},
	{shortLived, 0.05, []string{"http"}},
}

// appSizes: most apps have one function, some are workflows of a few.
var appSizes = []int{1, 1, 1, 1, 1, 1, 2, 2, 3, 4, 6}

// Generate makes a trace from a random source. Durations and memory are
// complete, and the notes say that it is synthetic.
func (g Generator) Generate(r *rand.Rand) (*Trace, error) {
	if g.Functions < 1 || g.Days < 1 || g.Days > 366 {
		return nil, errors.New("a synthetic trace needs at least one function and 1 to 366 days")
	}
	t := &Trace{WeekdayKnown: true, Minutes: g.Days * MinutesPerDay}
	for app := 0; len(t.Functions) < g.Functions; app++ {
		size := min(appSizes[r.IntN(len(appSizes))], g.Functions-len(t.Functions))
		g.app(t, fmt.Sprintf("app%05d", app), size, r)
	}
	t.sort()
	t.Covered = Span{0, t.Minutes}
	t.Complete(r)
	t.Notes = append([]string{fmt.Sprintf("The trace is synthetic: %d functions, %d days.", g.Functions, g.Days)}, t.Notes...)
	return t, nil
}

// app adds an app: one entry function and size-1 that it calls.
func (g Generator) app(t *Trace, name string, size int, r *rand.Rand) {
	u, at := r.Float64(), 0
	for at < len(shapes)-1 && u > shapes[at].share {
		u -= shapes[at].share
		at++
	}
	kind := shapes[at]
	entry := arrivals(kind.shape, t.Minutes, r)
	calls := entry
	for i := range size {
		trigger := kind.trigger[r.IntN(len(kind.trigger))]
		if i > 0 {
			trigger = "orchestration"
			calls = downstream(calls, r)
		}
		f := Function{
			ID:      ID{Owner: "owner" + name[3:], App: name, Function: fmt.Sprintf("%s-f%d", name, i)},
			Trigger: trigger,
		}
		for m, n := range calls {
			f.Counts.Append(m, n)
		}
		if f.Counts.Active() == 0 {
			// A trace lists functions that were called.
			f.Counts.Append(r.IntN(t.Minutes), 1)
		}
		t.Functions = append(t.Functions, f)
	}
}

// downstream returns the calls of a function by another: each call leads, with a
// probability, to one or a few, now and then a minute later.
func downstream(calls []int, r *rand.Rand) []int {
	probability := 0.3 + 0.7*r.Float64()
	fan := 1
	if r.Float64() < 0.2 {
		fan = 2 + r.IntN(4)
	}
	late := r.Float64() * 0.4
	out := make([]int, len(calls))
	for m, n := range calls {
		if n == 0 {
			continue
		}
		k := fan * binomial(n, probability, r)
		later := binomial(k, late, r)
		out[m] += k - later
		if m+1 < len(out) {
			out[m+1] += later
		}
	}
	for m := range out {
		out[m] = min(out[m], MaxCount)
	}
	return out
}

// arrivals returns the calls of an entry function in every minute.
func arrivals(s shape, minutes int, r *rand.Rand) []int {
	out := make([]int, minutes)
	switch s {
	case timer:
		periods := []int{1, 2, 5, 5, 10, 15, 15, 30, 60, 60, 120, 360, 1440}
		p := periods[r.IntN(len(periods))]
		n := 1
		if r.Float64() < 0.15 {
			n += r.IntN(20)
		}
		skipped := r.Float64() * 0.02
		for m := r.IntN(p); m < minutes; m += p {
			if r.Float64() >= skipped {
				out[m] = n
			}
		}
	case bursty:
		silence := 60 * math.Exp(3*r.Float64()) // mean minutes between bursts
		height := math.Exp(1 + 4*r.Float64())
		for m := 0; ; {
			m += 1 + int(silence*r.ExpFloat64())
			if m >= minutes {
				break
			}
			for length := 1 + int(10*r.ExpFloat64()); length > 0 && m < minutes; length-- {
				out[m] = poisson(height*r.ExpFloat64(), r)
				m++
			}
		}
	case rare:
		rate := math.Exp(-4*r.Float64()) * 20 / MinutesPerDay
		for m := range out {
			out[m] = poisson(rate, r)
		}
	default:
		from, to := 0, minutes
		if s == shortLived {
			from = r.IntN(minutes)
			to = from + r.IntN(minutes-from) + 1
		}
		// Mean calls a minute, heavy-tailed over functions.
		rate := math.Exp(-3.5 + 2.2*r.NormFloat64())
		daily, weekend, peak := r.Float64(), 0.3+0.7*r.Float64(), r.Float64()
		noise := 0.0
		spread := 0.5 * r.Float64()
		for m := from; m < to; m++ {
			phase := 2 * math.Pi * (float64(m%MinutesPerDay)/MinutesPerDay - peak)
			v := rate * math.Exp(1.2*daily*math.Cos(phase))
			if m/MinutesPerDay%7 >= 5 {
				v *= weekend
			}
			// Slow multiplicative noise: an autoregression of ten minutes.
			noise = 0.9*noise + spread*0.44*r.NormFloat64()
			out[m] = poisson(math.Min(v*math.Exp(noise), 1e6), r)
		}
	}
	return out
}

// poisson draws from a Poisson distribution: by multiplication where the mean
// is small, else by the rounded normal approximation.
func poisson(mean float64, r *rand.Rand) int {
	if mean > 30 {
		return max(0, int(math.Round(mean+math.Sqrt(mean)*r.NormFloat64())))
	}
	limit, k := math.Exp(-mean), 0
	for p := r.Float64(); p > limit; p *= r.Float64() {
		k++
	}
	return k
}

// binomial draws how many of n happen, each with probability p.
func binomial(n int, p float64, r *rand.Rand) int {
	if n > 100 {
		k := math.Round(float64(n)*p + math.Sqrt(float64(n)*p*(1-p))*r.NormFloat64())
		return min(max(int(k), 0), n)
	}
	k := 0
	for range n {
		if r.Float64() < p {
			k++
		}
	}
	return k
}
