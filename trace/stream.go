package trace

import (
	"errors"
	"fmt"
	"math/rand/v2"
)

// Stream is a synthetic trace that is made while it is read. Of its counts it
// holds those that were loaded last, so that its size does not depend on its
// length.
type Stream struct {
	// Trace has all functions, complete, and the counts of the minutes that were
	// loaded last.
	Trace *Trace
	// Invocations is their number in all minutes, Busiest that of the busiest
	// minute of each function.
	Invocations int64
	Busiest     []int

	seed  uint64
	apps  []app
	drawn int // minutes
}

// app makes the calls of the functions of one app, which are numbered from first
// on.
type app struct {
	first   int
	entry   *entry
	callees []*callee
}

// Stream makes a trace of the same kind as Generate, function for function from
// a random source of its own. It makes all counts once, to know the busiest
// minutes, which durations depend on, and forgets them.
func (g Generator) Stream(seed uint64) (*Stream, error) {
	if err := g.check(); err != nil {
		return nil, err
	}
	t := &Trace{WeekdayKnown: true, Minutes: g.Days * MinutesPerDay, Functions: make([]Function, 0, g.Functions)}
	t.Covered = Span{0, t.Minutes}
	s := &Stream{Trace: t, seed: seed, Busiest: make([]int, g.Functions)}
	r := rand.New(rand.NewPCG(seed, 0))
	for number := 0; len(t.Functions) < g.Functions; number++ {
		size := min(appSizes[r.IntN(len(appSizes))], g.Functions-len(t.Functions))
		for i := range size {
			t.Functions = append(t.Functions, Function{ID: appFunction(fmt.Sprintf("app%05d", number), i)})
		}
		s.apps = append(s.apps, app{first: len(t.Functions) - size, callees: make([]*callee, size-1)})
	}
	s.rewind()
	for range t.Minutes {
		s.minute(func(f, _, n int) {
			s.Busiest[f] = max(s.Busiest[f], n)
			s.Invocations += int64(n)
		})
	}
	for f, n := range s.Busiest {
		t.Functions[f].Counts.Append(0, n)
	}
	t.Complete(r)
	t.Notes = append([]string{fmt.Sprintf("The trace is synthetic: %d functions, %d days.", g.Functions, g.Days)}, t.Notes...)
	s.rewind()
	return s, nil
}

func (g Generator) check() error {
	if g.Functions < 1 || g.Days < 1 || g.Days > 366 {
		return errors.New("a synthetic trace needs at least one function and 1 to 366 days")
	}
	return nil
}

// rewind begins anew.
func (s *Stream) rewind() {
	s.drawn = 0
	for i := range s.apps {
		a := &s.apps[i]
		r := rand.New(rand.NewPCG(s.seed, uint64(i)+1))
		from := drawOrigin(r)
		s.Trace.Functions[a.first].Trigger = from.drawTrigger(r)
		a.entry = newEntry(from.shape, s.Trace.Minutes, r)
		for j := range a.callees {
			s.Trace.Functions[a.first+j+1].Trigger = callTrigger
			a.callees[j] = newCallee(r)
		}
	}
	for i := range s.Trace.Functions {
		s.Trace.Functions[i].Counts = Counts{}
	}
}

// minute draws the next minute and calls add for every function that is called.
func (s *Stream) minute(add func(function, minute, n int)) {
	m := s.drawn
	for i := range s.apps {
		a := &s.apps[i]
		n := a.entry.next(m)
		if n > 0 {
			add(a.first, m, n)
		}
		for j, c := range a.callees {
			if n = c.next(n); n > 0 {
				add(a.first+j+1, m, n)
			}
		}
	}
	s.drawn++
}

// Load makes the trace hold the counts of a span, and forget those before it.
// Spans are loaded in order; they may overlap.
func (s *Stream) Load(span Span) {
	for i := range s.Trace.Functions {
		s.Trace.Functions[i].Counts.forget(span.From)
	}
	for s.drawn < min(span.To, s.Trace.Minutes) {
		s.minute(func(f, m, n int) {
			if m >= span.From {
				s.Trace.Functions[f].Counts.Append(m, n)
			}
		})
	}
}
