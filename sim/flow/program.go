package flow

import (
	"math"
	"slices"

	"github.com/aquatope/aquatope/workflow"
	"gonum.org/v1/gonum/floats"
)

// step is one node of a workflow's tree as runs walk it.
type step struct {
	kind   workflow.Kind
	parent int32 // -1 for the root
	next   int32 // the next of a series, -1 after the last
	kids   []int32

	function int32 // number of the function, for a stage
	stage    int32 // index into Graph.Stages
	delay    int64 // nanoseconds
	ways     []way // of a choice or a loop: of all runs, then of those with each input
	width    int32
}

// way is how runs go on from a choice or through a loop.
type way struct {
	bounds []float64 // cumulative probabilities of a choice
	whole  int32     // most iterations of a loop
	extra  float64   // probability of the last of them
}

// compile flattens the tree of a graph; number is the function of every stage.
// The root is step 0.
func compile(g *workflow.Graph, number []int, first int) []step {
	var out []step
	var visit func(n *workflow.Node, parent int32) int32
	visit = func(n *workflow.Node, parent int32) int32 {
		at := int32(len(out))
		s := step{kind: n.Kind, parent: parent, next: -1}
		switch n.Kind {
		case workflow.KindStage:
			s.stage, s.function = int32(n.Stage), int32(first+number[n.Stage])
		case workflow.KindDelay:
			s.delay = int64(n.Delay)
		case workflow.KindChoice:
			for k := range 1 + len(n.Inputs) {
				bounds := slices.Clone(n.Of(k - 1).Probability)
				s.ways = append(s.ways, way{bounds: floats.CumSum(bounds, bounds)})
			}
		case workflow.KindLoop:
			s.width = int32(max(1, n.Width))
			for k := range 1 + len(n.Inputs) {
				count := n.Of(k - 1).Count
				whole := math.Ceil(count)
				s.ways = append(s.ways, way{whole: int32(whole), extra: count - (whole - 1)})
			}
		}
		out = append(out, s)
		var kids []int32
		for _, c := range n.Children {
			kids = append(kids, visit(c, at))
		}
		if n.Kind == workflow.KindSeries {
			for k := 1; k < len(kids); k++ {
				out[kids[k-1]].next = kids[k]
			}
		}
		out[at].kids = kids
		return at
	}
	visit(g.Root, -1)
	return out
}

// way returns how runs with an input go on, of all for -1.
func (s *step) way(input int16) *way {
	if k := int(input) + 1; k < len(s.ways) {
		return &s.ways[k]
	}
	return &s.ways[0]
}

// chosen returns the child that a choice takes at a uniform number.
func (s *step) chosen(input int16, u float64) int32 {
	w := s.way(input)
	for k, bound := range w.bounds {
		if u < bound {
			return s.kids[k]
		}
	}
	// Rounding may leave the last bound just below 1: take the last possible child.
	k := len(w.bounds) - 1
	for k > 0 && w.bounds[k] == w.bounds[k-1] {
		k--
	}
	return s.kids[k]
}

// iterations returns how often a loop runs at a uniform number.
func (s *step) iterations(input int16, u float64) int32 {
	w := s.way(input)
	if w.whole > 0 && u >= w.extra {
		return w.whole - 1
	}
	return w.whole
}
