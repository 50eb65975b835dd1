package tuner

import (
	"math"
	"slices"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/workflow"
)

// overheads returns, ascending, the time of each run that its stages do not
// account for: hops between stages, the engine, waiting, and stages elsewhere that
// are not seen to be invoked. Runs of graphs in which that cannot be told give none.
func overheads(p *Problem, history []Run) []float64 {
	root := unseen(p, history).without(p.Graph.Root)
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
		if t := observed(root, times); !math.IsNaN(t) {
			out = append(out, math.Max(0, r.Latency-t))
		}
	}
	slices.Sort(out)
	return out
}

// stages are some of a graph, by index.
type stages []bool

// unseen returns the stages that call none of the functions and that no run of a
// history has an invocation of.
func unseen(p *Problem, history []Run) stages {
	of, _ := p.variables()
	out := make(stages, len(of))
	for stage, v := range of {
		out[stage] = v >= len(p.Functions)
	}
	for _, r := range history {
		for _, inv := range r.Invocations {
			out[inv.Stage] = false
		}
	}
	return out
}

// without returns the part n of a graph with nothing in place of the stages.
func (s stages) without(n *workflow.Node) *workflow.Node {
	if n.Kind == workflow.KindStage && s[n.Stage] {
		return &workflow.Node{Kind: workflow.KindSeries}
	}
	out := *n
	out.Children = make([]*workflow.Node, len(n.Children))
	for i, c := range n.Children {
		out.Children[i] = s.without(c)
	}
	return &out
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
		return taken(n, times)
	case workflow.KindLoop:
		c := n.Children[0]
		switch {
		case c.Kind == workflow.KindStage:
			return schedule(times[c.Stage], n.Width)
		case c.Kind == workflow.KindSeries && len(c.Children) == 0:
			return 0
		}
	}
	return math.NaN()
}

// taken returns how long the way of a choice took that a run has invocations of; 0
// where it has none of any. Ways without invocations cannot be told apart, nor can
// those that share a stage.
func taken(n *workflow.Node, times [][]float64) float64 {
	var t float64
	ways := 0
	quiet := true // every way without invocations takes no time
	for _, c := range n.Children {
		if invoked(c, times) {
			t = observed(c, times)
			ways++
			continue
		}
		quiet = quiet && !waits(c)
	}
	if ways > 1 || ways == 0 && !quiet {
		return math.NaN()
	}
	return t
}

// invoked reports whether a run has invocations of a stage in the part n.
func invoked(n *workflow.Node, times [][]float64) bool {
	return n.Kind == workflow.KindStage && len(times[n.Stage]) > 0 ||
		slices.ContainsFunc(n.Children, func(c *workflow.Node) bool { return invoked(c, times) })
}

// waits reports whether there is a delay in the part n.
func waits(n *workflow.Node) bool {
	return n.Kind == workflow.KindDelay || slices.ContainsFunc(n.Children, waits)
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
