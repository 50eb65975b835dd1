package workflow

import (
	"slices"

	"gonum.org/v1/gonum/floats"
)

// flow is the control flow of one scope: a list of tasks with the lists nested
// in it that share its control flow. It is acyclic, and every edge leads from a
// higher block to a lower one, because lists are added from their ends.
type flow struct {
	g      *builder
	blocks []block
}

// block is one step of a flow: an optional node, then one of several ways on.
// Block 0 is the end of the scope.
type block struct {
	node *Node
	next []edge
}

type edge struct {
	to int
	p  chances
}

// exits are the blocks that control reaches when it leaves a list: after the
// list, at the end of the run, or by an error.
type exits struct{ after, end, raised int }

// scope returns the node of tasks that begin and end together.
func (g *builder) scope(tasks []Task) *Node {
	f := &flow{g: g, blocks: make([]block, 1)}
	// Number the stages in order of the document, which building from the end
	// would reverse.
	g.number(tasks)
	entry := f.list(tasks, exits{})
	if g.err != nil {
		return nil
	}
	return g.series(f.path(entry, 0, f.joins()))
}

// number assigns their indices to the stages of a list, nested ones included.
func (g *builder) number(tasks []Task) {
	for i := range tasks {
		t := &tasks[i]
		if t.Call != nil {
			g.stage(t)
		}
		for _, nested := range t.Lists() {
			g.number(nested)
		}
	}
}

func (f *flow) add(node *Node, next ...edge) int {
	f.blocks = append(f.blocks, block{node, next})
	return len(f.blocks) - 1
}

// list adds the tasks of one list and returns the block it starts with.
func (f *flow) list(tasks []Task, x exits) int {
	starts := make([]int, len(tasks)+1)
	starts[len(tasks)] = x.after
	for i := len(tasks) - 1; i >= 0; i-- {
		t := &tasks[i]
		target := func(then string) int {
			switch then {
			case "", "continue":
				return starts[i+1]
			case "exit":
				return x.after
			case "end":
				return x.end
			}
			j := slices.IndexFunc(tasks, func(o Task) bool { return o.Name == then })
			switch {
			case j < 0:
				f.g.fail("task %s: there is no task %q in its list to go to", t.Path, then)
				return x.after
			case j <= i:
				f.g.fail("task %s goes back to %q; jumps lead forward only, use a for to repeat tasks", t.Path, then)
				return x.after
			}
			return starts[j]
		}
		start := f.task(t, target, exits{after: target(t.Then), end: x.end, raised: x.raised})
		if t.If != "" {
			p := f.g.chances(func(b Branching) float64 { return b.runs(t.Path) })
			start = f.choice([]edge{{start, p}, {starts[i+1], p.rest()}})
		}
		starts[i] = start
	}
	return starts[0]
}

// task adds one task and returns the block it starts with.
func (f *flow) task(t *Task, target func(string) int, x exits) int {
	switch {
	case t.Do != nil:
		return f.list(t.Do, x)
	case t.Raise != nil:
		return x.raised
	case t.Switch != nil:
		return f.cases(t, target, x)
	case t.Try != nil:
		return f.try(t, target, x)
	}
	if n := f.g.single(t); n != nil {
		return f.add(n, edge{to: x.after})
	}
	return x.after
}

// try adds a try: its tasks, then a choice of whether they were in error.
func (f *flow) try(t *Task, target func(string) int, x exits) int {
	caught := x.after
	if t.Try.Catch.Then != "" {
		caught = target(t.Try.Catch.Then)
	}
	if len(t.Try.Catch.Do) > 0 {
		caught = f.list(t.Try.Catch.Do, exits{after: caught, end: x.end, raised: x.raised})
	}
	p := f.g.chances(func(b Branching) float64 { return b.errors(t.Path) })
	outcome := f.choice([]edge{{x.after, p.rest()}, {caught, p}})
	if t.Try.Catch.Retry != nil {
		return f.add(f.g.attempts(t), edge{to: outcome})
	}
	return f.list(t.Try.Do, exits{after: outcome, end: x.end, raised: caught})
}

// cases adds a switch. Without a default it goes on when no case matches.
func (f *flow) cases(t *Task, target func(string) int, x exits) int {
	var to []int
	hasDefault := false
	for _, c := range t.Switch {
		to = append(to, target(c.Then))
		hasDefault = hasDefault || c.When == ""
	}
	if !hasDefault {
		to = append(to, x.after)
	}
	edges := make([]edge, len(to))
	for i := range edges {
		edges[i] = edge{to[i], f.g.chances(func(b Branching) float64 { return b.cases(t.Path, len(to))[i] })}
	}
	return f.choice(edges)
}

// choice adds a block that goes one of several ways; ways to the same block are one.
func (f *flow) choice(edges []edge) int {
	var merged []edge
	for _, e := range edges {
		if i := slices.IndexFunc(merged, func(m edge) bool { return m.to == e.to }); i >= 0 {
			floats.Add(merged[i].p, e.p)
		} else {
			merged = append(merged, e)
		}
	}
	if len(merged) == 1 {
		return merged[0].to
	}
	return f.add(nil, merged...)
}

// joins returns, for every block, the first block that all ways from it pass
// (its immediate post-dominator).
func (f *flow) joins() []int {
	join := make([]int, len(f.blocks))
	for i := 1; i < len(f.blocks); i++ {
		j := f.blocks[i].next[0].to
		for _, e := range f.blocks[i].next[1:] {
			// Joins have lower numbers, so the higher of two walks down until they meet.
			for k := e.to; j != k; {
				if j > k {
					j = join[j]
				} else {
					k = join[k]
				}
			}
		}
		join[i] = j
	}
	return join
}

// path returns the nodes from one block up to another that all ways from it pass.
func (f *flow) path(from, to int, join []int) []*Node {
	var nodes []*Node
	for from != to && f.g.err == nil {
		b := f.blocks[from]
		switch {
		case b.node == nil:
		case b.node.Kind == KindSeries:
			nodes = append(nodes, b.node.Children...)
		default:
			nodes = append(nodes, b.node)
		}
		if len(b.next) == 1 {
			from = b.next[0].to
			continue
		}
		n := Node{Kind: KindChoice, Inputs: make([]Ways, len(f.g.inputs))}
		timed := false
		for _, e := range b.next {
			child := f.g.series(f.path(e.to, join[from], join))
			n.Children = append(n.Children, child)
			for k, p := range e.p {
				n.Inputs[k].Probability = append(n.Inputs[k].Probability, p)
			}
			timed = timed || child.Kind != KindSeries || len(child.Children) > 0
		}
		if timed {
			nodes = append(nodes, f.g.node(n))
		}
		from = join[from]
	}
	return nodes
}
