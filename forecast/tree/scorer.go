package tree

import (
	"cmp"
	"math/bits"
	"slices"
)

// Scorer predicts as its forest does, to the last bit, in half of the time: a
// walk waits for every node before it knows the next, so a scorer goes through the
// splits of all trees by feature and threshold instead, and stops at the first
// that a value does not exceed. A split that a value exceeds rules out the leaves
// to its left; of those of a tree that remain, the first is the one reached
// (QuickScorer: Lucchese et al., SIGIR 2015). It is not safe for concurrent use.
type Scorer struct {
	forest *Forest
	blocks []block // none if a tree has more leaves than can be told apart
	open   [blockTrees]uint32
}

// block has some of the trees, so few that a byte tells which.
type block struct {
	splits []split // by feature, then threshold
	ends   []int32 // where the splits of each feature end
	values []float64
	first  []int32 // where the leaves of each tree begin among values
}

type split struct {
	threshold float32
	keep      uint32 // the leaves that are not to the left
	tree      uint8
}

const maxLeaves, blockTrees = 32, 256

// Scorer returns a scorer of a valid forest (see Valid) on rows of that width.
func (f *Forest) Scorer(width int) *Scorer {
	s := &Scorer{forest: f}
	for trees := range slices.Chunk(f.Trees, blockTrees) {
		b := block{}
		by := make([][]split, width)
		for i, t := range trees {
			b.first = append(b.first, int32(len(b.values)))
			b.list(by, uint8(i), t, 0)
			if len(b.values)-int(b.first[i]) > maxLeaves {
				return &Scorer{forest: f}
			}
		}
		for _, list := range by {
			slices.SortFunc(list, func(a, b split) int { return cmp.Compare(a.threshold, b.threshold) })
			b.splits = append(b.splits, list...)
			b.ends = append(b.ends, int32(len(b.splits)))
		}
		s.blocks = append(s.blocks, b)
	}
	return s
}

// list adds the splits and the leaves of a tree below a node, from left to right.
func (b *block) list(by [][]split, tree uint8, t []Node, at int32) {
	n := t[at]
	if n.Left == 0 {
		b.values = append(b.values, float64(n.Value))
		return
	}
	from := len(b.values) - int(b.first[tree])
	b.list(by, tree, t, n.Left)
	to := len(b.values) - int(b.first[tree])
	by[n.Feature] = append(by[n.Feature], split{n.Threshold, ^uint32(1<<to - 1<<from), tree})
	b.list(by, tree, t, n.Right)
}

// Predict returns the raw score of one row of features.
func (s *Scorer) Predict(x []float32) float64 {
	if s.blocks == nil {
		return s.forest.Predict(x)
	}
	sum := s.forest.Base
	for k := range s.blocks {
		b := &s.blocks[k]
		for i := range b.first {
			s.open[i] = ^uint32(0)
		}
		from := int32(0)
		for i, to := range b.ends {
			v := x[i]
			for _, p := range b.splits[from:to] {
				if v <= p.threshold {
					break
				}
				s.open[p.tree] &= p.keep
			}
			from = to
		}
		for i, first := range b.first {
			sum += b.values[int(first)+bits.TrailingZeros32(s.open[i])]
		}
	}
	return sum
}
