package sim

import (
	"container/heap"
	"sort"
)

// obtain finds memory for one more instance of i, by evicting idle instances if
// it must, and reports whether there is enough. Busy instances are never evicted.
func (s *Sim) obtain(i int32, bytes int64) bool {
	f := &s.fns[i]
	if f.alive() >= f.max {
		return false
	}
	if s.cfg.Capacity <= 0 {
		return true
	}
	for s.used+bytes > s.cfg.Capacity {
		if bytes > s.cfg.Capacity || !s.evict() {
			return false
		}
	}
	return true
}

// evict ends the idle instance of least worth; false when none is idle.
func (s *Sim) evict() bool {
	for len(s.victims) > 0 {
		v := s.victims[0]
		f := &s.fns[v.function]
		if len(f.idle) == 0 {
			heap.Pop(&s.victims)
			continue
		}
		// Worth only grows while instances are used, so an entry is a lower
		// bound and the first that is exact is the least.
		if w := s.worth(f, v.function); w != v.worth {
			s.victims[0].worth = w
			heap.Fix(&s.victims, 0)
			continue
		}
		x := f.idle[0]
		f.idle = append(f.idle[:0], f.idle[1:]...)
		s.end(f, x)
		if s.counts(s.now) {
			s.result.Evicted++
		}
		if s.evictor != nil {
			s.evictor.Evicted(int(v.function), v.worth, x.uses)
		}
		if len(f.idle) == 0 {
			heap.Pop(&s.victims)
		} else {
			s.victims[0].worth = s.worth(f, v.function)
			heap.Fix(&s.victims, 0)
		}
		return true
	}
	return false
}

// worth is that of the function's longest idle instance.
func (s *Sim) worth(f *fn, i int32) float64 {
	x := f.idle[0]
	if s.evictor != nil {
		return s.evictor.Worth(int(i), x.stamp)
	}
	return float64(x.since)
}

// victims is a heap of functions that had idle instances, by a lower bound of
// the worth of the least of them.
type victims []victim

type victim struct {
	worth    float64
	function int32
}

func (v *victims) push(worth float64, f int32) { heap.Push(v, victim{worth, f}) }

func (v victims) Len() int { return len(v) }
func (v victims) Less(i, j int) bool {
	return v[i].worth < v[j].worth || v[i].worth == v[j].worth && v[i].function < v[j].function
}
func (v victims) Swap(i, j int) { v[i], v[j] = v[j], v[i] }
func (v *victims) Push(x any)   { *v = append(*v, x.(victim)) }
func (v *victims) Pop() any {
	old := *v
	x := old[len(old)-1]
	*v = old[:len(old)-1]
	return x
}

// waitingLine holds the invocations that wait for memory, first come first
// served. Positions count from the start of the run.
type waitingLine struct {
	first   int64
	members []waiting
}

type waiting struct {
	at, service int64
	function    int32
	gone        bool
}

// wait puts an invocation in line, or rejects it when it never could be served.
func (s *Sim) wait(f *fn, i int32, at, service int64) {
	if s.cfg.Capacity > 0 && f.memory > s.cfg.Capacity {
		if s.counts(at) {
			s.result.TooLarge++
		}
		return
	}
	f.waiting = append(f.waiting, s.line.first+int64(len(s.line.members)))
	s.line.members = append(s.line.members, waiting{at: at, service: service, function: i})
	s.events.push(newEvent(add(at, int64(s.cfg.Patience)), deadline, i, 0))
}

// next takes the first of f's waiting invocations, of which there are some, out
// of the line.
func (l *waitingLine) next(f *fn) waiting {
	w := &l.members[f.waiting[0]-l.first]
	w.gone = true
	f.waiting = append(f.waiting[:0], f.waiting[1:]...)
	x := *w
	l.shorten()
	return x
}

// shorten forgets the members at the head that are gone.
func (l *waitingLine) shorten() {
	n := 0
	for n < len(l.members) && l.members[n].gone {
		n++
	}
	l.members = l.members[n:]
	l.first += int64(n)
}

// serveLine starts instances for those in line as far as memory goes. Who waits
// for memory is never overtaken, so that large functions do not starve; who
// waits because its function is at its cap is passed by.
func (s *Sim) serveLine() {
	for i := 0; i < len(s.line.members); {
		w := s.line.members[i]
		f := &s.fns[w.function]
		switch {
		case w.gone || f.alive() >= f.max:
			i++
			continue
		case !s.obtain(w.function, f.memory):
			return
		}
		first := s.line.first
		s.line.next(f) // w is the first of its function: an earlier one would have been taken
		s.used += f.memory
		slot := f.occupy(s.now, add(s.now, f.cold), 0)
		s.join(f, w.function, slot, w.at, w.service, &s.result.Cold)
		s.joinWaiting(f, w.function, slot)
		i = max(0, i-int(s.line.first-first))
	}
}

// joinWaiting gives waiting invocations of f to one of its busy instances as
// long as it has room.
func (s *Sim) joinWaiting(f *fn, i, slot int32) {
	for len(f.waiting) > 0 && f.slots[slot].open >= 0 {
		w := s.line.next(f)
		s.join(f, i, slot, w.at, w.service, &s.result.Waited)
	}
}

// giveUp rejects the invocations of i that have waited too long.
func (s *Sim) giveUp(i int32) {
	f := &s.fns[i]
	n := sort.Search(len(f.waiting), func(j int) bool {
		return s.line.members[f.waiting[j]-s.line.first].at+int64(s.cfg.Patience) > s.now
	})
	for _, at := range f.waiting[:n] {
		w := &s.line.members[at-s.line.first]
		w.gone = true
		if s.counts(w.at) {
			s.result.Rejected++
		}
	}
	f.waiting = append(f.waiting[:0], f.waiting[n:]...)
	s.line.shorten()
}

// open returns how many wait that arrived within the counted time.
func (l *waitingLine) open(from, until int64) int64 {
	var n int64
	for _, w := range l.members {
		if !w.gone && w.at >= from && w.at < until {
			n++
		}
	}
	return n
}
