package fleet

import "math"

// retention is how long an instance stays idle.
type retention struct {
	expiry            int64
	byTarget, release bool
}

// rest makes an instance, which is on no list, idle from now on, or ends it at
// once when it is not wanted.
func (s *Fleet) rest(f *fn, id int32, r retention) {
	x := &s.instances[id]
	f.expected(s.now)
	if room := s.room(f); room < len(f.due) && f.due[room] > r.expiry {
		r.expiry, r.byTarget = f.due[room], false
	}
	if r.expiry <= s.now && (r.release || f.alive() >= f.warm) {
		f.warm = min(f.warm, f.alive())
		s.destroy(id)
		return
	}
	s.enter(x, idle)
	x.expiry, x.byTarget, x.release = r.expiry, r.byTarget, r.release
	if s.evictor != nil {
		x.stamp = s.evictor.Stamp(int(x.function))
	}
	f.idle = append(f.idle, id)
	s.scheduleExpiry(f, x.function, r.expiry)
	s.listVictim(id)
}

func (s *Fleet) scheduleExpiry(f *fn, i int32, at int64) {
	if at != math.MaxInt64 && (f.expireAt == 0 || at < f.expireAt) {
		f.expireAt = at
		s.events.push(newEvent(at, expire, 0, i))
	}
}

// ready ends the start of an instance, unless an invocation has claimed it.
func (s *Fleet) ready(id int32, generation uint32) {
	x := &s.instances[id]
	if x.generation&generationMask != generation || x.state != starting {
		return
	}
	i, on := x.function, x.node
	f := &s.fns[i]
	f.starting = remove(f.starting, id)
	rest := retention{expiry: add(s.now, f.keep), byTarget: true}
	if x.keep > 0 {
		rest = retention{expiry: add(s.now, x.keep)}
	}
	if len(f.waiting) > 0 {
		s.occupy(f, id)
		s.joinWaiting(f, id)
		return
	}
	if x.demanded { // who waited was served by another
		rest = s.retain(f, i)
	}
	s.rest(f, id, rest)
	s.serveLine(on)
}

// expire retires the idle instances whose time is over, beyond those that are
// to be kept warm.
func (s *Fleet) expire(i int32) {
	f := &s.fns[i]
	if f.expireAt != s.now {
		return // replaced by an earlier one
	}
	f.expireAt = 0
	s.retireExpired(f, i)
	s.serveLine(anyNode)
}

func (s *Fleet) retireExpired(f *fn, i int32) {
	next := int64(math.MaxInt64)
	kept := f.idle[:0]
	excess := f.alive() - f.warm
	for _, id := range f.idle {
		x := &s.instances[id]
		switch {
		case x.expiry <= s.now && (excess > 0 || x.release):
			if excess > 0 {
				excess--
			} else {
				f.warm--
			}
			s.destroy(id)
			continue
		case x.expiry > s.now:
			next = min(next, x.expiry)
		}
		kept = append(kept, id)
	}
	f.idle = kept
	s.scheduleExpiry(f, i, next)
}
