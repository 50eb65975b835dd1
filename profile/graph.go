package profile

import (
	"fmt"
	"time"

	"github.com/aquatope/aquatope/workflow"
	"gonum.org/v1/gonum/floats"
)

// Node is one node of a workflow's shape. Exactly one field is set, except that
// Function goes with Stage and is the stage's name where absent.
type Node struct {
	Stage       string  `json:"stage,omitempty"`
	Function    string  `json:"function,omitempty"`
	Series      []Node  `json:"series,omitzero"`
	Parallel    []Node  `json:"parallel,omitempty"`
	Race        []Node  `json:"race,omitempty"`
	Choice      []Way   `json:"choice,omitempty"`
	Loop        *Loop   `json:"loop,omitempty"`
	DelayMillis float64 `json:"delayMillis,omitempty"`
}

// Way is one way of a choice.
type Way struct {
	Probability Rates `json:"probability"`
	Do          Node  `json:"do"`
}

// Loop runs Do Count times on average, Width (by default 1) at once.
type Loop struct {
	Count Rates `json:"count"`
	Width int   `json:"width,omitempty"`
	Do    Node  `json:"do"`
}

// maxDepth and maxStages bound what a file can make a reader do.
const (
	maxDepth  = 100
	maxStages = 1000
)

// converter makes the graph of a file.
type converter struct {
	graph  workflow.Graph
	seen   map[string]int // stages by name
	inputs int
}

// graph converts the shape, given how often runs get each input.
func (n *Node) graph(weights []float64) (*workflow.Graph, error) {
	c := &converter{seen: map[string]int{}, inputs: len(weights)}
	root, err := c.node(n, 0)
	if err != nil {
		return nil, fmt.Errorf("reading a profile: graph: %w", err)
	}
	if len(c.graph.Stages) == 0 {
		return nil, fmt.Errorf("reading a profile: graph: it has no stage")
	}
	c.graph.Root = root
	c.graph.Mix(weights)
	return &c.graph, nil
}

func (c *converter) node(n *Node, depth int) (*workflow.Node, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("more than %d levels deep", maxDepth)
	}
	set := 0
	for _, is := range []bool{n.Stage != "", n.Series != nil, n.Parallel != nil, n.Race != nil, n.Choice != nil, n.Loop != nil, n.DelayMillis != 0} {
		if is {
			set++
		}
	}
	if set != 1 {
		return nil, fmt.Errorf("a node needs exactly one of stage, series, parallel, race, choice, loop, delayMillis; one has %d", set)
	}
	list := func(kind workflow.Kind, nodes []Node) (*workflow.Node, error) {
		out := &workflow.Node{Kind: kind}
		for i := range nodes {
			child, err := c.node(&nodes[i], depth+1)
			if err != nil {
				return nil, err
			}
			out.Children = append(out.Children, child)
		}
		return out, nil
	}
	switch {
	case n.Stage != "":
		return c.stage(n)
	case n.Series != nil:
		return list(workflow.KindSeries, n.Series)
	case n.Parallel != nil:
		return list(workflow.KindParallel, n.Parallel)
	case n.Race != nil:
		if len(n.Race) == 0 {
			return nil, fmt.Errorf("a race needs something that runs")
		}
		return list(workflow.KindRace, n.Race)
	case n.Loop != nil:
		return c.loop(n.Loop, depth)
	case n.Choice != nil:
		return c.choice(n.Choice, depth)
	}
	if !(n.DelayMillis > 0 && n.DelayMillis < 1e9) {
		return nil, fmt.Errorf("delayMillis is %v", n.DelayMillis)
	}
	return &workflow.Node{Kind: workflow.KindDelay, Delay: time.Duration(n.DelayMillis * float64(time.Millisecond))}, nil
}

func (c *converter) stage(n *Node) (*workflow.Node, error) {
	g := &c.graph
	fn := n.Function
	if fn == "" {
		fn = n.Stage
	}
	i, known := c.seen[n.Stage]
	if !known {
		if len(g.Stages) == maxStages {
			return nil, fmt.Errorf("more than %d stages", maxStages)
		}
		i = len(g.Stages)
		c.seen[n.Stage] = i
		g.Stages = append(g.Stages, workflow.Stage{Path: n.Stage, Name: n.Stage, Function: fn})
	} else if g.Stages[i].Function != fn {
		return nil, fmt.Errorf("stage %q calls both %q and %q", n.Stage, g.Stages[i].Function, fn)
	}
	return &workflow.Node{Kind: workflow.KindStage, Stage: i}, nil
}

func (c *converter) loop(l *Loop, depth int) (*workflow.Node, error) {
	if err := l.Count.check("count", c.inputs, 10000); err != nil {
		return nil, err
	}
	if l.Width < 0 {
		return nil, fmt.Errorf("a loop with width %d", l.Width)
	}
	child, err := c.node(&l.Do, depth+1)
	if err != nil {
		return nil, err
	}
	out := &workflow.Node{Kind: workflow.KindLoop, Count: l.Count[0], Width: max(l.Width, 1), Children: []*workflow.Node{child}}
	for k := range c.inputs {
		out.Inputs = append(out.Inputs, workflow.Ways{Count: l.Count.of(k)})
	}
	return out, nil
}

func (c *converter) choice(ways []Way, depth int) (*workflow.Node, error) {
	out := &workflow.Node{Kind: workflow.KindChoice, Inputs: make([]workflow.Ways, c.inputs)}
	for i := range ways {
		w := &ways[i]
		if err := w.Probability.check("probability", c.inputs, 1); err != nil {
			return nil, err
		}
		child, err := c.node(&w.Do, depth+1)
		if err != nil {
			return nil, err
		}
		out.Children = append(out.Children, child)
		out.Probability = append(out.Probability, w.Probability[0])
		for k := range out.Inputs {
			out.Inputs[k].Probability = append(out.Inputs[k].Probability, w.Probability.of(k))
		}
	}
	for k := range max(c.inputs, 1) {
		if sum := floats.Sum(out.Of(k).Probability); sum < 0.999 || sum > 1.001 {
			return nil, fmt.Errorf("the probabilities of a choice add up to %v, want 1; for a way that does nothing, use an empty series", sum)
		}
	}
	return out, nil
}

// NodeOf returns the shape of g as a file has it. Stages are called by their
// names, by their paths where two have the same name.
func NodeOf(g *workflow.Graph) Node {
	used := map[string]int{}
	for _, s := range g.Stages {
		used[s.Name]++
	}
	names := make([]string, len(g.Stages))
	for i, s := range g.Stages {
		if names[i] = s.Name; s.Name == "" || used[s.Name] > 1 {
			names[i] = s.Path
		}
	}
	return nodeOf(g, g.Root, names)
}

func nodeOf(g *workflow.Graph, n *workflow.Node, names []string) Node {
	children := make([]Node, len(n.Children))
	for i, c := range n.Children {
		children[i] = nodeOf(g, c, names)
	}
	switch n.Kind {
	case workflow.KindStage:
		if g.Stages[n.Stage].Function == "" {
			return Node{Series: []Node{}} // an endpoint elsewhere is not profiled
		}
		return Node{Stage: names[n.Stage], Function: g.Stages[n.Stage].Function}
	case workflow.KindParallel:
		return Node{Parallel: children}
	case workflow.KindRace:
		return Node{Race: children}
	case workflow.KindLoop:
		count := ratesOf(n, func(w workflow.Ways) float64 { return w.Count })
		return Node{Loop: &Loop{Count: count, Width: n.Width, Do: children[0]}}
	case workflow.KindChoice:
		out := Node{Choice: []Way{}}
		for i, c := range children {
			p := ratesOf(n, func(w workflow.Ways) float64 { return w.Probability[i] })
			out.Choice = append(out.Choice, Way{Probability: p, Do: c})
		}
		return out
	case workflow.KindDelay:
		return Node{DelayMillis: float64(n.Delay) / float64(time.Millisecond)}
	}
	return Node{Series: children}
}

// ratesOf returns a rate of each input, or that of all where they do not differ.
func ratesOf(n *workflow.Node, rate func(workflow.Ways) float64) Rates {
	if len(n.Inputs) == 0 {
		return Rates{rate(n.Of(-1))}
	}
	out := make(Rates, len(n.Inputs))
	for k, w := range n.Inputs {
		out[k] = rate(w)
	}
	return out
}
