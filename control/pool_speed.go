package control

import (
	"math"
	"sync"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform"
)

// speeds measures how long the instances of each function take to start and how
// long an invocation keeps one busy. It is safe for concurrent use.
type speeds struct {
	mu sync.Mutex
	of map[string]*speed
}

type speed struct{ start, service average }

// average is a mean that forgets, and the mean distance from it, in seconds.
type average struct{ mean, spread, n float64 }

// memory is how many values an average remembers.
const memory = 30

func (a *average) add(d time.Duration) {
	x := d.Seconds()
	a.n = min(a.n+1, memory)
	a.spread += (math.Abs(x-a.mean)*min(1, a.n-1) - a.spread) / a.n
	a.mean += (x - a.mean) / a.n
}

// slow is a time that few exceed.
func (a *average) slow() time.Duration { return seconds(a.mean + 2*a.spread) }

func seconds(x float64) time.Duration { return time.Duration(x * float64(time.Second)) }

func (s *speeds) with(fn string, f func(*speed)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of == nil {
		s.of = map[string]*speed{}
	}
	if s.of[fn] == nil {
		s.of[fn] = &speed{}
	}
	f(s.of[fn])
}

func (s *speeds) started(x platform.Start) {
	if x.Error == "" {
		s.with(x.Function, func(v *speed) { v.start.add(x.Create + x.Ready) })
	}
}

func (s *speeds) observed(o function.Observation) {
	if o.Outcome == function.OutcomeOK && o.Trial == "" {
		s.with(o.Function, func(v *speed) { v.service.add(o.Execution) })
	}
}

// get returns what few starts exceed, the mean start and the mean service time.
func (s *speeds) get(fn string) (slow, start, service time.Duration) {
	s.with(fn, func(v *speed) { slow, start, service = v.start.slow(), seconds(v.start.mean), seconds(v.service.mean) })
	return slow, start, service
}

// keep forgets functions that are gone.
func (s *speeds) keep(known func(fn string) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for fn := range s.of {
		if !known(fn) {
			delete(s.of, fn)
		}
	}
}
