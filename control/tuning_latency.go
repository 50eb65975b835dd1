package control

import (
	"time"

	"github.com/aquatope/aquatope/function"
)

// NetLatency returns how long a run would have taken had all its instances been
// warm and free: from its end back to its start along the invocations that it
// waited for, their waits are taken off. A cold start is the pool's to answer
// for, not a property of the resources.
func NetLatency(m Measurement) time.Duration {
	net, at := m.End.Sub(m.Start), m.End
	left := append([]function.Observation(nil), m.Invocations...)
	for {
		last, ends := -1, time.Time{}
		for i := range left {
			o := &left[i]
			end := o.Time.Add(o.Queue + o.ColdStart + o.Execution)
			if !end.After(at) && (last < 0 || end.After(ends)) {
				last, ends = i, end
			}
		}
		if last < 0 {
			return max(net, 0)
		}
		net -= left[last].Queue + left[last].ColdStart
		at = left[last].Time
		left = append(left[:last], left[last+1:]...)
	}
}
