package tree_test

import (
	"math"
	"math/rand/v2"
	"testing"

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
