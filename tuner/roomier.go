package tuner

import (
	"math"
	"slices"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/tuner/search"
)

const (
	// roomFor is the share of the cost that is spent on CPU where it costs least.
	roomFor = 0.005
	// whole is the CPU from which on a quota does not stop a single thread.
	whole function.MilliCPU = 1000
)

// roomier gives functions that cost next to nothing more CPU than seems needed. A
// function that takes a fraction of a millisecond stalls for many of them when it is
// throttled, in one invocation out of ten or twenty with little CPU. A dozen runs may
// well show none of these, and the promise depends on them; what rules them out, more
// CPU, is nearly free there. Steps that cost least for what CPU they add come first;
// each must leave the statistic within the target, or no worse.
func (b *belief) roomier(sp *search.Space, sol search.Solution) []int {
	choice := slices.Clone(sol.Choice)
	limit := math.Max(b.p.Target.Seconds, sol.Value)
	left := roomFor * sp.Cost(choice)
	done := make([]bool, len(b.p.Functions))
	for {
		function, option, least := -1, 0, math.Inf(1)
		for v := range b.p.Functions {
			now := sp.Options[v][choice[v]]
			for i, o := range sp.Options[v] {
				if done[v] || o.Resources.CPU <= now.Resources.CPU || o.Resources.CPU > whole {
					continue
				}
				more := float64(o.Resources.CPU) / float64(now.Resources.CPU)
				if extra := math.Max(o.Cost-now.Cost, 0); extra <= left && extra/math.Log(more) < least {
					function, option, least = v, i, extra/math.Log(more)
				}
			}
		}
		if function < 0 {
			return choice
		}
		before := choice[function]
		choice[function] = option
		if sp.Value(choice) > limit {
			choice[function], done[function] = before, true
			continue
		}
		left -= math.Max(sp.Options[function][option].Cost-sp.Options[function][before].Cost, 0)
	}
}
