package sim

import (
	"math/bits"
	"math/rand/v2"
	"time"

	"github.com/aquatope/aquatope/stats"
	"github.com/aquatope/aquatope/trace"
)

// Arrival is one invocation.
type Arrival struct {
	At       time.Duration // since the epoch
	Service  time.Duration // how long it keeps an instance busy
	Function int
}

// SpreadRule says in one sentence how Arrivals places invocations.
const SpreadRule = "The invocations of a minute are placed independently and uniformly within it (a Poisson process given its count); service times are drawn independently from the function's percentiles."

// Arrivals makes single invocations of the per-minute counts of a trace, by
// SpreadRule. It holds an hour at a time, whatever the length of the trace.
type Arrivals struct {
	t        *trace.Trace
	span     trace.Span
	minute   int
	random   *rand.Rand
	services []serviceTable
	hour     [][]cell
	hourFrom int
	batch    []Arrival
	scratch  []Arrival
	starts   []int32
}

type cell struct{ function, count int32 }

const (
	serviceSteps = 64
	nsPerMinute  = int64(time.Minute)
	hourMinutes  = 60
)

// serviceTable is a service-time distribution in ms at equal steps of
// probability, and in finer steps over the last of them, where the tail is.
type serviceTable struct{ bulk, tail [serviceSteps + 1]float32 }

// NewArrivals returns the arrivals of the minutes of span. All functions of the
// trace must have known durations (see trace.Complete). The epoch is minute 0
// of the trace. Equal arguments give equal arrivals.
func NewArrivals(t *trace.Trace, span trace.Span, seed uint64) *Arrivals {
	a := &Arrivals{t: t, span: span, minute: span.From, hourFrom: span.From - hourMinutes, random: stats.Stream(seed, "sim/arrivals")}
	a.services = make([]serviceTable, len(t.Functions))
	for i := range t.Functions {
		d, s := t.Functions[i].Duration, &a.services[i]
		for j := range s.bulk {
			p := float64(j) / serviceSteps
			s.bulk[j] = float32(max(0, d.Quantile(p)))
			s.tail[j] = float32(max(0, d.Quantile(1-(1-p)/serviceSteps)))
		}
	}
	return a
}

// Next returns the arrivals of the next minute in order of time, and the minute
// that it is; ok is false at the end of the span. The slice is reused.
func (a *Arrivals) Next() (batch []Arrival, minute int, ok bool) {
	if a.minute >= a.span.To {
		return nil, 0, false
	}
	if a.minute >= a.hourFrom+hourMinutes {
		a.loadHour()
	}
	m := a.minute
	a.minute++
	a.fill(a.hour[m-a.hourFrom], int64(m)*nsPerMinute)
	return a.batch, m, true
}

func (a *Arrivals) loadHour() {
	a.hourFrom = a.minute
	if a.hour == nil {
		a.hour = make([][]cell, hourMinutes)
	}
	for i := range a.hour {
		a.hour[i] = a.hour[i][:0]
	}
	for f := range a.t.Functions {
		for m, n := range a.t.Functions[f].Counts.In(trace.Span{From: a.hourFrom, To: a.hourFrom + hourMinutes}) {
			a.hour[m-a.hourFrom] = append(a.hour[m-a.hourFrom], cell{int32(f), int32(n)})
		}
	}
}

// fill draws the arrivals of one minute and sorts them: the times are uniform,
// so counting into as many buckets as there are arrivals leaves about one in each.
func (a *Arrivals) fill(cells []cell, from int64) {
	a.scratch = a.scratch[:0]
	for _, c := range cells {
		for range c.count {
			u := a.random.Uint64() // the upper half places, the lower serves
			at, _ := bits.Mul64(u&^(1<<32-1), uint64(nsPerMinute))
			a.scratch = append(a.scratch, Arrival{
				At: time.Duration(from + int64(at)), Function: int(c.function), Service: a.services[c.function].at(uint32(u)),
			})
		}
	}
	n := len(a.scratch)
	if cap(a.batch) < n {
		a.batch = make([]Arrival, n, n+n/4)
		a.starts = make([]int32, n+n/4+1)
	}
	a.batch = a.batch[:n]
	starts := a.starts[:n+1]
	clear(starts)
	bucket := func(x Arrival) int { return int((int64(x.At) - from) * int64(n) / nsPerMinute) }
	for i := range a.scratch {
		starts[bucket(a.scratch[i])+1]++
	}
	for i := 1; i <= n; i++ {
		starts[i] += starts[i-1]
	}
	for i := range a.scratch {
		b := bucket(a.scratch[i])
		a.batch[starts[b]] = a.scratch[i]
		starts[b]++
	}
	for i := 1; i < n; i++ {
		x := a.batch[i]
		j := i
		for j > 0 && a.batch[j-1].At > x.At {
			a.batch[j] = a.batch[j-1]
			j--
		}
		a.batch[j] = x
	}
}

// at returns the service time at the level u/2^32. It takes at least a
// microsecond, since the published durations round to 0 ms.
func (s *serviceTable) at(u uint32) time.Duration {
	const shift = 32 - 6 // 64 steps
	table, i := &s.bulk, u>>shift
	if i == serviceSteps-1 {
		table, u = &s.tail, u<<6
		i = u >> shift
	}
	f := float32(u&(1<<shift-1)) / (1 << shift)
	ms := table[i] + f*(table[i+1]-table[i])
	return max(time.Microsecond, time.Duration(float64(ms)*float64(time.Millisecond)))
}
