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
	// maxSlots bounds the number of invocations in one composed run, maxSteps that
	// of all its parts: loops within loops may wait, or do nothing, all the time.
	maxSlots = 1 << 16
	maxSteps = 1 << 19
)

// Composition computes the end-to-end latency of runs from the service times of
// their stages: sums along a series, the maximum of parallel branches, the
// minimum of a race, one drawn way of a choice, and for a loop its iterations
// scheduled on its width. All times are in seconds.
//
// Every invocation that a run can make has a slot of its own, so that the
// iterations of a loop have service times of their own, and every random
// decision has a uniform number of its own. A sampler fills both as it likes:
// independently, or by quasi-Monte-Carlo with one dimension for each. Neither Fill,
// Latency nor Starts allocates, and all methods are safe for concurrent use.
//
// A loop with a fractional mean count runs one of the two nearest numbers of
// iterations, by a uniform number. A loop of more than 64 iterations is composed
// of 64, longer ones where one place has to run several, which keeps the mean and
// widens the spread.
//
// Runs with different inputs may take different ways: see Of.
type Composition struct {
	steps    []step
	slots    []int // stage of each slot
	uniforms int
	ways     int // which of the ways of a step are taken
}

// step is one node of the tree with its loops unrolled. Steps are stored
// children first, the root last.
type step struct {
	kind    Kind
	slot    int     // for KindStage
	uniform int     // for KindChoice; for KindLoop with a fractional count
	delay   float64 // for KindDelay, in seconds
	kids    []int32
	ways    []way // of all runs, then of those with each input, for KindChoice and KindLoop
	width   int
	lo, hi  int // slots of the subtree
}

// way is how runs go on from a choice or through a loop.
type way struct {
	bounds []float64 // cumulative probabilities, for KindChoice
	most   int       // how many of the kids run at most, for KindLoop
	scale  float64   // what one of them stands for
	extra  float64   // probability that the last of them runs
}

// NewComposition prepares the composition of g. It fails when nested loops are
// so long that one run would have more than 65,536 invocations or half a million
// steps.
func NewComposition(g *Graph) (*Composition, error) {
	c := &Composition{}
	if _, err := c.compile(g.Root); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *Composition) compile(n *Node) (int32, error) {
	if len(c.steps) > maxSteps {
		return 0, fmt.Errorf("composing a graph: its loops make more than %d steps in one run", maxSteps)
	}
	s := step{kind: n.Kind, lo: len(c.slots)}
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
		s.width = n.Width
		most, random := 0, false
		for k := range 1 + len(n.Inputs) {
			w := newLoopWay(n.Of(k-1).Count, n.Width)
			s.ways = append(s.ways, w)
			most, random = max(most, w.most), random || w.extra < 1
		}
		if random {
			s.uniform = c.uniforms
			c.uniforms++
		}
		for range most {
			children = append(children, n.Children[0])
		}
	default:
		children = n.Children
	}
	if n.Kind == KindChoice {
		s.uniform = c.uniforms
		c.uniforms++
		for k := range 1 + len(n.Inputs) {
			w, sum := way{}, 0.0
			for _, p := range n.Of(k - 1).Probability {
				sum += p
				w.bounds = append(w.bounds, sum)
			}
			s.ways = append(s.ways, w)
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

// newLoopWay returns the way through a loop of a mean count.
func newLoopWay(count float64, width int) way {
	w := way{most: maxIterations, scale: 1, extra: 1}
	switch whole := math.Ceil(count); {
	case whole > maxIterations:
		w.scale = max(count/float64(width), 1) / (maxIterations / float64(min(width, maxIterations)))
	default:
		w.most = int(whole)
		if whole > count {
			w.extra = count - (whole - 1)
		}
	}
	return w
}

// Of returns the composition of runs with an input, an index into the inputs that
// the graph tells apart; of all runs for -1. Slots and uniform numbers are the
// same: an input that never comes to a stage has no use for what is drawn for it.
func (c *Composition) Of(input int) *Composition {
	out := *c
	out.ways = input + 1
	return &out
}

// way returns the ways that step s has for an input, 0 being all.
func (s *step) way(input int) *way {
	if input < len(s.ways) {
		return &s.ways[input]
	}
	return &s.ways[0]
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
		return c.end(s.kids[s.way(c.ways).chosen(uniform[s.uniform])], at, service, uniform, start)
	case KindLoop:
		return c.loop(s, at, service, uniform, start)
	}
	panic(fmt.Sprintf("workflow: node of unknown kind %d", s.kind))
}

// chosen returns the index of the child that a choice takes by a uniform number.
func (w *way) chosen(u float64) int {
	for k, bound := range w.bounds {
		if u < bound {
			return k
		}
	}
	// Rounding may leave the last bound just below 1: take the last possible child.
	k := len(w.bounds) - 1
	for k > 0 && w.bounds[k] == w.bounds[k-1] {
		k--
	}
	return k
}

// iterations returns the children of a loop that run, and what each stands for.
func (s *step) iterations(input int, uniform []float64) ([]int32, float64) {
	w := s.way(input)
	if w.extra < 1 && uniform[s.uniform] >= w.extra {
		return s.kids[:w.most-1], w.scale
	}
	return s.kids[:w.most], w.scale
}

// loop starts every iteration as soon as one of width places is free.
func (c *Composition) loop(s *step, at float64, service, uniform, start []float64) float64 {
	var free [maxIterations]float64
	kids, scale := s.iterations(c.ways, uniform)
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
		done := begin + scale*(c.end(k, begin, service, uniform, start)-begin)
		free[place] = done
		last = max(last, done)
	}
	return last
}
