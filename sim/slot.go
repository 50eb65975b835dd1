package sim

// slot is one busy instance.
type slot struct {
	work  int32 // invocations
	open  int32 // position in fn.open, -1 when full
	ready int64 // instant from which it serves
	since int64 // instant from which it is busy
	uses  int   // invocations that the instance has served
}

// openSlot returns a busy instance with room, one that is ready if there is
// any, or -1.
func (f *fn) openSlot(now int64) int32 {
	best := int32(-1)
	for j := len(f.open) - 1; j >= 0; j-- {
		slot := f.open[j]
		if f.slots[slot].ready <= now {
			return slot
		}
		if best < 0 || f.slots[slot].ready < f.slots[best].ready {
			best = slot
		}
	}
	return best
}

// occupy makes an instance busy that has no invocations yet and returns its slot.
func (f *fn) occupy(now, ready int64, uses int) int32 {
	var i int32
	if n := len(f.free); n > 0 {
		i = f.free[n-1]
		f.free = f.free[:n-1]
	} else {
		i = int32(len(f.slots))
		f.slots = append(f.slots, slot{})
	}
	f.slots[i] = slot{open: int32(len(f.open)), ready: ready, since: now, uses: uses}
	f.open = append(f.open, i)
	f.busy++
	f.peak = max(f.peak, f.busy)
	return i
}

// join gives an invocation, which arrived at the given instant, to a busy
// instance with room, and counts it as of the given kind.
func (s *Sim) join(f *fn, i, slot int32, arrived, service int64, kind *int64) {
	s.account(f, s.now)
	x := &f.slots[slot]
	f.atWork++
	x.uses++
	if x.work++; x.work >= f.concurrency {
		f.shut(x)
	}
	begin := max(s.now, x.ready)
	s.events.push(newEvent(add(begin, service), complete, i, slot))
	if s.counts(arrived) {
		*kind++
		s.result.latency.add(begin - arrived)
	}
}

// shut takes a slot off the list of open ones.
func (f *fn) shut(x *slot) {
	last := f.open[len(f.open)-1]
	f.open[x.open] = last
	f.slots[last].open = x.open
	f.open = f.open[:len(f.open)-1]
	x.open = -1
}
