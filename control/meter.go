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

// Event tells that an invocation of a function began or ended.
type Event struct {
	Function string
	At       time.Time
	Ended    bool
	AtWork   int // invocations that have begun and not ended, after the event
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
func (m *Meter) Begin(fn string, now time.Time) { m.count(fn, now, 1) }

// End counts an invocation that Begin counted and that has ended.
func (m *Meter) End(fn string, now time.Time) { m.count(fn, now, -1) }

func (m *Meter) count(fn string, now time.Time, step int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	u := m.functions[fn]
	if u == nil {
		u = &usage{since: now, from: now}
		m.functions[fn] = u
	}
	u.advance(now)
	u.AtWork += step
	if step > 0 {
		u.Arrivals++
		u.Peak = max(u.Peak, u.AtWork)
	}
	select {
	case m.events <- Event{Function: fn, At: now, Ended: step < 0, AtWork: u.AtWork}:
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
