package sim

import "math"

// rest makes an instance, which is counted nowhere yet, idle from now on, or
// ends it at once when it is not wanted.
func (s *Sim) rest(f *fn, i int32, x idleInstance) {
	if until := f.expected(s.now); until > x.expiry {
		x.expiry, x.byTarget = until, false
	}
	if x.expiry <= s.now && (x.release || f.alive() >= f.warm) {
		f.warm = min(f.warm, f.alive())
		s.used -= f.memory
		return
	}
	x.since = s.now
	if s.evictor != nil {
		x.stamp = s.evictor.Stamp(int(i))
	}
	f.idle = append(f.idle, x)
	s.scheduleExpiry(f, i, x.expiry)
	if s.cfg.Capacity > 0 && len(f.idle) == 1 {
		s.victims.push(s.worth(f, i), i)
	}
}

func (s *Sim) scheduleExpiry(f *fn, i int32, at int64) {
	if at != math.MaxInt64 && (f.expireAt == 0 || at < f.expireAt) {
		f.expireAt = at
		s.events.push(newEvent(at, expire, i, 0))
	}
}

// ready ends the start of an instance, unless an invocation has claimed it.
func (s *Sim) ready(i int32) {
	f := &s.fns[i]
	if len(f.starting) == 0 || f.starting[0] > s.now {
		return
	}
	f.starting = append(f.starting[:0], f.starting[1:]...)
	f.idleNanos += clip(s.now-f.cold, s.now, s.from, s.until)
	rest := idleInstance{expiry: add(s.now, f.keep), byTarget: true}
	if f.preWarmKeep > 0 {
		rest = idleInstance{expiry: add(s.now, f.preWarmKeep)}
		f.preWarmKeep = 0
	}
	if len(f.waiting) > 0 {
		s.joinWaiting(f, i, f.occupy(s.now, s.now, 0))
		return
	}
	s.rest(f, i, rest)
	s.serveLine()
}

// expire retires the idle instances whose time is over, beyond those that are
// to be kept warm.
func (s *Sim) expire(i int32) {
	f := &s.fns[i]
	if f.expireAt != s.now {
		return // replaced by an earlier one
	}
	f.expireAt = 0
	s.retireExpired(f, i)
	s.serveLine()
}

func (s *Sim) retireExpired(f *fn, i int32) {
	next := int64(math.MaxInt64)
	kept := f.idle[:0]
	excess := f.alive() - f.warm
	for _, x := range f.idle {
		switch {
		case x.expiry <= s.now && (excess > 0 || x.release):
			if excess > 0 {
				excess--
			} else {
				f.warm--
			}
			s.end(f, x)
			continue
		case x.expiry > s.now:
			next = min(next, x.expiry)
		}
		kept = append(kept, x)
	}
	f.idle = kept
	s.scheduleExpiry(f, i, next)
}

// end accounts for an idle instance that is no more.
func (s *Sim) end(f *fn, x idleInstance) {
	f.idleNanos += clip(x.since, s.now, s.from, s.until)
	s.used -= f.memory
}
