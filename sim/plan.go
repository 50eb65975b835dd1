package sim

import (
	"fmt"
	"time"

	"github.com/aquatope/aquatope/pool"
)

// plan tells the policy what happened in the window and does what it wants.
func (s *Sim) plan() {
	window := float64(s.cfg.Window)
	for i := range s.fns {
		f := &s.fns[i]
		s.account(f, s.now)
		s.states[i] = pool.State{
			Arrivals: int(f.arrivals), Peak: int(f.peak), Load: float64(f.load) / window,
			Busy: int(f.busy), Idle: len(f.idle), Starting: len(f.starting),
		}
		f.arrivals, f.peak, f.load = 0, f.busy, 0
	}
	p := s.policy.Plan(&pool.Snapshot{Now: time.Duration(s.now), Next: time.Duration(s.now) + s.cfg.Lead, Window: s.cfg.Window, States: s.states})
	if p == nil {
		return
	}
	if len(p) != len(s.fns) {
		panic(fmt.Sprintf("sim: policy %s planned %d of %d functions", s.policy.Name(), len(p), len(s.fns)))
	}
	for i := range s.fns {
		s.scale(int32(i), p[i])
	}
	s.serveLine()
}

// scale gives one function its target.
func (s *Sim) scale(i int32, t pool.Target) {
	f := &s.fns[i]
	f.warm, f.keep = int32(max(0, t.Warm)), max(0, int64(t.KeepAlive))
	for f.alive() < min(f.warm, f.max) {
		if !s.startAhead(f, i) {
			break
		}
	}
	if len(f.idle) == 0 {
		return
	}
	for j := range f.idle {
		if f.idle[j].byTarget {
			f.idle[j].expiry = add(f.idle[j].since, f.keep)
		}
	}
	f.expireAt = 0 // the pending event, if any, is void
	s.retireExpired(f, i)
}
