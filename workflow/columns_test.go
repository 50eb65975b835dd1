package workflow_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/aquatope/aquatope/workflow"
	"pgregory.net/rapid"
)

func randomNode(t *rapid.T, g *workflow.Graph, depth int) *workflow.Node {
	kind := workflow.KindStage
	if depth > 0 {
		kind = workflow.Kind(rapid.IntRange(0, 6).Draw(t, "kind"))
	}
	n := &workflow.Node{Kind: kind}
	switch kind {
	case workflow.KindStage:
		n.Stage = len(g.Stages)
		g.Stages = append(g.Stages, workflow.Stage{})
		return n
	case workflow.KindDelay:
		n.Delay = 250 * time.Millisecond
		return n
	case workflow.KindLoop:
		n.Count = rapid.SampledFrom([]float64{0, 1, 2.5, 5}).Draw(t, "count")
		n.Width = rapid.IntRange(1, 3).Draw(t, "width")
		n.Children = []*workflow.Node{randomNode(t, g, depth-1)}
		return n
	}
	for range rapid.IntRange(1, 3).Draw(t, "children") {
		n.Children = append(n.Children, randomNode(t, g, depth-1))
	}
	for range n.Children {
		n.Probability = append(n.Probability, 1/float64(len(n.Children)))
	}
	return n
}

func TestColumnsEqualLatency(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := drawGraph(t)
		input := []int{-1, 0, 1, 2, 1}
		if rapid.Bool().Draw(t, "inputs") {
			tellApart(t, g.Root, 3, false)
			g.Mix([]float64{3, 2, 1})
		}
		c, err := workflow.NewComposition(g)
		if err != nil {
			t.Fatal(err)
		}
		const runs = 5 // one for each of input
		rng := rand.New(rand.NewPCG(1, 2))
		column := func(n int) [][]float64 {
			out := make([][]float64, n)
			for i := range out {
				for range runs {
					out[i] = append(out[i], rng.Float64())
				}
			}
			return out
		}
		service, uniform := column(len(c.Slots())), column(c.Uniforms())
		got := make([]float64, runs)
		k := workflow.NewColumns(c, input, uniform)
		// With used memory, and again where some columns are others.
		k.Latencies(column(len(c.Slots())), got)
		k.Latencies(service, got)
		for i := range service {
			if rapid.Bool().Draw(t, "another column") {
				service[i] = column(1)[0]
			}
		}
		k.Latencies(service, got)
		for r := range runs {
			s, u := make([]float64, len(service)), make([]float64, len(uniform))
			for i := range s {
				s[i] = service[i][r]
			}
			for i := range u {
				u[i] = uniform[i][r]
			}
			if want := c.Of(input[r]).Latency(s, u); math.Abs(got[r]-want) > 1e-12 {
				t.Fatalf("run %d: %v, want %v", r, got[r], want)
			}
		}
	})
}
