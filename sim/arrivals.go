package sim

import (
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

// Arrivals makes single invocations of the per-minute counts of a trace, by a
// rule of spreading. It holds an hour at a time, whatever the length of the trace.
type Arrivals struct {
	t        *trace.Trace
	load     func(trace.Span) // the counts of these minutes; nil when all are there
	span     trace.Span
	minute   int
	random   *rand.Rand
	spread   Spread
	services []serviceTable
	phases   []int64 // offset of each function's clock in the minute, ns
	habits   []habit // of each function, as of the hour that is loaded
	hour     [][]cell
	hourFrom int
	batch    []Arrival
	scratch  []Arrival
	starts   []int32
}

// cell is the count of one function in one minute, and how it is spread.
type cell struct {
	function, count int32
	as              manner
}

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
func NewArrivals(t *trace.Trace, span trace.Span, rule Spread, seed uint64) *Arrivals {
	a := &Arrivals{t: t, span: span, minute: span.From, hourFrom: span.From - hourMinutes, spread: rule, random: stats.Stream(seed, "sim/arrivals")}
	phases := stats.Stream(seed, "sim/phases")
	a.phases, a.habits = make([]int64, len(t.Functions)), make([]habit, len(t.Functions))
	a.services = make([]serviceTable, len(t.Functions))
	for i := range t.Functions {
		a.phases[i], a.habits[i] = phases.Int64N(nsPerMinute), habit{last: span.From - 1}
		d, s := t.Functions[i].Duration, &a.services[i]
		for j := range s.bulk {
			p := float64(j) / serviceSteps
			s.bulk[j] = float32(max(0, d.Quantile(p)))
			s.tail[j] = float32(max(0, d.Quantile(1-(1-p)/serviceSteps)))
		}
	}
	return a
}

// NewStreamArrivals returns the arrivals of all minutes of a stream, which is at
// its beginning and serves nobody else.
func NewStreamArrivals(s *trace.Stream, rule Spread, seed uint64) *Arrivals {
	a := NewArrivals(s.Trace, s.Trace.Covered, rule, seed)
	a.load = s.Load
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
	if a.load != nil {
		a.load(trace.Span{From: a.hourFrom, To: a.hourFrom + hourMinutes + 1}) // how a minute is filled depends on the next
	}
	if a.hour == nil {
		a.hour = make([][]cell, hourMinutes)
	}
	for i := range a.hour {
		a.hour[i] = a.hour[i][:0]
	}
	for f := range a.t.Functions {
		counts := &a.t.Functions[f].Counts
		for m, n := range counts.In(trace.Span{From: a.hourFrom, To: a.hourFrom + hourMinutes}) {
			as := a.habits[f].next(a.spread, m, n, func() bool { return counts.At(m+1) > 0 })
			a.hour[m-a.hourFrom] = append(a.hour[m-a.hourFrom], cell{int32(f), int32(n), as})
		}
	}
}

// fill draws the arrivals of one minute and sorts them: the times of all
// functions together are nearly uniform, so that counting into as many buckets
// as there are arrivals leaves about one in each.
func (a *Arrivals) fill(cells []cell, from int64) {
	a.scratch = a.scratch[:0]
	for _, c := range cells {
		s := a.place(c)
		for range c.count {
			u := a.random.Uint64() // the upper half places, the lower serves
			a.scratch = append(a.scratch, Arrival{
				At: time.Duration(from + s.next(u>>32)), Function: int(c.function), Service: a.services[c.function].at(uint32(u)),
			})
		}
	}
	n := len(a.scratch)
	if n == 0 {
		a.batch = a.batch[:0]
		return
	}
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
