package sim

// foresee has one more free instance of i ready than there are invocations
// expected already.
func (s *Sim) foresee(i int32) {
	f := &s.fns[i]
	f.expected(s.now)
	until := add(s.now, add(f.cold, f.hold))
	f.due = append(f.due, until)
	room := len(f.idle) + len(f.starting)
	for _, slot := range f.open {
		room += int(f.concurrency - f.slots[slot].work)
	}
	if room < len(f.due) {
		s.startAhead(f, i)
		return
	}
	// Who is idle waits for it.
	if n := len(f.idle); n > 0 {
		x := &f.idle[max(0, n-len(f.due))]
		if x.expiry < until {
			x.expiry, x.byTarget = until, false
		}
	}
}

// expected forgets who was foreseen and did not come, and returns until when the
// last of the others is expected; 0 if there is none.
func (f *fn) expected(now int64) int64 {
	if len(f.due) == 0 {
		return 0
	}
	for len(f.due) > 0 && f.due[0] < now {
		f.due = append(f.due[:0], f.due[1:]...)
	}
	if len(f.due) == 0 {
		return 0
	}
	return f.due[len(f.due)-1]
}
