package replay

import (
	"slices"

	"github.com/aquatope/aquatope/pool"
)

// floors is a policy that keeps what functions declare, whatever another plans.
type floors struct {
	pool.Policy
	least []int
	plan  pool.Plan
}

// withFloors returns the policy itself where nothing is declared. What else the
// policy can do, to choose who is evicted and to look ahead, stays.
func withFloors(p pool.Policy, functions []Function) pool.Policy {
	if !slices.ContainsFunc(functions, func(f Function) bool { return f.Min > 0 }) {
		return p
	}
	f := &floors{Policy: p, plan: make(pool.Plan, len(functions))}
	for _, x := range functions {
		f.least = append(f.least, x.Min)
	}
	e, evicts := p.(pool.Evictor)
	l, looks := p.(pool.Foreseer)
	switch {
	case evicts && looks:
		return struct {
			*floors
			pool.Evictor
			pool.Foreseer
		}{f, e, l}
	case evicts:
		return struct {
			*floors
			pool.Evictor
		}{f, e}
	case looks:
		return struct {
			*floors
			pool.Foreseer
		}{f, l}
	}
	return f
}

// Plan implements pool.Policy.
func (f *floors) Plan(s *pool.Snapshot) pool.Plan {
	p := f.Policy.Plan(s)
	for i := range f.plan {
		if p != nil {
			f.plan[i] = p[i]
		}
		f.plan[i].Warm = max(f.plan[i].Warm, f.least[i])
	}
	return f.plan
}
