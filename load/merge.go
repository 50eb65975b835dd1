package load

import "iter"

// Merge interleaves schedules in order of time; of arrivals at the same moment
// that of the earlier argument comes first.
func Merge(schedules ...Schedule) Schedule {
	return func(yield func(Arrival) bool) {
		type head struct {
			next func() (Arrival, bool)
			a    Arrival
		}
		var heads []*head
		for _, s := range schedules {
			next, stop := iter.Pull(s)
			defer stop()
			if a, ok := next(); ok {
				heads = append(heads, &head{next, a})
			}
		}
		// Few schedules are merged, so a scan beats a heap.
		for len(heads) > 0 {
			first := 0
			for i, h := range heads {
				if h.a.At < heads[first].a.At {
					first = i
				}
			}
			h := heads[first]
			if !yield(h.a) {
				return
			}
			a, ok := h.next()
			if !ok {
				heads = append(heads[:first], heads[first+1:]...)
				continue
			}
			h.a = a
		}
	}
}
