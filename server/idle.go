package server

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform"
	"github.com/aquatope/aquatope/server/api"
)

// idleInterval is how often idle instances are counted, and idleHistory how
// long the counts are kept.
const (
	idleInterval = time.Second
	idleHistory  = 2 * time.Hour
)

// idleMeter adds up how long instances were warm and served nothing, starts that
// nobody waited for included, and what that cost: the price of not having cold
// starts.
type idleMeter struct {
	price function.Price

	mu    sync.Mutex
	total map[string]idleTotal  // by function, since the start
	past  map[string][]idleMark // of each, in order of time, and only changes
}

type idleTotal struct {
	time time.Duration
	cost float64
}

// idleMark is a function's total from a moment on.
type idleMark struct {
	at    time.Time
	total idleTotal
}

func newIdleMeter(p function.Price) *idleMeter {
	return &idleMeter{price: p, total: map[string]idleTotal{}, past: map[string][]idleMark{}}
}

// add accounts for an interval in which the platform was as in the snapshot,
// and returns what it cost.
func (m *idleMeter) add(s platform.Snapshot, interval time.Duration) float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	sum := 0.0
	for _, r := range s.Revisions {
		if r.Idle == 0 {
			continue
		}
		t := m.total[r.Function]
		cost := m.price.Idle(r.Resources, time.Duration(r.Idle)*interval)
		t.time += time.Duration(r.Idle) * interval
		t.cost += cost
		m.total[r.Function] = t
		sum += cost
	}
	for fn, total := range m.total {
		m.past[fn] = remember(m.past[fn], total, s.Time, interval)
	}
	return sum
}

// remember adds a total, if it changed in the interval until now, and forgets those
// before the last that is as old as the history.
func remember(past []idleMark, total idleTotal, now time.Time, interval time.Duration) []idleMark {
	if len(past) == 0 {
		past = []idleMark{{at: now.Add(-interval)}}
	}
	if past[len(past)-1].total != total {
		past = append(past, idleMark{now, total})
	}
	for len(past) > 1 && now.Sub(past[1].at) >= idleHistory {
		past = past[1:]
	}
	return past
}

// start accounts for the start of an instance that nobody waited for, and
// returns what it cost: it is idle from the begin of its start.
func (m *idleMeter) start(s platform.Start) float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := m.total[s.Function]
	cost := m.price.Idle(s.Resources, startTime(s))
	t.time += startTime(s)
	t.cost += cost
	m.total[s.Function] = t
	return cost
}

// since returns what was idle from a moment on, as far as it is remembered.
func (m *idleMeter) since(t time.Time) []api.IdleSummary {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := []api.IdleSummary{}
	for _, fn := range slices.Sorted(maps.Keys(m.total)) {
		var then idleTotal
		if past := m.past[fn]; len(past) > 0 {
			i, _ := slices.BinarySearchFunc(past, t, func(p idleMark, t time.Time) int { return p.at.Compare(t) })
			then = past[max(0, i-1)].total
		}
		now := m.total[fn]
		if d := now.time - then.time; d > 0 {
			out = append(out, api.IdleSummary{Function: fn, Idle: d, Cost: now.cost - then.cost})
		}
	}
	return out
}

// idleLoop counts idle instances until ctx is done.
func (s *Server) idleLoop(ctx context.Context) {
	tick := time.NewTicker(idleInterval)
	defer tick.Stop()
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		snapshot, err := s.platform.Snapshot(ctx)
		if err != nil {
			continue // the platform is closing
		}
		s.ahead.seen(snapshot)
		s.metrics.cost.WithLabelValues("idle").Add(s.idle.add(snapshot, snapshot.Time.Sub(last)))
		last = snapshot.Time
	}
}
