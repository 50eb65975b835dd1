package sim

// foresee has one more free instance of i ready than there are invocations
// expected already.
func (s *Sim) foresee(i int32) {
	f := &s.fns[i]
	for len(f.due) > 0 && f.due[0] < s.now { // did not come
		f.due = append(f.due[:0], f.due[1:]...)
	}
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
			x.expiry = until
		}
	}
}
