package fleet

import (
	"fmt"
	"time"

	"github.com/aquatope/aquatope/pool"
)

// plan tells the policy what happened in the window and does what it wants.
func (s *Fleet) plan() {
	window := float64(s.cfg.Window)
	for i := range s.fns {
		f := &s.fns[i]
		s.account(f)
		s.states[i] = pool.State{
			Arrivals: int(f.arrivals), Peak: int(f.peak), Load: float64(f.load) / window,
			Busy: int(s.taken(f)), Idle: len(f.idle), Starting: len(f.starting) - s.claimed(f),
		}
		f.arrivals, f.peak, f.load = 0, s.taken(f), 0
	}
	p := s.policy.Plan(&pool.Snapshot{Now: time.Duration(s.now), Next: time.Duration(s.now) + s.cfg.Lead, Window: s.cfg.Window, States: s.states})
	if p == nil {
		return
	}
	if len(p) != len(s.fns) {
		panic(fmt.Sprintf("fleet: policy %s planned %d of %d functions", s.policy.Name(), len(p), len(s.fns)))
	}
	for i := range s.fns {
		s.scale(int32(i), p[i])
	}
	s.serveLine(anyNode)
}

// scale gives one function its target.
func (s *Fleet) scale(i int32, t pool.Target) {
	f := &s.fns[i]
	f.warm, f.keep = int32(max(0, t.Warm)), max(0, int64(t.KeepAlive))
	s.fill(f, i)
	s.part(f, i, t.Part)
	if len(f.idle) == 0 {
		return
	}
	for _, id := range f.idle {
		if x := &s.instances[id]; x.byTarget {
			x.expiry = add(x.since, f.keep)
		}
	}
	f.expireAt = 0 // the pending event, if any, is void
	s.retireExpired(f, i)
}

// fill starts instances ahead up to the target.
func (s *Fleet) fill(f *fn, i int32) {
	for f.alive() < min(f.warm, f.max) && s.startAhead(f, i, 0) {
	}
}

// part has one instance for a part of the window.
func (s *Fleet) part(f *fn, i int32, r pool.Retention) {
	switch {
	case r.KeepAlive <= 0:
	case r.PreWarm > 0:
		f.preWarmAt, f.preWarmKeep = add(s.now, int64(r.PreWarm)), int64(r.KeepAlive)
		s.events.push(newEvent(f.preWarmAt, preWarm, 0, i))
	case len(f.idle) > 0:
		x := &s.instances[f.idle[len(f.idle)-1]]
		x.expiry, x.byTarget, x.release = add(s.now, int64(r.KeepAlive)), false, true
	case f.alive() == 0:
		s.startAhead(f, i, int64(r.KeepAlive))
	}
}
