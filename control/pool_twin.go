package control

import (
	"math"
	"time"

	"github.com/aquatope/aquatope/pool"
)

// twin is the instances that a function would have if something else decided
// than what is in force. It counts the cold starts and the idle time that the
// invocations that really come would have had. Instants count from the epoch.
type twin struct {
	busy, warm int
	keep       time.Duration
	idle       []resting // the one that was used last at the end
	later      preWarm
	cold       float64 // starts that an invocation waited for
	idled      float64 // seconds
}

// resting is an idle instance, or one that is starting because nobody waits for it.
type resting struct {
	since, paid  time.Duration // idle from; accounted for until
	ready, until time.Duration
	byTarget     bool // the target decides how long it stays
	release      bool // goes even if the target wants it
}

// preWarm is an instance that is started at a time unless one is used before.
type preWarm struct{ at, ready, until time.Duration }

// never is later than every instant.
const never = time.Duration(math.MaxInt64)

func (t *twin) alive() int { return t.busy + len(t.idle) }

func (t *twin) pay(x *resting, until time.Duration) {
	if d := until - x.paid; d > 0 {
		t.idled += d.Seconds()
		x.paid = until
	}
}

// settle accounts for all idle time until now and ends what is not kept.
func (t *twin) settle(now time.Duration) {
	if x := t.later; x.at > 0 && x.at <= now {
		t.later = preWarm{}
		if t.alive() == 0 {
			t.idle = append(t.idle, resting{since: x.at, paid: x.at, ready: x.ready, until: x.until})
		}
	}
	kept := t.idle[:0]
	excess := t.alive() - t.warm
	for _, x := range t.idle {
		if x.until <= now && (excess > 0 || x.release) {
			t.pay(&x, x.until)
			if excess > 0 {
				excess--
			} else {
				t.warm--
			}
			continue
		}
		t.pay(&x, now)
		kept = append(kept, x)
	}
	t.idle = kept
}

// use takes instances until so many are busy.
func (t *twin) use(now time.Duration, busy int) {
	t.settle(now)
	t.later = preWarm{}
	for ; t.busy < busy; t.busy++ {
		n := len(t.idle)
		if n == 0 || t.idle[n-1].ready > now {
			t.cold++
		}
		if n > 0 {
			t.idle = t.idle[:n-1]
		}
	}
	t.busy = busy
}

// free lets one instance fall idle, so that so many stay busy.
func (t *twin) free(now time.Duration, busy int, r pool.Retention, decided bool, start time.Duration) {
	t.settle(now)
	if t.busy <= busy {
		t.busy = busy
		return // it was never seen to be used
	}
	t.busy = busy
	x := resting{since: now, paid: now, until: later(now, t.keep), byTarget: true}
	switch {
	case !decided:
	case r.PreWarm > 0:
		x.until, x.byTarget, x.release = now, false, r.Release
		t.laterOn(now, r, start)
	case r.KeepAlive == pool.UntilPlan:
		x.until, x.release = never, r.Release
	default:
		x.until, x.byTarget, x.release = later(now, r.KeepAlive), false, r.Release
	}
	if x.until <= now && (x.release || t.alive() >= t.warm) {
		t.warm = min(t.warm, t.alive())
		return
	}
	t.idle = append(t.idle, x)
}

// plan takes up a target; an instance takes start until it is ready.
func (t *twin) plan(now time.Duration, target pool.Target, start time.Duration) {
	t.settle(now)
	t.warm, t.keep = target.Warm, target.KeepAlive
	for t.alive() < t.warm {
		x := resting{since: now, paid: now, ready: later(now, start), byTarget: true}
		t.idle = append([]resting{x}, t.idle...)
	}
	for i := range t.idle {
		if x := &t.idle[i]; x.byTarget {
			x.until = later(x.since, t.keep)
		}
	}
	switch r := target.Part; {
	case r.KeepAlive <= 0:
	case r.PreWarm > 0 || t.alive() == 0:
		t.laterOn(now, r, start)
	case len(t.idle) > 0:
		x := &t.idle[len(t.idle)-1]
		x.until, x.byTarget, x.release = later(now, r.KeepAlive), false, true
	}
	t.settle(now)
}

// laterOn starts an instance after a while, unless one is used before.
func (t *twin) laterOn(now time.Duration, r pool.Retention, start time.Duration) {
	at := later(now, r.PreWarm)
	t.later = preWarm{at: at, ready: later(at, start), until: later(later(at, start), r.KeepAlive)}
}

// foresee has that many idle instances ready until then.
func (t *twin) foresee(now, until, start time.Duration, expected int) {
	t.settle(now)
	if n := len(t.idle); n >= expected {
		x := &t.idle[max(0, n-expected)]
		x.until, x.byTarget = max(x.until, until), false
		return
	}
	t.idle = append([]resting{{since: now, paid: now, ready: later(now, start), until: until}}, t.idle...)
}

// fade forgets a share of what was counted.
func (t *twin) fade(share float64) {
	t.cold *= 1 - share
	t.idled *= 1 - share
}

// later is t+d, at most never.
func later(t, d time.Duration) time.Duration {
	if d > 0 && t > never-d {
		return never
	}
	return t + d
}
