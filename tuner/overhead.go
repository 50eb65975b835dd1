package tuner

import (
	"math"
	"slices"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/workflow"
)

// overheads returns, ascending, the time of each run that its stages do not
// account for: hops between stages, the engine, waiting. Runs of graphs in which
// that cannot be told give none.
func overheads(p *Problem, history []Run) []float64 {
	var out []float64
	for _, r := range history {
		if r.Failed {
			continue
		}
		times := make([][]float64, len(p.Graph.Stages))
		usable := len(r.Invocations) > 0
		for _, inv := range r.Invocations {
			times[inv.Stage] = append(times[inv.Stage], inv.Seconds)
			usable = usable && inv.Outcome == function.OutcomeOK
		}
		if !usable {
			continue
		}
		if t := observed(p.Graph.Root, times); !math.IsNaN(t) {
			out = append(out, math.Max(0, r.Latency-t))
		}
	}
	slices.Sort(out)
	return out
}

// observed composes the times that the stages of one run took; NaN if it cannot
// be told how they were arranged.
func observed(n *workflow.Node, times [][]float64) float64 {
	switch n.Kind {
	case workflow.KindStage:
		if len(times[n.Stage]) != 1 {
			return math.NaN()
		}
		return times[n.Stage][0]
	case workflow.KindDelay:
		return n.Delay.Seconds()
	case workflow.KindSeries, workflow.KindParallel:
		var t float64
		for _, c := range n.Children {
			d := observed(c, times)
			if n.Kind == workflow.KindSeries {
				t += d
			} else {
				t = math.Max(t, d) // NaN if either is
			}
		}
		return t
	case workflow.KindChoice:
		for _, c := range n.Children {
			if d := observed(c, times); !math.IsNaN(d) && len(c.Children) > 0 || c.Kind == workflow.KindStage && len(times[c.Stage]) == 1 {
				return d
			}
		}
		return 0
	case workflow.KindLoop:
		c := n.Children[0]
		if c.Kind == workflow.KindStage {
			return schedule(times[c.Stage], n.Width)
		}
	}
	return math.NaN()
}

// schedule returns how long tasks take, in order, width at a time.
func schedule(tasks []float64, width int) float64 {
	if len(tasks) == 0 {
		return 0
	}
	free := make([]float64, max(1, min(width, len(tasks))))
	for _, t := range tasks {
		place := 0
		for i := range free {
			if free[i] < free[place] {
				place = i
			}
		}
		free[place] += t
	}
	return slices.Max(free)
}
