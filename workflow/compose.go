package workflow

import (
	"fmt"
	"math"
	"math/rand/v2"
)

const (
	// maxIterations is the most iterations of one loop that are composed one by
	// one. A longer loop is composed of this many, each standing for several.
	maxIterations = 64
	// maxSlots bounds the number of invocations in one composed run.
	maxSlots = 1 << 16
)

// Composition computes the end-to-end latency of runs from the service times of
// their stages: sums along a series, the maximum of parallel branches, the
// minimum of a race, one drawn way of a choice, and for a loop its iterations
// scheduled on its width. All times are in seconds.
//
// Every invocation that a run can make has a slot of its own, so that the
// iterations of a loop have service times of their own, and every random
// decision has a uniform number of its own. A sampler fills both as it likes:
// independently, or by quasi-Monte-Carlo with one dimension for each. No method
// but NewComposition allocates, and all are safe for concurrent use.
//
// A loop with a fractional mean count runs one of the two nearest numbers of
// iterations, by a uniform number. A loop of more than 64 iterations is composed
// of 64, longer ones where one place has to run several, which keeps the mean and
// widens the spread.
type Composition struct {
	steps    []step
	slots    []int // stage of each slot
	uniforms int
}

// step is one node of the tree with its loops unrolled. Steps are stored
// children first, the root last.
type step struct {
	kind    Kind
	slot    int       // for KindStage
	uniform int       // for KindChoice; for KindLoop with a fractional count
	delay   float64   // for KindDelay, in seconds
	bounds  []float64 // cumulative probabilities, for KindChoice
	kids    []int32
	scale   float64 // what one of kids stands for, for KindLoop
	extra   float64 // probability that the last of kids runs, for KindLoop
	width   int
	lo, hi  int // slots of the subtree
}

// NewComposition prepares the composition of g. It fails when nested loops are
// so long that one run would have more than 65,536 invocations.
func NewComposition(g *Graph) (*Composition, error) {
	c := &Composition{}
	if _, err := c.compile(g.Root); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *Composition) compile(n *Node) (int32, error) {
	s := step{kind: n.Kind, lo: len(c.slots), scale: 1, extra: 1}
	var children []*Node
	switch n.Kind {
	case KindStage:
		if s.slot = len(c.slots); s.slot >= maxSlots {
			return 0, fmt.Errorf("composing a graph: its loops make more than %d invocations in one run", maxSlots)
		}
		c.slots = append(c.slots, n.Stage)
	case KindDelay:
		s.delay = n.Delay.Seconds()
	case KindLoop:
		whole := math.Ceil(n.Count)
		if whole > maxIterations {
			whole = maxIterations
			s.scale = max(n.Count/float64(n.Width), 1) / (whole / float64(min(n.Width, maxIterations)))
		} else if whole > n.Count {
			s.extra = n.Count - (whole - 1)
			s.uniform = c.uniforms
			c.uniforms++
		}
		s.width = n.Width
		for range int(whole) {
			children = append(children, n.Children[0])
		}
	default:
		children = n.Children
	}
	if n.Kind == KindChoice {
		s.uniform = c.uniforms
		c.uniforms++
		sum := 0.0
		for _, p := range n.Probability {
			sum += p
			s.bounds = append(s.bounds, sum)
		}
	}
	for _, child := range children {
		i, err := c.compile(child)
		if err != nil {
			return 0, err
		}
		s.kids = append(s.kids, i)
	}
	s.hi = len(c.slots)
	c.steps = append(c.steps, s)
	return int32(len(c.steps) - 1), nil
}

// Slots returns the stage of every slot: the number and meaning of the service
// times that Latency takes. The caller must not change it.
func (c *Composition) Slots() []int { return c.slots }

// Uniforms returns the number of uniform numbers that Latency takes.
func (c *Composition) Uniforms() int { return c.uniforms }

// Fill draws the arguments of Latency: draw returns a service time of a stage.
func (c *Composition) Fill(service, uniform []float64, draw func(stage int) float64, r *rand.Rand) {
	for i, stage := range c.slots {
		service[i] = draw(stage)
	}
	for i := range c.uniforms {
		uniform[i] = r.Float64()
	}
}

// Latency returns the end-to-end latency of a run whose invocations take
// service, one for each of Slots, and whose decisions fall by uniform, numbers
// in [0, 1), one for each of Uniforms.
func (c *Composition) Latency(service, uniform []float64) float64 {
	return c.end(int32(len(c.steps)-1), 0, service, uniform, nil)
}

// Starts is Latency that also stores when each slot's invocation starts, in
// time since the start of the run; NaN where it does not take place.
func (c *Composition) Starts(service, uniform, start []float64) float64 {
	for i := range start {
		start[i] = math.NaN()
	}
	return c.end(int32(len(c.steps)-1), 0, service, uniform, start)
}

// end returns when the step i ends that starts at the time at.
func (c *Composition) end(i int32, at float64, service, uniform, start []float64) float64 {
	s := &c.steps[i]
	switch s.kind {
	case KindStage:
		if start != nil {
			start[s.slot] = at
		}
		return at + service[s.slot]
	case KindDelay:
		return at + s.delay
	case KindSeries:
		for _, k := range s.kids {
			at = c.end(k, at, service, uniform, start)
		}
		return at
	case KindParallel:
		last := at
		for _, k := range s.kids {
			last = max(last, c.end(k, at, service, uniform, start))
		}
		return last
	case KindRace:
		first := math.Inf(1)
		for _, k := range s.kids {
			first = min(first, c.end(k, at, service, uniform, start))
		}
		if start != nil {
			for k := s.lo; k < s.hi; k++ {
				if start[k] > first { // cancelled before it started
					start[k] = math.NaN()
				}
			}
		}
		return first
	case KindChoice:
		return c.end(s.kids[s.chosen(uniform)], at, service, uniform, start)
	case KindLoop:
		return c.loop(s, at, service, uniform, start)
	}
	panic(fmt.Sprintf("workflow: node of unknown kind %d", s.kind))
}

// chosen returns the index of the child that a choice takes.
func (s *step) chosen(uniform []float64) int {
	u := uniform[s.uniform]
	for k, bound := range s.bounds {
		if u < bound {
			return k
		}
	}
	// Rounding may leave the last bound just below 1: take the last possible child.
	k := len(s.bounds) - 1
	for k > 0 && s.bounds[k] == s.bounds[k-1] {
		k--
	}
	return k
}

// iterations returns the children of a loop that run.
func (s *step) iterations(uniform []float64) []int32 {
	if s.extra < 1 && uniform[s.uniform] >= s.extra {
		return s.kids[:len(s.kids)-1]
	}
	return s.kids
}

// loop starts every iteration as soon as one of width places is free.
func (c *Composition) loop(s *step, at float64, service, uniform, start []float64) float64 {
	var free [maxIterations]float64
	kids := s.iterations(uniform)
	width := min(s.width, len(kids))
	last := at
	for i := range width {
		free[i] = at
	}
	for _, k := range kids {
		place := 0
		for j := 1; j < width; j++ {
			if free[j] < free[place] {
				place = j
			}
		}
		begin := free[place]
		done := begin + s.scale*(c.end(k, begin, service, uniform, start)-begin)
		free[place] = done
		last = max(last, done)
	}
	return last
}
