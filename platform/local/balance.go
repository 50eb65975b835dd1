package local

import (
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform"
)

// balance brings a revision from what it has to what it should have: it hands
// free instances to waiting requests, starts instances for those that remain
// and for the warm floor, and retires instances that have been idle for long.
// It is called, with Platform.mu held, after every change.
func (r *revision) balance() {
	now := time.Now()
	r.wake = time.Time{}
	r.serveQueue()
	r.grow(now)
	r.retire(now)
	if !r.wake.IsZero() {
		r.timer.Reset(r.wake.Sub(now))
	}
	r.settle()
}

// serveQueue gives free instances to the requests that have waited longest.
func (r *revision) serveQueue() {
	for r.queue.Len() > 0 {
		in := r.free()
		if in == nil {
			return
		}
		r.grant(in)
	}
}

// grant hands the first waiter to an instance.
func (r *revision) grant(in *instance) {
	w := r.queue.Remove(r.queue.Front()).(*waiter)
	w.place = nil
	in.inFlight++
	w.result <- grant{in: in, fresh: in.readyAt.After(w.arrived)}
}

// fail ends the wait of all that wait for this revision.
func (r *revision) fail(err *platform.InvokeError) {
	for r.queue.Len() > 0 {
		w := r.queue.Remove(r.queue.Front()).(*waiter)
		w.place = nil
		w.result <- grant{err: err}
	}
}

// grow starts the instances that are missing, as far as back-off, the
// revision's maximum and the machine's budget allow.
func (r *revision) grow(now time.Time) {
	starting, serving := r.live()
	c := r.rev.Function.Concurrency
	missing := max((r.queue.Len()+c-1)/c-starting, r.floor()-starting-serving)
	if limit := r.rev.Function.Scale.Max; limit > 0 {
		missing = min(missing, limit-starting-serving)
	}
	if missing <= 0 {
		return
	}
	if wait := r.backoff.remaining(now); wait > 0 {
		r.wakeAt(now.Add(wait))
		return
	}
	if r.backoff.failures > 0 {
		missing = 1 // one attempt shows whether it works again
		if starting > 0 {
			return
		}
	}
	for ; missing > 0 && r.p.admit(r); missing-- {
		r.start(now)
	}
}

// retire stops idle instances beyond the floor: at once when the revision is
// removed, else after the keep-alive time.
func (r *revision) retire(now time.Time) {
	starting, serving := r.live()
	spare := starting + serving - r.floor()
	for spare > 0 {
		in := r.longestIdle()
		if in == nil {
			break
		}
		if left := r.scale.KeepAlive - now.Sub(in.idleSince); left > 0 && !r.removed {
			r.wakeAt(now.Add(left))
			break
		}
		in.retire()
		spare--
	}
	// Starts that nobody waits for any more are called off.
	for _, in := range r.instances {
		if spare > 0 && in.state == stateStarting && r.queue.Len() == 0 && r.removed {
			in.retire()
			spare--
		}
	}
}

// longestIdle returns the instance that has served nothing for the longest time.
func (r *revision) longestIdle() *instance {
	var best *instance
	for _, in := range r.instances {
		if in.idle() && (best == nil || in.idleSince.Before(best.idleSince)) {
			best = in
		}
	}
	return best
}

// settle forgets a removed revision of which nothing is left.
func (r *revision) settle() {
	if r.removed && len(r.instances) == 0 && r.queue.Len() == 0 {
		r.timer.Stop()
		delete(r.p.revisions, r.rev.Name)
	}
}

// shutdown stops everything; what still waits is rejected.
func (r *revision) shutdown() {
	r.timer.Stop()
	r.fail(&platform.InvokeError{Outcome: function.OutcomeRejected, Detail: errClosed.Error()})
	for _, in := range r.instances {
		in.retire()
	}
}

// wakeAt asks for another balance at t, or earlier if that was asked for.
func (r *revision) wakeAt(t time.Time) {
	if r.wake.IsZero() || t.Before(r.wake) {
		r.wake = t
	}
}
