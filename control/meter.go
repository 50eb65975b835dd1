package control

import (
	"sync"
	"time"
)

// Meter counts the invocations of every function exactly: how many came, how
// many were at work at once, and on average. It is safe for concurrent use. Its
// cost is a lock and a few additions for each invocation.
type Meter struct {
	mu        sync.Mutex
	functions map[string]*usage
	events    chan Event
	dropped   int64
}

// Call names an invocation: the function and, of one that belongs to a run of a
// workflow, the run and the path of the stage.
type Call struct {
	Function             string
	Run, Workflow, Stage string
}

// EventKind says what an Event tells of.
type EventKind int

// The kinds of events.
const (
	CallBegan EventKind = iota
	CallEnded
	RunOver // only Run is set
)

// Event tells that an invocation began or ended, or that a run is over.
type Event struct {
	Call
	Kind   EventKind
	At     time.Time
	AtWork int // invocations of the function that have begun and not ended, after the event
}

// Usage is what a Meter counted since it was asked last.
type Usage struct {
	Arrivals int     // invocations that began
	Peak     int     // largest number at work at once
	Load     float64 // mean number at work
	AtWork   int     // now
}

type usage struct {
	Usage
	work  float64 // invocation-seconds up to since
	since time.Time
	from  time.Time
}

// eventQueue bounds the events that wait for the loop. Those beyond are dropped:
// they refine decisions between plans, and plans rest on the exact counts.
const eventQueue = 4096

// NewMeter returns a meter that counted nothing.
func NewMeter() *Meter {
	return &Meter{functions: map[string]*usage{}, events: make(chan Event, eventQueue)}
}

// Events carries what begins and ends.
func (m *Meter) Events() <-chan Event { return m.events }

// Dropped is how many events nobody had room for.
func (m *Meter) Dropped() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.dropped
}

// Begin counts an invocation that arrives.
func (m *Meter) Begin(c Call, now time.Time) { m.count(c, now, CallBegan) }

// End counts an invocation that Begin counted and that has ended.
func (m *Meter) End(c Call, now time.Time) { m.count(c, now, CallEnded) }

// RunOver tells that nothing more comes of a run.
func (m *Meter) RunOver(run string, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tell(Event{Call: Call{Run: run}, Kind: RunOver, At: now})
}

// Elsewhere counts an invocation that arrives and keeps none of the instances busy
// that serve the function. It is demand as any, of which a later one may be served
// by them, and no event.
func (m *Meter) Elsewhere(fn string, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.usage(fn, now).Arrivals++
}

// usage returns what is counted of a function, up to now.
func (m *Meter) usage(fn string, now time.Time) *usage {
	u := m.functions[fn]
	if u == nil {
		u = &usage{since: now, from: now}
		m.functions[fn] = u
	}
	u.advance(now)
	return u
}

func (m *Meter) count(c Call, now time.Time, kind EventKind) {
	m.mu.Lock()
	defer m.mu.Unlock()
	u := m.usage(c.Function, now)
	if kind == CallEnded {
		u.AtWork--
	} else {
		u.AtWork++
		u.Arrivals++
		u.Peak = max(u.Peak, u.AtWork)
	}
	m.tell(Event{Call: c, Kind: kind, At: now, AtWork: u.AtWork})
}

// tell queues an event if there is room.
func (m *Meter) tell(e Event) {
	select {
	case m.events <- e:
	default:
		m.dropped++
	}
}

// advance accounts for the work until now. Times that go back add nothing.
func (u *usage) advance(now time.Time) {
	if d := now.Sub(u.since).Seconds(); d > 0 {
		u.work += d * float64(u.AtWork)
		u.since = now
	}
}

// Take returns what was counted of each function since the last call and
// begins anew. Functions of which nothing was counted are left out.
func (m *Meter) Take(now time.Time) map[string]Usage {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := make(map[string]Usage, len(m.functions))
	for fn, u := range m.functions {
		u.advance(now)
		if d := now.Sub(u.from).Seconds(); d > 0 {
			u.Load = u.work / d
		}
		out[fn] = u.Usage
		if u.Arrivals == 0 && u.AtWork == 0 {
			delete(m.functions, fn) // so that functions that are gone cost nothing
			continue
		}
		*u = usage{Usage: Usage{AtWork: u.AtWork, Peak: u.AtWork}, since: now, from: now}
	}
	return out
}
