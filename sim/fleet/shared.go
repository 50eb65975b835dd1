package fleet

// queue lets a job wait for whichever instance gets free or ready first, and
// starts one for it unless enough are being started. It reports whether an
// instance is on its way.
func (s *Fleet) queue(f *fn, i, j int32) (cold bool) {
	s.account(f)
	patience := int64(s.cfg.Patience)
	if !s.everFits(s.revisions[f.revision].resources) {
		patience = 0
	}
	f.waiting = append(f.waiting, j)
	s.events.push(newEvent(add(s.now, patience), deadline, s.jobs[j].generation, j))
	cold = true
	for cold && !s.covered(f) { // more than once when others wait for room that is there now
		cold = s.demand(f, i)
	}
	if !cold {
		s.line = append(s.line, waiting{j, s.jobs[j].generation})
	}
	f.peak = max(f.peak, s.taken(f))
	return cold
}

// demand starts an instance because an invocation waits; false without room.
func (s *Fleet) demand(f *fn, i int32) bool {
	on := s.obtain(i)
	if on < 0 {
		return false
	}
	s.launch(f, i, on).demanded = true
	return true
}

// covered says that for all who wait an instance is being started.
func (s *Fleet) covered(f *fn) bool {
	return len(f.starting)*int(f.concurrency) >= len(f.waiting)
}

// claimed is how many of the instances that are being started are waited for.
func (s *Fleet) claimed(f *fn) int {
	if !s.cfg.Shared {
		return 0
	}
	c := int(f.concurrency)
	return min(len(f.starting), (len(f.waiting)+c-1)/c)
}

// taken counts the instances with invocations, or that are waited for.
func (s *Fleet) taken(f *fn) int32 { return f.busy + int32(s.claimed(f)) }

// recover starts instances for those who wait, after some that were being
// started are no more.
func (s *Fleet) recover(f *fn, i int32) {
	if !s.cfg.Shared {
		return
	}
	for !s.covered(f) {
		if !s.demand(f, i) {
			for _, j := range f.waiting[len(f.starting)*int(f.concurrency):] {
				s.line = append(s.line, waiting{j, s.jobs[j].generation})
			}
			return
		}
	}
}

// howWaited tells a cold start from a wait for a warm instance.
func (s *Fleet) howWaited(x *instance, j *job) Start {
	switch {
	case !s.cfg.Shared || x.ready <= j.served.Arrived:
		return Waited
	case x.uses == 0:
		return Cold
	}
	return Joined
}
