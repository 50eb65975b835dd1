package fleet

// foresee has one more free instance of i ready than there are invocations
// expected already.
func (s *Fleet) foresee(i int32) {
	f := &s.fns[i]
	f.expected(s.now)
	until := add(s.now, add(f.cold, f.hold))
	f.due = append(f.due, until)
	if s.room(f) < len(f.due) {
		s.startAhead(f, i, 0)
		return
	}
	// Who is idle waits for it.
	if n := len(f.idle); n > 0 {
		x := &s.instances[f.idle[max(0, n-len(f.due))]]
		if x.expiry < until {
			x.expiry, x.byTarget = until, false
		}
	}
}

// room is how many invocations find a place on the instances that there are.
func (s *Fleet) room(f *fn) int {
	room := len(f.idle) + len(f.starting) - s.claimed(f)
	for _, id := range f.open {
		room += int(f.concurrency - s.instances[id].work)
	}
	return room
}

// expected forgets who was foreseen and did not come.
func (f *fn) expected(now int64) {
	n := 0
	for n < len(f.due) && f.due[n] < now {
		n++
	}
	f.due = append(f.due[:0], f.due[n:]...)
}
