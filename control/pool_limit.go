package control

import (
	"cmp"
	"slices"

	"github.com/aquatope/aquatope/function"
)

// warmShare of the machine is the most that instances kept warm because of a
// forecast may hold, those that are declared included: the rest is for what
// nobody foresaw.
const warmShare = 0.75

// Want is how many warm instances a function should have.
type Want struct {
	Floor  int // declared: holds before any forecast
	Target int // decided
	Max    int // hard cap; 0 is none
	// Each is what one instance holds.
	Each function.Resources
	// Worth orders functions when the machine is too small for all.
	Worth float64
}

// Limit returns how many instances each function gets: the larger of floor and
// target, at most Max, and beyond the floors only what fits into the budget, one
// instance for each function in order of worth, then the next. A dimension of
// the budget that is 0 or less leaves room for floors only.
func Limit(wants []Want, budget function.Resources) []int {
	out := make([]int, len(wants))
	most := make([]int, len(wants))
	order := make([]int, len(wants))
	cpu, memory := int64(budget.CPU), int64(budget.Memory)
	for i, w := range wants {
		order[i] = i
		out[i], most[i] = max(0, w.Floor), max(0, w.Floor, w.Target)
		if w.Max > 0 {
			out[i], most[i] = min(out[i], w.Max), min(most[i], w.Max)
		}
		cpu -= int64(out[i]) * int64(w.Each.CPU)
		memory -= int64(out[i]) * int64(w.Each.Memory)
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(wants[b].Worth, wants[a].Worth) })
	for given := true; given; {
		given = false
		for _, i := range order {
			each := wants[i].Each
			if out[i] >= most[i] || int64(each.CPU) > cpu || int64(each.Memory) > memory || each.Memory <= 0 {
				continue
			}
			out[i]++
			cpu -= int64(each.CPU)
			memory -= int64(each.Memory)
			given = true
		}
	}
	return out
}
