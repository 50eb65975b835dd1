package experiment

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/aquatope/aquatope/sim"
	"github.com/aquatope/aquatope/sim/flow"
	"github.com/aquatope/aquatope/stats"
	"github.com/aquatope/aquatope/trace"
)

// The rule by which series of the trace are laid on workflows. Called more
// often, a function always has a warm instance; called less, too few runs are
// left to judge a percentile by.
const (
	leastPerMinute = 0.1
	mostPerMinute  = 20.0
	fewestPerHalf  = 60 // invocations in each half of the period
	// longestPeriod bounds the minutes of a trace that are used, from the first
	// that it covers.
	longestPeriod = 2 * trace.MinutesPerDay
)

func seriesRule(workflows int) string {
	return fmt.Sprintf("Arrivals are series of the trace with %g to %g invocations a minute and at least %d in each half of the period, which is what the trace covers, two days at most. "+
		"The logarithm of the rate is divided into %d equal ranges; with seed s the workflow numbered w takes a series, drawn by the seed, of the range numbered (w+s) mod %[4]d, or of the nearest range that has one. "+
		"The first half is for training and tuning, the second is judged.", leastPerMinute, mostPerMinute, fewestPerHalf, workflows)
}

// period is what is used of a trace, and where judging begins.
func period(t *trace.Trace) (all trace.Span, judged trace.Span) {
	all = trace.Span{From: t.Covered.From, To: min(t.Covered.To, t.Covered.From+longestPeriod)}
	return all, trace.Span{From: (all.From + all.To) / 2, To: all.To}
}

// chooseSeries returns a function of the trace for each of so many workflows.
func chooseSeries(t *trace.Trace, workflows int, seed uint64) ([]*trace.Function, error) {
	all, judged := period(t)
	training := trace.Span{From: all.From, To: judged.From}
	strata := make([][]*trace.Function, workflows)
	width := math.Log(mostPerMinute/leastPerMinute) / float64(workflows)
	for i := range t.Functions {
		f := &t.Functions[i]
		a, b := f.Counts.Sum(training), f.Counts.Sum(judged)
		rate := float64(a+b) / float64(all.Len())
		if a < fewestPerHalf || b < fewestPerHalf || rate < leastPerMinute || rate >= mostPerMinute {
			continue
		}
		k := min(int(math.Log(rate/leastPerMinute)/width), workflows-1)
		strata[k] = append(strata[k], f)
	}
	r := stats.Stream(seed, "experiment/endtoend/series")
	for _, s := range strata {
		r.Shuffle(len(s), func(i, j int) { s[i], s[j] = s[j], s[i] })
	}
	out := make([]*trace.Function, workflows)
	for w := range out {
		want := (w + int(seed)) % workflows
		best := -1
		for k, s := range strata {
			if len(s) > 0 && (best < 0 || abs(k-want) < abs(best-want)) {
				best = k
			}
		}
		if best < 0 {
			return nil, fmt.Errorf("choosing series: the trace has %d usable ones for %d workflows, with %g to %g invocations a minute and at least %d in each half of minutes %d to %d",
				slices.IndexFunc(out, func(f *trace.Function) bool { return f == nil }), workflows, leastPerMinute, mostPerMinute, fewestPerHalf, all.From, all.To)
		}
		out[w] = strata[best][0]
		strata[best] = strata[best][1:]
	}
	return out, nil
}

func abs(i int) int { return max(i, -i) }

// arrivalsOf places the runs that a series starts.
func arrivalsOf(t *trace.Trace, f *trace.Function, span trace.Span, seed uint64) []flow.Arrival {
	one := *t
	one.Functions = []trace.Function{*f}
	one.Functions[0].Duration = trace.Percentiles{Mean: 1, Levels: []float64{0, 1}, Values: []float64{1, 1}} // not used
	source := sim.NewArrivals(&one, span, sim.Measured, seed)
	var out []flow.Arrival
	for {
		batch, _, ok := source.Next()
		if !ok {
			return out
		}
		for _, a := range batch {
			out = append(out, flow.Arrival{At: a.At})
		}
	}
}

// within returns the arrivals of some minutes.
func within(arrivals []flow.Arrival, s trace.Span) []flow.Arrival {
	at := func(minute int) int {
		i, _ := slices.BinarySearchFunc(arrivals, instant(minute), func(a flow.Arrival, t time.Duration) int { return int(a.At - t) })
		return i
	}
	return arrivals[at(s.From):at(s.To)]
}
