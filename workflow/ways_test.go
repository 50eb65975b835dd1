package workflow_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/aquatope/aquatope/workflow"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// tellApart gives the choices and loops of a tree ways for each of n inputs:
// certain ones if sure, else any.
func tellApart(t *rapid.T, node *workflow.Node, n int, sure bool) {
	for range n {
		var w workflow.Ways
		switch node.Kind {
		case workflow.KindLoop:
			w.Count = float64(rapid.IntRange(0, 4).Draw(t, "count"))
			if !sure {
				w.Count += rapid.SampledFrom([]float64{0, 0.25, 0.5}).Draw(t, "more")
			}
		case workflow.KindChoice:
			w.Probability = make([]float64, len(node.Children))
			for range 4 {
				w.Probability[rapid.IntRange(0, len(node.Children)-1).Draw(t, "way")] += 0.25
				if sure {
					for i, p := range w.Probability {
						w.Probability[i] = 4 * p
					}
					break
				}
			}
		default:
			continue
		}
		node.Inputs = append(node.Inputs, w)
	}
	for _, c := range node.Children {
		tellApart(t, c, n, sure)
	}
}

// only is the tree for runs with one input.
func only(n *workflow.Node, input int) *workflow.Node {
	out := *n
	w := n.Of(input)
	out.Probability, out.Count, out.Inputs, out.Children = w.Probability, w.Count, nil, nil
	for _, c := range n.Children {
		out.Children = append(out.Children, only(c, input))
	}
	return &out
}

func drawGraph(t *rapid.T) *workflow.Graph {
	g := &workflow.Graph{}
	g.Root = randomNode(t, g, 3)
	return g
}

// Runs make as many invocations as the mean of those of its inputs.
func TestMixKeepsVisitRatios(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := drawGraph(t)
		weights := []float64{0.5, 0.3, 0.2}
		tellApart(t, g.Root, len(weights), false)
		g.Mix(weights)
		if err := g.CheckInputs(len(weights)); err != nil {
			t.Fatal(err)
		}
		want := make([]float64, len(g.Stages))
		for k, w := range weights {
			for s, v := range g.VisitRatiosOf(k) {
				want[s] += w * v
			}
		}
		for s, v := range g.VisitRatios() {
			if math.Abs(v-want[s]) > 1e-9*(1+want[s]) {
				t.Fatalf("stage %d is invoked %v times, want %v", s, v, want[s])
			}
		}
	})
}

// Inputs that take the same ways are as one.
func TestMixOfEqualsIsTheGraph(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := drawGraph(t)
		want := only(g.Root, -1)
		var repeat func(n *workflow.Node)
		repeat = func(n *workflow.Node) {
			if n.Kind == workflow.KindChoice || n.Kind == workflow.KindLoop {
				n.Inputs = []workflow.Ways{n.Of(-1), n.Of(-1), n.Of(-1)}
			}
			for _, c := range n.Children {
				repeat(c)
			}
		}
		repeat(g.Root)
		g.Mix([]float64{1, 2, 3})
		if d := cmp.Diff(want, g.Root); d != "" {
			t.Fatal(d)
		}
	})
}

// A run with an input is a run of the graph of that input alone.
func TestCompositionOfInput(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := drawGraph(t)
		weights := []float64{2, 1}
		tellApart(t, g.Root, len(weights), true)
		g.Mix(weights)
		all, err := workflow.NewComposition(g)
		if err != nil {
			t.Skip(err)
		}
		rng := rand.New(rand.NewPCG(1, 2))
		seconds := make([]float64, len(g.Stages))
		for s := range seconds {
			seconds[s] = rng.Float64()
		}
		of := func(stage int) float64 { return seconds[stage] }
		for k := range weights {
			alone, err := workflow.NewComposition(&workflow.Graph{Stages: g.Stages, Root: only(g.Root, k)})
			if err != nil {
				t.Fatal(err)
			}
			run := func(c *workflow.Composition) (float64, float64) {
				service, uniform := make([]float64, len(c.Slots())), make([]float64, c.Uniforms())
				c.Fill(service, uniform, of, rng)
				var path float64
				for _, slot := range c.CriticalPath(service, uniform, nil) {
					path += service[slot]
				}
				return c.Latency(service, uniform), path
			}
			got, gotPath := run(all.Of(k))
			want, wantPath := run(alone)
			if math.Abs(got-want) > 1e-9 || math.Abs(gotPath-wantPath) > 1e-9 {
				t.Fatalf("input %d takes %v with a critical path of %v, alone %v and %v", k, got, gotPath, want, wantPath)
			}
		}
	})
}

func TestGraphOfInputs(t *testing.T) {
	w := &workflow.Workflow{Name: "w", Do: []workflow.Task{
		choose("s", "b", "c"), then(call("b"), "end"),
		{Name: "c", Path: "/c", For: &workflow.For{In: ".x", Do: []workflow.Task{{Name: "d", Path: "/d", If: ".y", Call: &workflow.Call{Function: "d"}}}}},
	}}
	g, err := workflow.NewGraphOf(w, []workflow.Branching{
		{Cases: map[string][]float64{"/s": {1, 0}}},
		{Cases: map[string][]float64{"/s": {0, 1}}, Iterations: map[string]float64{"/c": 2}, Runs: map[string]float64{"/d": 1}},
		{Cases: map[string][]float64{"/s": {0, 1}}, Iterations: map[string]float64{"/c": 5}, Runs: map[string]float64{"/d": 0.5}},
	}, []float64{0.5, 0.25, 0.25})
	if err != nil {
		t.Fatal(err)
	}
	for input, want := range map[int][]float64{-1: {0.5, 0.25*2 + 0.25*2.5}, 0: {1, 0}, 1: {0, 2}, 2: {0, 2.5}} {
		if got := g.VisitRatiosOf(input); !cmp.Equal(got, want) {
			t.Errorf("input %d visits the stages %v times, want %v", input, got, want)
		}
	}
	// Of the runs that come to the loop half have each of the two inputs.
	var loop *workflow.Node
	var find func(n *workflow.Node)
	find = func(n *workflow.Node) {
		if n.Kind == workflow.KindLoop {
			loop = n
		}
		for _, c := range n.Children {
			find(c)
		}
	}
	find(g.Root)
	if loop.Count != 3.5 || loop.Iterations() != 5 {
		t.Errorf("the loop runs %v times on average and %d at most, want 3.5 and 5", loop.Count, loop.Iterations())
	}
	if err := g.CheckInputs(2); err == nil || !strings.Contains(err.Error(), "tells 3 inputs apart") {
		t.Errorf("another number of inputs: %v", err)
	}
}
