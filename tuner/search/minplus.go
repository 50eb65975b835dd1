package search

import (
	"math"

	"github.com/aquatope/aquatope/workflow"
)

// plan is the least cost of a part of the graph for every time budget, in bins,
// and how to achieve it.
type plan struct {
	cost []float64
	pick func(bin int, choice []int)
}

// minPlus returns the choice of least cost whose composed effective times stay
// within budget seconds. Effective times are rounded up to bins, so the choice
// is safe, and exact but for the rounding. Where several stages share a function
// each votes, and the fastest vote counts. ok is false if the budget is too
// small for any choice.
func (s *Space) minPlus(budget float64) (choice []int, ok bool) {
	if !(budget > 0) {
		return nil, false
	}
	bins := min(max(24*len(s.Graph.Stages), 256), 1024)
	leaves := make([]int, len(s.Options))
	countLeaves(s.Graph.Root, s.Variable, leaves)
	d := dp{s: s, bins: bins, width: budget / float64(bins), leaves: leaves}
	p := d.node(s.Graph.Root)
	if math.IsInf(p.cost[bins], 1) {
		return nil, false
	}
	choice = make([]int, len(s.Options))
	for v := range choice {
		choice[v] = len(s.Options[v]) - 1
	}
	p.pick(bins, choice)
	return choice, true
}

func countLeaves(n *workflow.Node, variable, leaves []int) {
	if n.Kind == workflow.KindStage {
		leaves[variable[n.Stage]]++
	}
	for _, c := range n.Children {
		countLeaves(c, variable, leaves)
	}
}

type dp struct {
	s      *Space
	bins   int
	width  float64
	leaves []int
}

func (d *dp) node(n *workflow.Node) plan {
	switch n.Kind {
	case workflow.KindStage:
		return d.stage(n)
	case workflow.KindDelay:
		return d.shift(plan{cost: make([]float64, d.bins+1), pick: func(int, []int) {}}, n.Delay.Seconds())
	case workflow.KindLoop:
		return d.stretch(d.node(n.Children[0]), rounds(n))
	case workflow.KindSeries:
		p := plan{cost: make([]float64, d.bins+1), pick: func(int, []int) {}}
		for _, c := range n.Children {
			p = d.series(p, d.node(c))
		}
		return p
	}
	// Parallel branches share the deadline; so, conservatively, do the ways of a
	// choice and the runners of a race. Costs of a choice are averages already.
	p := plan{cost: make([]float64, d.bins+1), pick: func(int, []int) {}}
	for _, c := range n.Children {
		p = d.parallel(p, d.node(c))
	}
	return p
}

// rounds is how often the iterations of a loop follow one another at most.
func rounds(n *workflow.Node) float64 {
	return max(math.Ceil(float64(n.Iterations())/float64(max(n.Width, 1))), 1)
}

// stage takes for every budget the slowest option, which is the cheapest.
func (d *dp) stage(n *workflow.Node) plan {
	v := d.s.Variable[n.Stage]
	options := d.s.Options[v]
	share := 1 / float64(d.leaves[v])
	cost, which := make([]float64, d.bins+1), make([]int, d.bins+1)
	for b := range cost {
		cost[b] = math.Inf(1)
	}
	for i, o := range options {
		b := math.Ceil(o.Time / d.width)
		if b <= float64(d.bins) && o.Cost*share < cost[int(b)] {
			cost[int(b)], which[int(b)] = o.Cost*share, i
		}
	}
	for b := 1; b <= d.bins; b++ {
		if cost[b-1] <= cost[b] {
			cost[b], which[b] = cost[b-1], which[b-1]
		}
	}
	return plan{cost: cost, pick: func(bin int, choice []int) {
		if i := which[bin]; options[i].Time < options[choice[v]].Time {
			choice[v] = i
		}
	}}
}

// series is the min-plus convolution.
func (d *dp) series(a, b plan) plan {
	cost, split := make([]float64, d.bins+1), make([]int, d.bins+1)
	// A part never costs more with a larger budget; those are of use that save something.
	var steps []int
	for k, c := range b.cost {
		if k == 0 && !math.IsInf(c, 1) || k > 0 && c < b.cost[k-1] {
			steps = append(steps, k)
		}
	}
	for t := range cost {
		cost[t] = math.Inf(1)
		for _, k := range steps {
			if k > t {
				break
			}
			if c := a.cost[t-k] + b.cost[k]; c < cost[t] {
				cost[t], split[t] = c, k
			}
		}
	}
	return plan{cost: cost, pick: func(bin int, choice []int) {
		a.pick(bin-split[bin], choice)
		b.pick(split[bin], choice)
	}}
}

func (d *dp) parallel(a, b plan) plan {
	cost := make([]float64, d.bins+1)
	for t := range cost {
		cost[t] = a.cost[t] + b.cost[t]
	}
	return plan{cost: cost, pick: func(bin int, choice []int) {
		a.pick(bin, choice)
		b.pick(bin, choice)
	}}
}

// shift delays a part by a fixed time.
func (d *dp) shift(p plan, seconds float64) plan {
	by := int(math.Min(math.Ceil(seconds/d.width), float64(d.bins+1)))
	cost := make([]float64, d.bins+1)
	for t := range cost {
		cost[t] = math.Inf(1)
		if t >= by {
			cost[t] = p.cost[t-by]
		}
	}
	return plan{cost: cost, pick: func(bin int, choice []int) { p.pick(bin-by, choice) }}
}

// stretch repeats a part.
func (d *dp) stretch(p plan, times float64) plan {
	cost := make([]float64, d.bins+1)
	for t := range cost {
		cost[t] = p.cost[int(float64(t)/times)]
	}
	return plan{cost: cost, pick: func(bin int, choice []int) { p.pick(int(float64(bin)/times), choice) }}
}
