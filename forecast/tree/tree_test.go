package tree_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/aquatope/aquatope/forecast/tree"
)

// TestFitsInteraction: boosting on squared error must find a function of two
// features among five, with NaN where a value is missing.
func TestFitsInteraction(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	const n, width = 4000, 5
	rows := make([]float32, n*width)
	y := make([]float64, n)
	f := func(x []float32) float64 {
		if x[1] > 0.5 {
			return 3 * float64(x[3])
		}
		return -float64(x[3])
	}
	for i := range n {
		x := rows[i*width : (i+1)*width]
		for j := range x {
			x[j] = r.Float32()
		}
		y[i] = f(x)
		if r.IntN(20) == 0 {
			x[0] = float32(math.NaN())
		}
	}
	squared := func(i int, s float64) (float64, float64) { return s - y[i], 1 }
	forest := tree.Train(rows, width, 0, squared, tree.Config{}, r, nil)
	sum, base := 0.0, 0.0
	for i := range n {
		e := forest.Predict(rows[i*width:(i+1)*width]) - y[i]
		sum += e * e / n
		base += y[i] * y[i] / n
	}
	if sum > 0.01*base {
		t.Errorf("mean squared error %v of %v", sum, base)
	}
	if !forest.Valid(width) || forest.Valid(1) {
		t.Error("Valid does not tell a forest from another width")
	}
}

// TestScorerIsTheForest: trees of any shape, with more leaves than a scorer can tell
// apart too, more trees than go into a block, and rows that lie on thresholds or are
// not numbers.
func TestScorerIsTheForest(t *testing.T) {
	t.Parallel()
	const width = 4
	grid := []float32{float32(math.Inf(-1)), -1, 0, 0.25, 0.5, 1, float32(math.Inf(1)), float32(math.NaN())}
	rapid.Check(t, func(t *rapid.T) {
		leaves := rapid.IntRange(1, 40).Draw(t, "leaves")
		f := &tree.Forest{Base: rapid.Float64Range(-1, 1).Draw(t, "base")}
		for range rapid.IntRange(0, 5).Draw(t, "trees") {
			f.Trees = append(f.Trees, drawTree(t, leaves, width, grid[:7]))
		}
		if rapid.Bool().Draw(t, "many") {
			for len(f.Trees) > 0 && len(f.Trees) < 300 {
				f.Trees = append(f.Trees, f.Trees...)
			}
		}
		if !f.Valid(width) {
			t.Fatal("BUG in the test: a forest that is not valid")
		}
		s := f.Scorer(width)
		for range 20 {
			x := make([]float32, width)
			for i := range x {
				x[i] = rapid.SampledFrom(grid).Draw(t, "x")
			}
			if got, want := s.Predict(x), f.Predict(x); got != want {
				t.Fatalf("%v scores %v, walked %v", x, got, want)
			}
		}
	})
}

// drawTree draws a tree by splitting leaves.
func drawTree(t *rapid.T, leaves, width int, thresholds []float32) []tree.Node {
	nodes, open := []tree.Node{{Value: 1}}, []int{0}
	for len(open) < leaves {
		k := rapid.IntRange(0, len(open)-1).Draw(t, "leaf")
		at, left := open[k], len(nodes)
		nodes[at] = tree.Node{
			Feature: int32(rapid.IntRange(0, width-1).Draw(t, "feature")), Threshold: rapid.SampledFrom(thresholds).Draw(t, "threshold"),
			Left: int32(left), Right: int32(left + 1),
		}
		nodes = append(nodes, tree.Node{Value: float32(left)}, tree.Node{Value: float32(left) + 0.1})
		open[k] = left
		open = append(open, left+1)
	}
	return nodes
}

func TestStopsWhenTold(t *testing.T) {
	t.Parallel()
	rows := []float32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
	loss := func(i int, s float64) (float64, float64) { return s - float64(i), 1 }
	f := tree.Train(rows, 1, 0, loss, tree.Config{MinHessian: 1}, rand.New(rand.NewPCG(1, 1)), func(trees int) bool { return trees < 7 })
	if len(f.Trees) != 7 {
		t.Errorf("%d trees", len(f.Trees))
	}
}

func TestValidRefuses(t *testing.T) {
	t.Parallel()
	nan := float32(math.NaN())
	for name, nodes := range map[string][]tree.Node{
		"empty":   {},
		"loop":    {{Left: 1, Right: 2}, {Left: 1, Right: 2}, {}},
		"beyond":  {{Left: 1, Right: 9}, {}},
		"feature": {{Feature: 7, Left: 1, Right: 2}, {}, {}},
		"NaN":     {{Value: nan}},
	} {
		if f := (tree.Forest{Trees: [][]tree.Node{nodes}}); f.Valid(3) {
			t.Errorf("%s: a forest that cannot be walked is taken for valid", name)
		}
	}
}
