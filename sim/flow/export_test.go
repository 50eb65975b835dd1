package flow

import (
	"fmt"
	"time"
)

// Check returns an error when the books of a running simulation do not balance.
func (s *Sim) Check() error { return s.fleet.Check() }

// CheckEmpty returns an error when a simulation that has ended holds on to runs,
// once what lost a race has come back too.
func (s *Sim) CheckEmpty() error {
	s.Advance(s.Now() + time.Hour)
	if used := len(s.frames) - len(s.spare); s.active != 0 || used != 0 {
		return fmt.Errorf("%d runs and %d frames are not over", s.active, used)
	}
	return s.Check()
}

// Room is how many things the simulation has made room for.
func (s *Sim) Room() int { return len(s.frames) + s.fleet.Room() }

// Forget drops the sketch, which two equal results may hold differently.
func (w *WorkflowResult) Forget() { w.latency = nil }
