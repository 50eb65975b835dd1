package server

import (
	"sync"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform"
)

// startedAhead tells apart the instances that were started for an invocation
// that waited, and those that were started ahead of any: the latter served one
// later, or ended unused. It is safe for concurrent use.
type startedAhead struct {
	// charge is told of every instance that was started ahead, once it is known.
	charge func(s platform.Start, used bool)

	mu     sync.Mutex
	unused map[string][]platform.Start // by revision, oldest first
	of     map[string]aheadCount       // by function
}

// aheadCount counts instances of a function that were started ahead.
type aheadCount struct{ used, unused int }

func newStartedAhead(charge func(s platform.Start, used bool)) *startedAhead {
	return &startedAhead{charge: charge, unused: map[string][]platform.Start{}, of: map[string]aheadCount{}}
}

// started is told of every start.
func (a *startedAhead) started(s platform.Start) {
	if s.Error != "" {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.unused[s.Revision] = append(a.unused[s.Revision], s)
}

// observed is told of every invocation: the first of an instance tells why it
// was started.
func (a *startedAhead) observed(o function.Observation) {
	a.mu.Lock()
	defer a.mu.Unlock()
	list := a.unused[o.Revision]
	for i, s := range list {
		if s.Instance != o.Instance {
			continue
		}
		a.drop(o.Revision, i)
		if !o.Cold {
			a.count(s, true)
		}
		return
	}
}

// seen is told how many instances there are: of those that have not served yet
// the oldest ended where there are fewer.
func (a *startedAhead) seen(s platform.Snapshot) {
	a.mu.Lock()
	defer a.mu.Unlock()
	alive := map[string]int{}
	for _, r := range s.Revisions {
		alive[r.Revision] = r.Idle + r.Busy
	}
	for revision, list := range a.unused {
		for n := len(list); n > alive[revision]; n-- {
			a.count(a.unused[revision][0], false)
			a.drop(revision, 0)
		}
	}
}

func (a *startedAhead) drop(revision string, i int) {
	list := a.unused[revision]
	if list = append(list[:i], list[i+1:]...); len(list) == 0 {
		delete(a.unused, revision)
		return
	}
	a.unused[revision] = list
}

func (a *startedAhead) count(s platform.Start, used bool) {
	c := a.of[s.Function]
	if used {
		c.used++
	} else {
		c.unused++
	}
	a.of[s.Function] = c
	a.charge(s, used)
}

func (a *startedAhead) get(fn string) aheadCount {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.of[fn]
}

// startTime is how long an instance took until it was ready.
func startTime(s platform.Start) time.Duration { return s.Create + s.Ready }
