package fleet

// line holds the invocations that wait for room, first come first served.
type line []waiting

type waiting struct {
	job        int32
	generation uint32
}

// wait puts a job in line; when it never could be served it fails at once.
func (s *Fleet) wait(f *fn, i, j int32) {
	patience := int64(s.cfg.Patience)
	if !s.everFits(s.revisions[f.revision].resources) {
		patience = 0
	}
	f.waiting = append(f.waiting, j)
	s.line = append(s.line, waiting{j, s.jobs[j].generation})
	s.events.push(newEvent(add(s.now, patience), deadline, s.jobs[j].generation, j))
}

// next takes the first waiting job of f, of which there are some.
func (f *fn) next() int32 {
	j := f.waiting[0]
	f.waiting = append(f.waiting[:0], f.waiting[1:]...)
	return j
}

// waits says whether an entry of the line still does.
func (s *Fleet) waits(w waiting) bool {
	j := &s.jobs[w.job]
	return j.generation == w.generation && j.instance < 0
}

// shorten forgets the entries at the head that wait no more.
func (s *Fleet) shorten() {
	n := 0
	for n < len(s.line) && !s.waits(s.line[n]) {
		n++
	}
	s.line = s.line[n:]
}

// serveLine starts instances for those in line as far as room goes, after the
// given node has changed. Who waits for room is never overtaken, so that large
// functions do not starve; who waits because its function is at its cap is
// passed by.
func (s *Fleet) serveLine(changed int32) {
	s.shorten()
	for i := 0; i < len(s.line); {
		w := s.line[i]
		if !s.waits(w) {
			i++
			continue
		}
		fi := s.jobs[w.job].served.Function
		f := &s.fns[fi]
		r := s.revisions[f.revision].resources
		if s.cfg.Shared && s.covered(f) {
			s.line[i].generation = 0 // an instance is on its way
			i++
			continue
		}
		if f.alive() >= f.max || !s.everFits(r) {
			i++
			continue
		}
		on := changed
		switch {
		case changed == anyNode:
			on = s.obtain(fi)
		case s.nodes[changed].couldFit(r):
			s.clear(changed, r)
		default:
			on = -1
		}
		if on < 0 {
			return
		}
		if s.cfg.Shared {
			s.line[i].generation = 0
			s.launch(f, fi, on).demanded = true
		} else {
			f.next() // it is w: an earlier one of its function would have been taken
			id := s.createCold(fi, on)
			s.occupy(f, id)
			s.join(f, id, w.job, Cold)
			s.joinWaiting(f, id)
		}
		s.shorten()
		i = 0
	}
}

// joinWaiting gives waiting jobs of f to one of its busy instances as long as
// it has room.
func (s *Fleet) joinWaiting(f *fn, id int32) {
	for len(f.waiting) > 0 && s.instances[id].open >= 0 {
		s.account(f)
		j := f.next()
		s.join(f, id, j, s.howWaited(&s.instances[id], &s.jobs[j]))
	}
}

// giveUp fails a job that has waited too long.
func (s *Fleet) giveUp(j int32, generation uint32) {
	job := &s.jobs[j]
	if job.generation&generationMask != generation || job.instance >= 0 {
		return
	}
	f := &s.fns[job.served.Function]
	s.account(f)
	f.waiting = remove(f.waiting, j)
	token, served, why := job.token, job.served, Rejected
	if !s.everFits(s.revisions[f.revision].resources) {
		why = TooLarge
	}
	s.dropJob(j)
	s.serveLine(anyNode) // who is first now may be smaller
	s.host.Fail(token, &served, why)
}
