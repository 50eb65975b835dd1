package flow

import (
	"math"

	"github.com/aquatope/aquatope/workflow"
)

// step is one node of a workflow's tree as runs walk it.
type step struct {
	kind   workflow.Kind
	parent int32 // -1 for the root
	next   int32 // the next of a series, -1 after the last
	kids   []int32

	function int32     // number of the function, for a stage
	stage    int32     // index into Graph.Stages
	delay    int64     // nanoseconds
	bounds   []float64 // cumulative probabilities of a choice
	whole    int32     // most iterations of a loop
	extra    float64   // probability of the last of them
	width    int32
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
			sum := 0.0
			for _, p := range n.Probability {
				sum += p
				s.bounds = append(s.bounds, sum)
			}
		case workflow.KindLoop:
			whole := math.Ceil(n.Count)
			s.whole, s.extra, s.width = int32(whole), n.Count-(whole-1), int32(max(1, n.Width))
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

// chosen returns the child that a choice takes at a uniform number.
func (s *step) chosen(u float64) int32 {
	for k, bound := range s.bounds {
		if u < bound {
			return s.kids[k]
		}
	}
	// Rounding may leave the last bound just below 1: take the last possible child.
	k := len(s.bounds) - 1
	for k > 0 && s.bounds[k] == s.bounds[k-1] {
		k--
	}
	return s.kids[k]
}

// iterations returns how often a loop runs at a uniform number.
func (s *step) iterations(u float64) int32 {
	if s.whole > 0 && u >= s.extra {
		return s.whole - 1
	}
	return s.whole
}
