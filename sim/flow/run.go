package flow

import (
	"slices"

	"github.com/aquatope/aquatope/workflow"
)

// frame is a place in a run where ways part: the run itself, or a parallel, a
// race or a loop that is under way. What else a run remembers is the step that
// each of its ways has reached.
type frame struct {
	parent   int32 // -1 for a run
	step     int32 // of the parallel, race or loop
	workflow int32
	live     int32  // ways that have not come back
	left     int32  // iterations to begin, of a loop
	draws    uint32 // of a loop, so that its iterations differ
	scale    float64
	input    int16 // of the run's workflow, -1 without
	decided  bool  // a race that is won or a run that has failed: who comes back stops
	cold     bool  // a run that waited for a cold start
	loop     bool
	at       int64 // arrival of a run
	key      uint64
}

func (s *Sim) newFrame() int32 {
	if n := len(s.spare); n > 0 {
		i := s.spare[n-1]
		s.spare = s.spare[:n-1]
		return i
	}
	s.frames = append(s.frames, frame{})
	return int32(len(s.frames) - 1)
}

// within makes a frame inside another.
func (s *Sim) within(outer, at int32, live int32) int32 {
	i := s.newFrame()
	o := &s.frames[outer]
	s.frames[i] = frame{
		parent: outer, step: at, workflow: o.workflow, live: live, scale: o.scale, input: o.input,
		key: mix(o.draw(at) ^ 0x5bf03635), // another stream than the draws of the step itself
	}
	return i
}

func (s *Sim) free(i int32) { s.spare = append(s.spare, i) }

// begin starts a run that arrived now.
func (s *Sim) begin(w int32, scale float64, input int) {
	x := &s.workflows[w]
	i := s.newFrame()
	s.frames[i] = frame{
		parent: -1, step: -1, workflow: w, live: 1, scale: scale, at: int64(s.fleet.Now()), input: int16(input - 1), key: mix(x.key + x.arrived*golden),
	}
	if input == 0 && len(x.inputs) > 0 {
		n, _ := slices.BinarySearch(x.inputs, uniform(mix(s.frames[i].key^0x1234f00d)))
		s.frames[i].input = int16(min(n, len(x.inputs)-1))
	}
	x.arrived++
	s.active++
	s.enter(0, i)
	s.fleet.Foresee(int(w))
}

// enter begins a step within a frame.
func (s *Sim) enter(at, in int32) {
	p := s.workflows[s.frames[in].workflow].steps
	x := &p[at]
	switch x.kind {
	case workflow.KindStage:
		s.fleet.Invoke(x.function, token(at, in))
	case workflow.KindDelay:
		if x.delay > 0 {
			s.fleet.Wake(x.delay, token(at, in))
			return
		}
		s.finish(at, in)
	case workflow.KindSeries:
		if len(x.kids) == 0 {
			s.finish(at, in)
			return
		}
		s.enter(x.kids[0], in)
	case workflow.KindChoice:
		s.enter(x.chosen(s.frames[in].input, uniform(s.frames[in].draw(at))), in)
	case workflow.KindParallel, workflow.KindRace:
		if len(x.kids) == 0 {
			s.finish(at, in)
			return
		}
		f := s.within(in, at, int32(len(x.kids)))
		for k, kid := range x.kids {
			if s.frames[f].decided { // won by a way that takes no time
				s.frames[f].live -= int32(len(x.kids) - k)
				if s.frames[f].live == 0 {
					s.free(f)
				}
				return
			}
			s.enter(kid, f)
		}
	case workflow.KindLoop:
		n := x.iterations(s.frames[in].input, uniform(s.frames[in].draw(at)))
		if n == 0 {
			s.finish(at, in)
			return
		}
		first := min(n, x.width)
		f := s.within(in, at, first)
		s.frames[f].left, s.frames[f].loop = n-first, true
		for range first {
			s.enter(x.kids[0], f)
		}
	}
}

// finish ends a step within a frame and goes on with what follows it.
func (s *Sim) finish(at, in int32) {
	p := s.workflows[s.frames[in].workflow].steps
	for {
		if next := p[at].next; next >= 0 {
			s.enter(next, in)
			return
		}
		at = p[at].parent
		if at < 0 {
			s.complete(in)
			return
		}
		f := &s.frames[in]
		switch p[at].kind {
		case workflow.KindParallel:
			if f.live--; f.live > 0 {
				return
			}
			s.free(in)
			in = f.parent
		case workflow.KindRace:
			f.live--
			f.decided = true
			outer := f.parent
			if f.live == 0 {
				s.free(in)
			}
			in = outer
		case workflow.KindLoop:
			if f.left > 0 {
				f.left--
				s.enter(p[at].kids[0], in)
				return
			}
			if f.live--; f.live > 0 {
				return
			}
			s.free(in)
			in = f.parent
		}
	}
}

// over says whether the way that is in a frame is not needed any more, because a
// race was lost or the run has failed; then the way ends here.
func (s *Sim) over(in int32) bool {
	decided := false
	for f := in; f >= 0 && !decided; f = s.frames[f].parent {
		decided = s.frames[f].decided
	}
	if decided {
		s.abandon(in)
	}
	return decided
}

// abandon ends the way that is in a frame.
func (s *Sim) abandon(in int32) {
	for in >= 0 {
		f := &s.frames[in]
		if f.live--; f.live > 0 {
			return
		}
		s.free(in)
		if f.decided {
			return // what it is part of has gone on without it
		}
		in = f.parent
	}
}

// run returns the frame of the run that a frame is in. The frame must not be
// over.
func (s *Sim) run(in int32) *frame {
	for s.frames[in].parent >= 0 {
		in = s.frames[in].parent
	}
	return &s.frames[in]
}

// complete ends a run well.
func (s *Sim) complete(in int32) {
	s.outcome(&s.frames[in], Completed)
	s.free(in)
}

// fail ends the run that a frame is in, and the way that is there.
func (s *Sim) fail(in int32, o Outcome) {
	r := s.run(in)
	s.outcome(r, o)
	r.decided = true
	s.abandon(in)
}
