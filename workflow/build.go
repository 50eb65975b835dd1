package workflow

import (
	"fmt"
	"slices"
)

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
	return NewGraphOf(w, []Branching{b}, []float64{1})
}

// NewGraphOf is NewGraph for runs with several inputs: what was measured of runs
// with each, and how often runs get it.
func NewGraphOf(w *Workflow, inputs []Branching, weights []float64) (*Graph, error) {
	b := &builder{inputs: inputs, stages: map[string]int{}}
	root := b.scope(w.Do)
	if b.err != nil {
		return nil, fmt.Errorf("workflow %s: %w", w.Name, b.err)
	}
	g := &Graph{Stages: b.list, Root: root}
	g.Mix(weights)
	return g, nil
}

// builder turns tasks into nodes. The first error stays.
type builder struct {
	inputs []Branching
	list   []Stage
	stages map[string]int // path to index in list
	nodes  int
	err    error
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
		return g.loop(body, max(t.For.Parallel, 1), func(b Branching) float64 { return b.iterations(t.Path, t.For) })
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
	more := func(b Branching) float64 { return b.attempts(t.Path) - 1 }
	if !slices.ContainsFunc(g.inputs, func(b Branching) bool { return more(b) > 0 }) {
		return body
	}
	again := body
	if delay := t.Try.Catch.Retry.Delay; delay > 0 {
		again = g.series([]*Node{g.node(Node{Kind: KindDelay, Delay: delay}), body})
	}
	return g.series([]*Node{body, g.loop(again, 1, more)})
}

// loop returns the node that repeats body as often as each input has it.
func (g *builder) loop(body *Node, width int, count func(Branching) float64) *Node {
	n := Node{Kind: KindLoop, Children: []*Node{body}, Width: width}
	for _, b := range g.inputs {
		n.Inputs = append(n.Inputs, Ways{Count: count(b)})
	}
	return g.node(n)
}

// chances are the probabilities of a way of a choice, one for each input.
type chances []float64

// chances asks what was measured of each input.
func (g *builder) chances(of func(Branching) float64) chances {
	out := make(chances, len(g.inputs))
	for k, b := range g.inputs {
		out[k] = of(b)
	}
	return out
}

// rest is the probability of the other way.
func (c chances) rest() chances {
	out := make(chances, len(c))
	for k, p := range c {
		out[k] = 1 - p
	}
	return out
}
