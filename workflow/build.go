package workflow

import "fmt"

// maxNodes bounds the tree of a graph. Jumps that overlap without joining
// duplicate what follows them, at worst exponentially.
const maxNodes = 20_000

// NewGraph derives the graph of w. It fails when a jump leads nowhere or
// backwards, or when so many jumps overlap that the tree would explode.
//
// Some things are approximated. A task that ends the run from within a branch
// of a fork, an iteration or a retried try ends just that. An error is taken to
// strike when the tasks of its try are through. Time spent outside stages and
// waits is nil.
func NewGraph(w *Workflow, b Branching) (*Graph, error) {
	g := &builder{branching: b, stages: map[string]int{}}
	root := g.scope(w.Do)
	if g.err != nil {
		return nil, fmt.Errorf("workflow %s: %w", w.Name, g.err)
	}
	return &Graph{Stages: g.list, Root: root}, nil
}

// builder turns tasks into nodes. The first error stays.
type builder struct {
	branching Branching
	list      []Stage
	stages    map[string]int // path to index in list
	nodes     int
	err       error
}

func (g *builder) fail(format string, args ...any) {
	if g.err == nil {
		g.err = fmt.Errorf(format, args...)
	}
}

// node counts and returns n.
func (g *builder) node(n Node) *Node {
	if g.nodes++; g.nodes > maxNodes {
		g.fail("its jumps overlap in too many ways (more than %d nodes); join them earlier, or move parts into tasks of their own with do", maxNodes)
	}
	return &n
}

// series returns the nodes one after the other, as little nested as possible.
func (g *builder) series(nodes []*Node) *Node {
	if len(nodes) == 1 {
		return nodes[0]
	}
	return g.node(Node{Kind: KindSeries, Children: nodes})
}

// single returns the node of a task by itself, regardless of its if and of
// where control goes next; nil for one that takes no time. Tasks that share
// the control flow of the list around them (do, switch, raise, try) are not
// single, see flow.
func (g *builder) single(t *Task) *Node {
	switch {
	case t.Call != nil:
		return g.node(Node{Kind: KindStage, Stage: g.stage(t)})
	case t.Wait > 0:
		return g.node(Node{Kind: KindDelay, Delay: t.Wait})
	case t.Fork != nil:
		return g.fork(t.Fork)
	case t.For != nil:
		body := g.scope(t.For.Do)
		count := g.branching.iterations(t.Path, t.For)
		return g.node(Node{Kind: KindLoop, Children: []*Node{body}, Count: count, Width: max(t.For.Parallel, 1)})
	}
	return nil
}

func (g *builder) stage(t *Task) int {
	i, ok := g.stages[t.Path]
	if !ok {
		i = len(g.list)
		g.stages[t.Path] = i
		g.list = append(g.list, Stage{Path: t.Path, Name: t.Name, Function: t.Call.Function})
	}
	return i
}

func (g *builder) fork(f *Fork) *Node {
	kind := KindParallel
	if f.Compete {
		kind = KindRace
	}
	n := Node{Kind: kind}
	for i := range f.Branches {
		n.Children = append(n.Children, g.scope(f.Branches[i:i+1:i+1]))
	}
	return g.node(n)
}

// attempts returns the node of a try's tasks, retried.
func (g *builder) attempts(t *Task) *Node {
	body := g.scope(t.Try.Do)
	more := g.branching.attempts(t.Path) - 1
	if more <= 0 {
		return body
	}
	again := body
	if delay := t.Try.Catch.Retry.Delay; delay > 0 {
		again = g.series([]*Node{g.node(Node{Kind: KindDelay, Delay: delay}), body})
	}
	return g.series([]*Node{body, g.node(Node{Kind: KindLoop, Children: []*Node{again}, Count: more, Width: 1})})
}
