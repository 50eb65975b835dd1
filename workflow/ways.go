package workflow

import (
	"fmt"
	"math"
	"slices"
)

// Ways are those that runs take at a node of a graph.
type Ways struct {
	Probability []float64 // of each child, sums to 1, for KindChoice
	Count       float64   // mean number of iterations, for KindLoop
}

// Of returns the ways of runs with an input, those of all runs for -1 and where
// inputs make no difference.
func (n *Node) Of(input int) Ways {
	if input >= 0 && input < len(n.Inputs) {
		return n.Inputs[input]
	}
	return Ways{n.Probability, n.Count}
}

// Iterations returns how often the loop n runs at most: the largest of its mean
// counts, rounded up.
func (n *Node) Iterations() int {
	most := n.Count
	for _, w := range n.Inputs {
		most = max(most, w.Count)
	}
	return int(math.Ceil(most))
}

// rate is how often child i of a node follows each time that the node is reached.
func (w Ways) rate(kind Kind, i int) float64 {
	switch kind {
	case KindChoice:
		return w.Probability[i]
	case KindLoop:
		return w.Count
	}
	return 1
}

// Mix sets the ways of all runs where inputs are told apart, given how often runs
// get each input: a node counts as often as runs with the input come to it, so
// that visit ratios are the weighted means of those of the inputs. It is part of
// making a graph. Where nothing differs inputs are not told apart any more.
func (g *Graph) Mix(weights []float64) { g.Root.mix(weights) }

func (n *Node) mix(rates []float64) {
	if len(n.Inputs) > 0 {
		if same(n.Inputs) {
			n.Probability, n.Count, n.Inputs = n.Inputs[0].Probability, n.Inputs[0].Count, nil
		} else {
			n.blend(rates)
		}
	}
	for i, child := range n.Children {
		below := make([]float64, len(rates))
		for k, r := range rates {
			below[k] = r * n.Of(k).rate(n.Kind, i)
		}
		child.mix(below)
	}
}

func same(ways []Ways) bool {
	for _, w := range ways[1:] {
		if w.Count != ways[0].Count || !slices.Equal(w.Probability, ways[0].Probability) {
			return false
		}
	}
	return true
}

// blend takes the mean of the inputs by their rates; by their number where none
// ever comes here.
func (n *Node) blend(rates []float64) {
	var sum float64
	for k := range n.Inputs {
		sum += rates[k]
	}
	n.Count, n.Probability = 0, make([]float64, len(n.Inputs[0].Probability))
	for k, w := range n.Inputs {
		share := 1 / float64(len(n.Inputs))
		if sum > 0 {
			share = rates[k] / sum
		}
		n.Count += share * w.Count
		for i, p := range w.Probability {
			n.Probability[i] += share * p
		}
	}
}

// CheckInputs reports a graph that tells apart another number of inputs.
func (g *Graph) CheckInputs(inputs int) error { return g.Root.checkInputs(inputs) }

func (n *Node) checkInputs(inputs int) error {
	if len(n.Inputs) > 0 && len(n.Inputs) != inputs {
		return fmt.Errorf("the graph tells %d inputs apart, there are %d", len(n.Inputs), inputs)
	}
	for _, w := range n.Inputs {
		if n.Kind == KindChoice && len(w.Probability) != len(n.Children) {
			return fmt.Errorf("a choice of %d ways has %d probabilities for an input", len(n.Children), len(w.Probability))
		}
	}
	for _, child := range n.Children {
		if err := child.checkInputs(inputs); err != nil {
			return err
		}
	}
	return nil
}
