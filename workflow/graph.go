package workflow

import "time"

// Graph is the shape of a workflow as far as latency and demand are concerned:
// a tree of series, parallel, choice and loop over stages. A task reached by
// several ways (jumped to after a switch) is one Stage with a Node for each way
// that the tree cannot join. A Graph is read-only once made.
type Graph struct {
	Stages []Stage // in order of the document
	Root   *Node
}

// Stage is a task that calls a function.
type Stage struct {
	Path     string // Task.Path
	Name     string // Task.Name
	Function string // "" for an HTTP endpoint
}

// Kind is the kind of a Node.
type Kind int

// The kinds of nodes.
const (
	KindStage    Kind = iota // one stage
	KindSeries               // children one after the other; none takes no time
	KindParallel             // children at the same time, all awaited
	KindRace                 // children at the same time, the first wins
	KindChoice               // one child, by Probability
	KindLoop                 // the one child Count times, Width at once
	KindDelay                // a wait of Delay
)

// Node is one node of a Graph's tree.
type Node struct {
	Kind        Kind
	Stage       int // index into Graph.Stages, for KindStage
	Children    []*Node
	Probability []float64     // of each child, sums to 1, for KindChoice
	Count       float64       // mean number of iterations, for KindLoop
	Inputs      []Ways        // Probability or Count of runs with each input, where these differ here; else nil
	Width       int           // iterations at once, for KindLoop; at least 1
	Delay       time.Duration // for KindDelay
}

// VisitRatios returns, for every stage, the mean number of its invocations in
// one run. A branch that loses a race counts in full: it was started.
func (g *Graph) VisitRatios() []float64 { return g.VisitRatiosOf(-1) }

// VisitRatiosOf is VisitRatios for runs with one input, or for all with -1.
func (g *Graph) VisitRatiosOf(input int) []float64 {
	ratios := make([]float64, len(g.Stages))
	g.Root.visits(input, 1, ratios)
	return ratios
}

func (n *Node) visits(input int, rate float64, ratios []float64) {
	if n.Kind == KindStage {
		ratios[n.Stage] += rate
	}
	ways := n.Of(input)
	for i, child := range n.Children {
		child.visits(input, rate*ways.rate(n.Kind, i), ratios)
	}
}

// Widths returns how many invocations of each stage a run has at once at most.
func (g *Graph) Widths() []int {
	out := make([]int, len(g.Stages))
	var walk func(n *Node, times int)
	walk = func(n *Node, times int) {
		switch n.Kind {
		case KindStage:
			out[n.Stage] = max(out[n.Stage], times)
		case KindLoop:
			times *= max(1, min(n.Width, n.Iterations()))
		}
		for _, c := range n.Children {
			walk(c, times)
		}
	}
	walk(g.Root, 1)
	return out
}
