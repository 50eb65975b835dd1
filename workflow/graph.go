package workflow

// Graph is the shape of a workflow as far as latency and demand are concerned:
// a tree of series, parallel, choice and loop over stages. A task reached by
// several ways (after a switch) appears once for each of them.
type Graph struct {
	Stages []Stage
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
	KindSeries               // children one after the other
	KindParallel             // children at the same time, all awaited
	KindRace                 // children at the same time, the first wins
	KindChoice               // one child, by Probability
	KindLoop                 // the one child Count times, Width at once
)

// Node is one node of a Graph's tree.
type Node struct {
	Kind        Kind
	Stage       int // index into Graph.Stages, for KindStage
	Children    []*Node
	Probability []float64 // of each child, sums to 1, for KindChoice
	Count       float64   // mean number of iterations, for KindLoop
	Width       int       // iterations at once, for KindLoop; at least 1
}
