package fleet

import (
	"time"

	"github.com/aquatope/aquatope/function"
)

// revision is a function with fixed resources, and what its instances used.
type revision struct {
	resources function.Resources
	function  int32
	previous  int32 // revision of the function, -1 without
	usage     Usage
}

// Usage is what the instances of one revision used within the counted time.
type Usage struct {
	Resources   function.Resources
	Busy, Idle  time.Duration // of all its instances together
	Invocations int64         // that arrived within the counted time and were given an instance
}

// settle charges the time that an instance spent in its state until now.
func (s *Fleet) settle(x *instance) {
	d := time.Duration(clip(x.charged, s.now, s.from, s.until))
	if x.state == busy || x.demanded && x.state == starting {
		s.revisions[x.revision].usage.Busy += d
	} else {
		s.revisions[x.revision].usage.Idle += d
	}
	x.charged = s.now
}

// SetResources makes a new revision of a function, which gets all invocations
// from now on. Instances of the old one serve what they have and end; the
// function's target is started anew at once.
func (s *Fleet) SetResources(i int32, r function.Resources) {
	f := &s.fns[i]
	if s.revisions[f.revision].resources == r {
		return
	}
	s.revisions = append(s.revisions, revision{resources: r, function: i, previous: f.revision})
	f.revision = int32(len(s.revisions) - 1)
	for _, id := range f.idle {
		s.destroy(id)
	}
	for _, id := range f.starting {
		s.destroy(id)
	}
	f.idle, f.starting = f.idle[:0], f.starting[:0]
	for _, id := range f.open {
		s.instances[id].open = -1
	}
	f.open = f.open[:0]
	f.expireAt = 0
	s.recover(f, i)
	s.fill(f, i)
	s.serveLine(anyNode)
}

// Usage returns what the revisions of a function used until now, the current
// one first.
func (s *Fleet) Usage(i int32) []Usage {
	var out []Usage
	for r := s.fns[i].revision; r >= 0; r = s.revisions[r].previous {
		u := s.revisions[r].usage
		u.Resources = s.revisions[r].resources
		out = append(out, u)
	}
	return out
}

// Idle is the idle time of a function's instances until now, within the counted
// time.
func (s *Fleet) Idle(i int32) time.Duration {
	f := &s.fns[i]
	for _, list := range [...][]int32{f.idle, f.starting} {
		for _, id := range list {
			s.settle(&s.instances[id])
		}
	}
	var sum time.Duration
	for r := f.revision; r >= 0; r = s.revisions[r].previous {
		sum += s.revisions[r].usage.Idle
	}
	return sum
}

// Settle charges all instances until now, so that Usage is up to date.
func (s *Fleet) Settle() {
	for id := range s.instances {
		if x := &s.instances[id]; x.state != gone {
			s.settle(x)
		}
	}
}
