package fleet

import "container/heap"

// victims is a heap of the instances of a node that are idle or were, by a lower
// bound of what they are worth: worth only grows while instances are used, so
// that the first entry that is exact is the least.
type victims []victim

type victim struct {
	worth      float64
	instance   int32
	generation uint32
}

func (v victims) Len() int { return len(v) }
func (v victims) Less(i, j int) bool {
	return v[i].worth < v[j].worth || v[i].worth == v[j].worth && v[i].instance < v[j].instance
}
func (v victims) Swap(i, j int) { v[i], v[j] = v[j], v[i] }
func (v *victims) Push(x any)   { *v = append(*v, x.(victim)) }
func (v *victims) Pop() any {
	old := *v
	x := old[len(old)-1]
	*v = old[:len(old)-1]
	return x
}

// worth is what an idle instance is worth: to the policy, or else by the time
// since which it is idle.
func (s *Fleet) worth(x *instance) float64 {
	if s.evictor != nil {
		return s.evictor.Worth(int(x.function), x.stamp)
	}
	return float64(x.since)
}

// listVictim adds an idle instance to the victims, unless an earlier entry
// stands for it.
func (s *Fleet) listVictim(id int32) {
	x := &s.instances[id]
	if !s.limited() || x.listed {
		return
	}
	x.listed = true
	v := &s.nodes[x.node].victims
	if len(*v) >= 64 && len(*v) == cap(*v) {
		s.compact(v)
	}
	heap.Push(v, victim{s.worth(x), id, x.generation})
}

// compact forgets entries of instances that are no more.
func (s *Fleet) compact(v *victims) {
	kept := (*v)[:0]
	for _, e := range *v {
		if s.instances[e.instance].generation == e.generation {
			kept = append(kept, e)
		}
	}
	*v = kept
	heap.Init(v)
}

// evict ends the idle instance of least worth on a node, which has one.
func (s *Fleet) evict(on int32) {
	v := &s.nodes[on].victims
	for {
		e := (*v)[0]
		x := &s.instances[e.instance]
		if x.generation != e.generation || x.state != idle {
			heap.Pop(v)
			if x.generation == e.generation {
				x.listed = false
			}
			continue
		}
		if w := s.worth(x); w != e.worth {
			(*v)[0].worth = w
			heap.Fix(v, 0)
			continue
		}
		heap.Pop(v)
		i, uses := x.function, int(x.uses)
		f := &s.fns[i]
		f.idle = remove(f.idle, e.instance)
		s.destroy(e.instance)
		if s.Counted(s.now) {
			s.counts.Evicted++
		}
		if s.evictor != nil {
			s.evictor.Evicted(int(i), e.worth, uses)
			for _, id := range f.idle { // the function may be worth less now
				s.instances[id].listed = false
				s.listVictim(id)
			}
		}
		return
	}
}
