package tree

import (
	"math/rand/v2"
)

// Config says how to grow a forest. The zero value of a field means its default.
type Config struct {
	Trees        int     // default 150
	Leaves       int     // of a tree; default 31
	Shrinkage    float64 // of every tree's contribution; default 0.1
	MinHessian   float64 // of a leaf; default 5
	L2           float64 // pull of leaves toward zero; default 1
	RowShare     float64 // of the rows drawn for a tree; default 0.5
	FeatureShare float64 // of the features drawn for a tree; default 0.6
}

func (c Config) withDefaults() Config {
	set := func(v *float64, d float64) {
		if *v == 0 {
			*v = d
		}
	}
	if c.Trees == 0 {
		c.Trees = 150
	}
	if c.Leaves == 0 {
		c.Leaves = 31
	}
	set(&c.Shrinkage, 0.1)
	set(&c.MinHessian, 5)
	set(&c.L2, 1)
	set(&c.RowShare, 0.5)
	set(&c.FeatureShare, 0.6)
	return c
}

// Loss gives the first and second derivative of the loss of row i at score s,
// times the weight of the row. The second must be positive.
type Loss func(i int, s float64) (grad, hess float64)

// Train grows a forest on rows of width features. base is the score it starts
// from. more is asked before every tree with the number grown so far; training
// ends when it returns false. It may be nil.
func Train(rows []float32, width int, base float64, loss Loss, c Config, r *rand.Rand, more func(trees int) bool) *Forest {
	c = c.withDefaults()
	bins := NewBins(rows, width)
	n := len(rows) / width
	g := grower{Config: c, bins: bins, x: bins.apply(rows), width: width, grad: make([]pair, n)}
	scores := make([]float64, n)
	for i := range scores {
		scores[i] = base
	}
	forest := &Forest{Base: base}
	for len(forest.Trees) < c.Trees {
		if more != nil && !more(len(forest.Trees)) {
			break
		}
		g.pick(n, r)
		for i := range scores {
			gr, h := loss(i, scores[i])
			g.grad[i] = pair{gr, h}
		}
		t := g.grow()
		for i := range scores {
			scores[i] += float64(g.leafOf(t, i))
		}
		forest.Trees = append(forest.Trees, t.nodes)
	}
	return forest
}
