package local

import (
	"container/list"
	"reflect"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform"
)

// revision is the scheduler's view of one revision: its instances and the
// requests that wait for one. Platform.mu guards it.
type revision struct {
	p         *Platform
	rev       function.Revision
	scale     platform.Scale
	removed   bool
	instances []*instance
	queue     list.List // of *waiter, in order of arrival
	backoff   backoff
	timer     *time.Timer // balances again at wake
	wake      time.Time   // when keep-alive or back-off ends, whichever is first
}

// waiter is a request that waits for an instance.
type waiter struct {
	arrived time.Time
	place   *list.Element // nil when it left the queue
	result  chan grant    // has room for the one grant
}

// grant ends a wait: with an instance that has the request counted in, or
// with the reason why there is none.
type grant struct {
	in    *instance
	fresh bool // handed over when the instance became ready
	err   *platform.InvokeError
}

func newRevision(p *Platform, rev function.Revision) *revision {
	r := &revision{p: p, rev: complete(rev), scale: platform.Scale{KeepAlive: p.cfg.KeepAlive}}
	r.timer = time.AfterFunc(time.Hour, r.tick)
	r.timer.Stop()
	return r
}

// complete fills what a hand-written revision may leave out.
func complete(rev function.Revision) function.Revision {
	rev.Function.Concurrency = max(1, rev.Function.Concurrency)
	if rev.Function.Timeout <= 0 {
		rev.Function.Timeout = time.Minute
	}
	if rev.Function.StartTimeout <= 0 {
		rev.Function.StartTimeout = 10 * time.Second
	}
	return rev
}

// tick runs balance when the timer says so.
func (r *revision) tick() {
	r.p.mu.Lock()
	defer r.p.mu.Unlock()
	r.balance()
}

// same reports whether rev is what was deployed.
func (r *revision) same(rev function.Revision) bool {
	return reflect.DeepEqual(r.rev, complete(rev))
}

// free returns the ready instance that should take the next request: the one
// with the fewest, of several the one used last, so that the others grow idle
// and can be retired.
func (r *revision) free() *instance {
	var best *instance
	for _, in := range r.instances {
		if in.state != stateReady || in.doomed || in.inFlight >= r.rev.Function.Concurrency {
			continue
		}
		if best == nil || in.inFlight < best.inFlight || (in.inFlight == best.inFlight && in.idleSince.After(best.idleSince)) {
			best = in
		}
	}
	return best
}

// floor is how many instances are kept warm.
func (r *revision) floor() int {
	if r.removed || r.p.closed {
		return 0
	}
	n := r.scale.Warm
	if rt, ok := r.p.routes[r.rev.Function.Name]; ok && rt.percent(r) > 0 {
		n = max(n, r.rev.Function.Scale.Min)
	}
	if limit := r.rev.Function.Scale.Max; limit > 0 {
		n = min(n, limit)
	}
	return n
}

// live counts the instances that serve or will: starting and ready.
func (r *revision) live() (starting, serving int) {
	for _, in := range r.instances {
		switch {
		case in.state == stateStarting:
			starting++
		case in.state == stateReady && !in.doomed:
			serving++
		}
	}
	return starting, serving
}

// state counts the instances for a Snapshot.
func (r *revision) state() platform.RevisionState {
	s := platform.RevisionState{
		Revision: r.rev.Name, Function: r.rev.Function.Name, Resources: r.rev.Resources,
		Scale: r.scale, Queued: r.queue.Len(),
	}
	if rt, ok := r.p.routes[s.Function]; ok {
		s.Percent = rt.percent(r)
	}
	for _, in := range r.instances {
		s.InFlight += in.inFlight
		switch {
		case in.state == stateStarting:
			s.Starting++
		case in.state == stateStopping:
			s.Stopping++
		case in.inFlight > 0:
			s.Busy++
		default:
			s.Idle++
		}
	}
	return s
}
