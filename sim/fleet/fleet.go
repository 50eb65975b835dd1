package fleet

import (
	"fmt"
	"math"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/pool"
)

// Config describes the world and what counts.
type Config struct {
	// Window is the time between plans, positive.
	Window time.Duration
	// Lead is how long before the end of a window its plan is made, less than
	// Window, so that what is started ahead is ready when the next begins.
	Lead time.Duration
	// From and Until bound the time whose usage counts, as instants since the
	// epoch.
	From, Until time.Duration
	// Nodes are the cluster; without any there is room for everything.
	Nodes []Node
	// Overbook is how many times a node's CPU the limits of its instances may
	// sum up to; 0 means 1.
	Overbook float64
	// Shared says that invocations that find no instance free wait together, and
	// take whichever gets free or ready first, as on the local platform and on
	// Knative. Otherwise each waits for the instance that is started for it, as
	// where the platform binds the two.
	Shared bool
	// Patience is how long an invocation waits for room, and if Shared for an
	// instance; positive.
	Patience time.Duration
	// Losses are in any order.
	Losses []Loss
}

// Node is a machine of the cluster. What is 0 is unlimited.
type Node struct {
	CPU    function.MilliCPU
	Memory function.Bytes
}

// Loss is a node that dies with all of its instances, and comes back empty.
type Loss struct {
	Node     int
	At, Back time.Duration // since the epoch; it stays away unless Back is after At
}

// Function is what the fleet must know of a function.
type Function struct {
	Name        string
	Resources   function.Resources // of its first revision; CPU may be 0
	ColdStart   time.Duration      // usual time until an instance is ready
	Concurrency int                // 0 means 1
	Max         int                // hard cap on instances; 0 means none
}

// Fleet is one run of a policy.
type Fleet struct {
	cfg      Config
	host     Host
	policy   pool.Policy
	evictor  pool.Evictor
	foreseer pool.Foreseer
	follower pool.Follower

	fns       []fn
	instances []instance
	spare     []int32 // instances that are no more
	jobs      []job
	spareJobs []int32
	revisions []revision
	wakes     []int64
	spareWake []int32

	events      queue
	now         int64
	nextPlan    int64
	from, until int64

	nodes []node
	line  line

	states []pool.State
	ended  Served // of the invocation that ends now
	counts Counts
}

// Counts are the instances that were started and ended for a reason, within the
// counted time.
type Counts struct {
	StartedAhead, Evicted, Lost int64
}

// New returns a fleet that begins at instant 0. It panics on a window that is
// not positive and on a function without memory: programmer errors.
func New(functions []Function, p pool.Policy, host Host, cfg Config) *Fleet {
	if cfg.Window <= 0 || cfg.Lead < 0 || cfg.Lead >= cfg.Window || cfg.Patience <= 0 {
		panic("fleet: window and patience must be positive, and the lead shorter than the window")
	}
	if cfg.Overbook == 0 {
		cfg.Overbook = 1
	}
	s := &Fleet{
		cfg: cfg, host: host, policy: p, fns: make([]fn, len(functions)), states: make([]pool.State, len(functions)),
		from: int64(cfg.From), until: int64(cfg.Until), nextPlan: int64(cfg.Window - cfg.Lead),
	}
	s.evictor, _ = p.(pool.Evictor)
	s.foreseer, _ = p.(pool.Foreseer)
	s.follower, _ = p.(pool.Follower)
	for i, f := range functions {
		if f.Resources.Memory <= 0 || f.Resources.CPU < 0 {
			panic(fmt.Sprintf("fleet: function %q has %d bytes and %d millis of CPU", f.Name, f.Resources.Memory, f.Resources.CPU))
		}
		s.fns[i] = fn{cold: int64(f.ColdStart), max: int32(f.Max), concurrency: int32(max(1, f.Concurrency)), revision: int32(i)}
		if f.Max <= 0 {
			s.fns[i].max = math.MaxInt32
		}
		s.revisions = append(s.revisions, revision{resources: f.Resources, function: int32(i), previous: -1})
	}
	s.addNodes()
	for i, l := range cfg.Losses {
		if l.Node < 0 || l.Node >= len(cfg.Nodes) {
			panic(fmt.Sprintf("fleet: node %d of %d is lost", l.Node, len(cfg.Nodes)))
		}
		s.events.push(newEvent(int64(l.At), loss, 0, int32(i)))
		if l.Back > l.At {
			s.events.push(newEvent(int64(l.Back), recovery, 0, int32(i)))
		}
	}
	return s
}

// Now is the instant that the fleet has reached.
func (s *Fleet) Now() time.Duration { return time.Duration(s.now) }

// Counts returns what was counted so far.
func (s *Fleet) Counts() Counts { return s.counts }

// Counted reports whether the instant, in nanoseconds, is within the counted
// time.
func (s *Fleet) Counted(t int64) bool { return t >= s.from && t < s.until }

// RunTo runs events and plans up to and including the instant t: events before
// plans at the same instant.
func (s *Fleet) RunTo(t time.Duration) {
	for s.nextPlan <= int64(t) {
		s.runEvents(s.nextPlan)
		s.now = s.nextPlan
		s.plan()
		s.nextPlan += int64(s.cfg.Window)
	}
	s.runEvents(int64(t))
	s.now = int64(t)
}

func (s *Fleet) runEvents(t int64) {
	for len(s.events) > 0 && s.events[0].at <= t {
		e := s.events.pop()
		s.now = e.at
		i := e.index()
		switch e.kind() {
		case complete:
			s.complete(i, e.generation())
		case ready:
			s.ready(i, e.generation())
		case expire:
			s.expire(i)
		case preWarm:
			s.preWarm(i)
		case foreseen:
			s.foresee(i)
		case deadline:
			s.giveUp(i, e.generation())
		case wake:
			token := s.wakes[i]
			s.spareWake = append(s.spareWake, i)
			s.host.Wake(token)
		case loss:
			s.lose(int32(s.cfg.Losses[i].Node))
		case recovery:
			s.comeBack(int32(s.cfg.Losses[i].Node))
		}
	}
}

// Wake has the host woken, with the token, after a time in nanoseconds.
func (s *Fleet) Wake(after, token int64) {
	var i int32
	if n := len(s.spareWake); n > 0 {
		i = s.spareWake[n-1]
		s.spareWake = s.spareWake[:n-1]
	} else {
		i = int32(len(s.wakes))
		s.wakes = append(s.wakes, 0)
	}
	s.wakes[i] = token
	s.events.push(newEvent(add(s.now, after), wake, 0, i))
}

// clip returns the length of the part of [a, b) that lies in [from, to).
func clip(a, b, from, to int64) int64 {
	return max(0, min(b, to)-max(a, from))
}

// add returns a+b, or the largest instant instead of an overflow.
func add(a, b int64) int64 {
	if b > 0 && a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}
