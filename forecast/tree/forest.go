package tree

// Node is an inner node or a leaf of a tree. Children follow their parent, so
// that walking a tree of any content ends.
type Node struct {
	// Feature is split at Threshold: values at or below it go Left, others, and
	// NaN, Right. Left is 0 in leaves.
	Feature     int32
	Threshold   float32
	Left, Right int32
	Value       float32 // of a leaf
}

// Forest is a boosted model: a base value plus the sum of its trees' leaves.
type Forest struct {
	Base  float64
	Trees [][]Node
}

// Predict returns the raw score of one row of features.
func (f *Forest) Predict(x []float32) float64 {
	s := f.Base
	for _, t := range f.Trees {
		s += float64(walk(t, x))
	}
	return s
}

// walk returns the value of the leaf that the features lead to.
func walk(t []Node, x []float32) float32 {
	i := int32(0)
	for t[i].Left != 0 {
		if x[t[i].Feature] <= t[i].Threshold {
			i = t[i].Left
		} else {
			i = t[i].Right
		}
	}
	return t[i].Value
}

// Valid reports whether the forest can be used on rows of width features: what
// was read from a file may hold anything.
func (f *Forest) Valid(width int) bool {
	for _, t := range f.Trees {
		if len(t) == 0 {
			return false
		}
		for i, n := range t {
			inner := n.Left != 0
			if inner && (int(n.Left) <= i || int(n.Right) <= i || int(n.Left) >= len(t) || int(n.Right) >= len(t) ||
				n.Feature < 0 || int(n.Feature) >= width) {
				return false
			}
			if n.Value-n.Value != 0 {
				return false
			}
		}
	}
	return f.Base-f.Base == 0
}
