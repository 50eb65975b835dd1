package profile

import (
	"fmt"
	"time"

	"github.com/aquatope/aquatope/workflow"
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
	Probability float64 `json:"probability"`
	Do          Node    `json:"do"`
}

// Loop runs Do Count times on average, Width (by default 1) at once.
type Loop struct {
	Count float64 `json:"count"`
	Width int     `json:"width,omitempty"`
	Do    Node    `json:"do"`
}

// maxDepth and maxStages bound what a file can make a reader do.
const (
	maxDepth  = 100
	maxStages = 1000
)

// graph converts the shape.
func (n *Node) graph() (*workflow.Graph, error) {
	g := &workflow.Graph{}
	seen := map[string]int{}
	root, err := n.convert(g, seen, 0)
	if err != nil {
		return nil, fmt.Errorf("reading a profile: graph: %w", err)
	}
	if len(g.Stages) == 0 {
		return nil, fmt.Errorf("reading a profile: graph: it has no stage")
	}
	g.Root = root
	return g, nil
}

func (n *Node) convert(g *workflow.Graph, seen map[string]int, depth int) (*workflow.Node, error) {
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
			c, err := nodes[i].convert(g, seen, depth+1)
			if err != nil {
				return nil, err
			}
			out.Children = append(out.Children, c)
		}
		return out, nil
	}
	switch {
	case n.Stage != "":
		return n.stage(g, seen)
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
		return n.loop(g, seen, depth)
	case n.Choice != nil:
		return n.choice(g, seen, depth)
	}
	if !(n.DelayMillis > 0 && n.DelayMillis < 1e9) {
		return nil, fmt.Errorf("delayMillis is %v", n.DelayMillis)
	}
	return &workflow.Node{Kind: workflow.KindDelay, Delay: time.Duration(n.DelayMillis * float64(time.Millisecond))}, nil
}

func (n *Node) stage(g *workflow.Graph, seen map[string]int) (*workflow.Node, error) {
	fn := n.Function
	if fn == "" {
		fn = n.Stage
	}
	i, known := seen[n.Stage]
	if !known {
		if len(g.Stages) == maxStages {
			return nil, fmt.Errorf("more than %d stages", maxStages)
		}
		i = len(g.Stages)
		seen[n.Stage] = i
		g.Stages = append(g.Stages, workflow.Stage{Path: n.Stage, Name: n.Stage, Function: fn})
	} else if g.Stages[i].Function != fn {
		return nil, fmt.Errorf("stage %q calls both %q and %q", n.Stage, g.Stages[i].Function, fn)
	}
	return &workflow.Node{Kind: workflow.KindStage, Stage: i}, nil
}

func (n *Node) loop(g *workflow.Graph, seen map[string]int, depth int) (*workflow.Node, error) {
	l := *n.Loop
	if l.Width == 0 {
		l.Width = 1
	}
	if !(l.Count >= 0 && l.Count <= 10000) || l.Width < 1 {
		return nil, fmt.Errorf("a loop with count %v and width %d", l.Count, l.Width)
	}
	c, err := l.Do.convert(g, seen, depth+1)
	if err != nil {
		return nil, err
	}
	return &workflow.Node{Kind: workflow.KindLoop, Count: l.Count, Width: l.Width, Children: []*workflow.Node{c}}, nil
}

func (n *Node) choice(g *workflow.Graph, seen map[string]int, depth int) (*workflow.Node, error) {
	out := &workflow.Node{Kind: workflow.KindChoice}
	var sum float64
	for i := range n.Choice {
		w := &n.Choice[i]
		if !(w.Probability >= 0 && w.Probability <= 1) {
			return nil, fmt.Errorf("a choice with probability %v", w.Probability)
		}
		sum += w.Probability
		c, err := w.Do.convert(g, seen, depth+1)
		if err != nil {
			return nil, err
		}
		out.Children = append(out.Children, c)
		out.Probability = append(out.Probability, w.Probability)
	}
	if sum < 0.999 || sum > 1.001 {
		return nil, fmt.Errorf("the probabilities of a choice add up to %v, want 1; for a way that does nothing, use an empty series", sum)
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
		return Node{Loop: &Loop{Count: n.Count, Width: n.Width, Do: children[0]}}
	case workflow.KindChoice:
		out := Node{Choice: []Way{}}
		for i, c := range children {
			out.Choice = append(out.Choice, Way{Probability: n.Probability[i], Do: c})
		}
		return out
	case workflow.KindDelay:
		return Node{DelayMillis: float64(n.Delay) / float64(time.Millisecond)}
	}
	return Node{Series: children}
}
