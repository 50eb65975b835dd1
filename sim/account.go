package sim

// idleUntilNow is the idle time of all instances of f, those that are not over included.
func (s *Sim) idleUntilNow(f *fn) int64 {
	n := f.idleNanos
	for _, x := range f.idle {
		n += clip(x.since, s.now, s.from, s.until)
	}
	for _, at := range f.starting {
		n += clip(at-f.cold, s.now, s.from, s.until)
	}
	return n
}

// closeMinute charges the idle time of the minute that ends now.
func (s *Sim) closeMinute() {
	if s.now <= s.from || s.now > s.until {
		for i := range s.fns {
			s.fns[i].called = false
		}
		return
	}
	for i := range s.fns {
		f := &s.fns[i]
		idle := s.idleUntilNow(f)
		if !f.called {
			f.quietNanos += idle - f.closedIdle
		}
		f.closedIdle, f.called = idle, false
	}
}

// Finish runs to the end of the counted time and returns what was measured. The
// run is over then.
func (s *Sim) Finish() *Result {
	s.runTo(s.until)
	r := &s.result
	for i := range s.fns {
		f := &s.fns[i]
		for _, x := range f.slots {
			if x.work > 0 {
				f.busyNanos += clip(x.since, s.now, s.from, s.until)
			}
		}
		f.idleNanos = s.idleUntilNow(f)
		gb := float64(f.memory) / 1e9
		r.BusyGBSeconds += gb * seconds(f.busyNanos)
		r.IdleGBSeconds += gb * seconds(f.idleNanos)
		r.QuietGBSeconds += gb * seconds(f.quietNanos)
	}
	r.Open = s.line.open(s.from, s.until)
	return r
}
