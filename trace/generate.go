package trace

import (
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

// origin is a shape with its share of apps and the triggers of its entries.
type origin struct {
	shape   shape
	share   float64
	trigger []string
}

// The shares of the shapes and the triggers follow Shahrad et al. (2020,
// section 3) in order of magnitude: about a third of functions are timers, and
// most functions are called less than once a minute.
var origins = []origin{
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
	if err := g.check(); err != nil {
		return nil, err
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
	from := drawOrigin(r)
	entry := newEntry(from.shape, t.Minutes, r)
	calls := make([]int, t.Minutes)
	for m := range calls {
		calls[m] = entry.next(m)
	}
	for i := range size {
		f := Function{ID: appFunction(name, i), Trigger: from.drawTrigger(r)}
		if i > 0 {
			f.Trigger = callTrigger
			calls = downstream(calls, r)
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

// callTrigger is that of functions that are called by another.
const callTrigger = "orchestration"

func appFunction(app string, i int) ID {
	return ID{Owner: "owner" + app[3:], App: app, Function: fmt.Sprintf("%s-f%d", app, i)}
}

func drawOrigin(r *rand.Rand) origin {
	u, at := r.Float64(), 0
	for at < len(origins)-1 && u > origins[at].share {
		u -= origins[at].share
		at++
	}
	return origins[at]
}

func (o origin) drawTrigger(r *rand.Rand) string { return o.trigger[r.IntN(len(o.trigger))] }

// downstream returns the calls of a function by another.
func downstream(calls []int, r *rand.Rand) []int {
	c := newCallee(r)
	out := make([]int, len(calls))
	for m, n := range calls {
		out[m] = c.next(n)
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
