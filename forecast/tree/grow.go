package tree

import (
	"math/rand/v2"
	"slices"
	"sync"
)

// pair is a sum of gradients and of second derivatives.
type pair struct{ g, h float64 }

type histogram []pair // by feature and bin

// grower grows one tree at a time on shared, binned rows.
type grower struct {
	Config
	bins     Bins
	x        []uint8 // rows of width bins
	width    int
	grad     []pair
	rows     []int32 // drawn for the tree
	features []int   // drawn for the tree
	free     []histogram
}

// grown is a tree with the bins of its splits, for fast scoring of binned rows.
type grown struct {
	nodes []Node
	cut   []uint8
}

// pick draws rows and features for the next tree.
func (g *grower) pick(n int, r *rand.Rand) {
	g.rows = g.rows[:0]
	for i := range n {
		if r.Float64() < g.RowShare {
			g.rows = append(g.rows, int32(i))
		}
	}
	k := max(1, int(float64(g.width)*g.FeatureShare+0.5))
	g.features = r.Perm(g.width)[:k]
	slices.Sort(g.features)
}

// leaf is a leaf that may still be split.
type leaf struct {
	node    int32
	rows    []int32
	hist    histogram
	sum     pair
	gain    float64
	feature int
	cut     uint8
}

// grow grows a tree best-first: always the leaf whose split gains most.
func (g *grower) grow() grown {
	t := grown{nodes: []Node{{}}, cut: []uint8{0}}
	root := leaf{rows: g.rows, hist: g.take()}
	for _, i := range g.rows {
		root.sum.g += g.grad[i].g
		root.sum.h += g.grad[i].h
	}
	g.fill(root.hist, root.rows)
	g.best(&root)
	open := []leaf{root}
	for leaves := 1; leaves < g.Leaves; leaves++ {
		at := -1
		for i := range open {
			if open[i].gain > 0 && (at < 0 || open[i].gain > open[at].gain) {
				at = i
			}
		}
		if at < 0 {
			break
		}
		l, r := g.split(&t, open[at])
		open[at] = l
		open = append(open, r)
	}
	for _, l := range open {
		t.nodes[l.node].Value = float32(-l.sum.g / (l.sum.h + g.L2) * g.Shrinkage)
		g.free = append(g.free, l.hist)
	}
	return t
}

// split turns a leaf into an inner node and returns its two leaves.
func (g *grower) split(t *grown, p leaf) (l, r leaf) {
	k := 0
	for i, row := range p.rows {
		if g.x[int(row)*g.width+p.feature] <= p.cut {
			p.rows[i], p.rows[k] = p.rows[k], row
			k++
		}
	}
	l, r = leaf{node: int32(len(t.nodes)), rows: p.rows[:k]}, leaf{node: int32(len(t.nodes) + 1), rows: p.rows[k:]}
	t.nodes[p.node] = Node{Feature: int32(p.feature), Threshold: g.bins.threshold(p.feature, p.cut), Left: l.node, Right: r.node}
	t.cut[p.node] = p.cut
	t.nodes, t.cut = append(t.nodes, Node{}, Node{}), append(t.cut, 0, 0)
	for _, i := range l.rows {
		l.sum.g += g.grad[i].g
		l.sum.h += g.grad[i].h
	}
	r.sum = pair{p.sum.g - l.sum.g, p.sum.h - l.sum.h}
	// The smaller child is counted, the larger is what remains of the parent.
	small, large := &l, &r
	if len(l.rows) > len(r.rows) {
		small, large = &r, &l
	}
	small.hist, large.hist = g.take(), p.hist
	g.fill(small.hist, small.rows)
	for i := range large.hist {
		large.hist[i].g -= small.hist[i].g
		large.hist[i].h -= small.hist[i].h
	}
	g.best(&l)
	g.best(&r)
	return l, r
}

// fill adds up the gradients of the rows by feature and bin. Two goroutines
// take half of the features each, so that the order of additions, and with it
// the result, does not depend on the number of cores.
func (g *grower) fill(h histogram, rows []int32) {
	half := len(g.features) / 2
	if len(rows) < 4096 {
		g.fillPart(h, rows, g.features)
		return
	}
	var wg sync.WaitGroup
	wg.Go(func() { g.fillPart(h, rows, g.features[:half]) })
	g.fillPart(h, rows, g.features[half:])
	wg.Wait()
}

func (g *grower) fillPart(h histogram, rows []int32, features []int) {
	for _, row := range rows {
		x := g.x[int(row)*g.width : int(row+1)*g.width]
		d := g.grad[row]
		for _, f := range features {
			p := &h[f*maxBins+int(x[f])%maxBins]
			p.g += d.g
			p.h += d.h
		}
	}
}

// best finds the split of a leaf that gains most.
func (g *grower) best(l *leaf) {
	l.gain = 0
	whole := l.sum.g * l.sum.g / (l.sum.h + g.L2)
	for _, f := range g.features {
		var left pair
		for b := range len(g.bins[f]) {
			p := l.hist[f*maxBins+b]
			left.g += p.g
			left.h += p.h
			right := pair{l.sum.g - left.g, l.sum.h - left.h}
			if left.h < g.MinHessian || right.h < g.MinHessian {
				continue
			}
			gain := left.g*left.g/(left.h+g.L2) + right.g*right.g/(right.h+g.L2) - whole
			if gain > l.gain+1e-9 {
				l.gain, l.feature, l.cut = gain, f, uint8(b)
			}
		}
	}
}

// take returns an empty histogram.
func (g *grower) take() histogram {
	if n := len(g.free); n > 0 {
		h := g.free[n-1]
		g.free = g.free[:n-1]
		clear(h)
		return h
	}
	return make(histogram, g.width*maxBins)
}

// leafOf returns the value of the tree for binned row i.
func (g *grower) leafOf(t grown, i int) float32 {
	x := g.x[i*g.width : (i+1)*g.width]
	at := int32(0)
	for t.nodes[at].Left != 0 {
		if x[t.nodes[at].Feature] <= t.cut[at] {
			at = t.nodes[at].Left
		} else {
			at = t.nodes[at].Right
		}
	}
	return t.nodes[at].Value
}
