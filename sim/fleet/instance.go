package fleet

// state is what an instance does.
type state uint8

const (
	gone     state = iota
	starting       // ahead, not claimed by an invocation
	idle
	busy // with invocations, though it may not be ready yet
)

// instance is one sandbox.
type instance struct {
	function, revision, node int32

	work       int32  // invocations
	open       int32  // position in fn.open, -1 when full
	uses       int32  // invocations that it has been given
	generation uint32 // of the instances that had this index

	state state
	// byTarget: the function's target decides how long it stays, not a
	// retention of its own. release: it goes even if the target wants it.
	byTarget, release bool
	listed            bool // among the node's victims
	demanded          bool // started because an invocation waits

	ready   int64 // instant from which it serves
	since   int64 // instant from which it is in its state
	charged int64 // instant until which its time is charged
	expiry  int64 // when it is idle
	keep    int64 // how long it stays idle at first, when it was started for some time; else 0
	stamp   float64
}

// fn is the state of one function.
type fn struct {
	cold             int64 // usual time to start, ns
	concurrency, max int32
	revision         int32

	busy   int32 // instances with invocations
	atWork int32 // invocations that have an instance
	warm   int32
	keep   int64 // keep-alive of instances beyond warm

	idle     []int32 // instances in the order in which they fell idle
	starting []int32 // unclaimed instances that are being started ahead, in the order in which they will be ready
	open     []int32 // busy instances of the current revision that can take one invocation more
	waiting  []int32 // jobs that wait: for room, and if shared for an instance

	// preWarmAt is when the pending retention starts an instance, 0 if none.
	preWarmAt, preWarmKeep int64
	// expireAt is the instant of the pending expire event, 0 if none.
	expireAt int64
	// due are until when invocations that were foreseen are expected, and hold
	// is how long an instance waits for one.
	due  []int64
	hold int64

	arrivals, peak int32
	load           int64 // invocation-nanoseconds since the last plan
	loadSince      int64
}

func (f *fn) alive() int32 { return f.busy + int32(len(f.idle)) + int32(len(f.starting)) }

// create makes an instance of the current revision on a node, which is ready
// at the given instant, idle until it is claimed.
func (s *Fleet) create(i, on int32, ready int64) int32 {
	var id int32
	if n := len(s.spare); n > 0 {
		id = s.spare[n-1]
		s.spare = s.spare[:n-1]
	} else {
		id = int32(len(s.instances))
		s.instances = append(s.instances, instance{})
	}
	x := &s.instances[id]
	*x = instance{
		function: i, revision: s.fns[i].revision, node: on, open: -1, generation: x.generation + 1,
		state: starting, ready: ready, since: s.now, charged: s.now,
	}
	r := s.revisions[x.revision].resources
	s.nodes[on].take(int64(r.CPU), int64(r.Memory))
	return id
}

// destroy ends an instance that is on no list any more.
func (s *Fleet) destroy(id int32) {
	x := &s.instances[id]
	s.enter(x, gone)
	r := s.revisions[x.revision].resources
	s.nodes[x.node].give(int64(r.CPU), int64(r.Memory))
	x.generation++
	s.spare = append(s.spare, id)
}

// enter brings an instance into another state.
func (s *Fleet) enter(x *instance, to state) {
	s.settle(x)
	n := &s.nodes[x.node]
	r := s.revisions[x.revision].resources
	if x.state == idle {
		n.idleCPU -= int64(r.CPU)
		n.idleMemory -= int64(r.Memory)
	}
	if x.state == busy {
		n.busyCPU -= int64(r.CPU)
	}
	switch to {
	case idle:
		n.idleCPU += int64(r.CPU)
		n.idleMemory += int64(r.Memory)
	case busy:
		n.busyCPU += int64(r.CPU)
	}
	x.state, x.since = to, s.now
}

// occupy makes an instance busy, which is on no list.
func (s *Fleet) occupy(f *fn, id int32) {
	x := &s.instances[id]
	s.enter(x, busy)
	x.open = int32(len(f.open))
	f.open = append(f.open, id)
	f.busy++
	f.peak = max(f.peak, f.busy)
}

// openInstance returns a busy instance with room, one that is ready if there is
// any, or -1.
func (s *Fleet) openInstance(f *fn) int32 {
	best := int32(-1)
	for j := len(f.open) - 1; j >= 0; j-- {
		id := f.open[j]
		if s.instances[id].ready <= s.now {
			return id
		}
		if best < 0 || s.instances[id].ready < s.instances[best].ready {
			best = id
		}
	}
	return best
}

// shut takes an instance off the list of open ones.
func (s *Fleet) shut(f *fn, x *instance) {
	if x.open < 0 {
		return
	}
	last := f.open[len(f.open)-1]
	f.open[x.open] = last
	s.instances[last].open = x.open
	f.open = f.open[:len(f.open)-1]
	x.open = -1
}

// insertStarting keeps the order of readiness, first come first where equal.
func (s *Fleet) insertStarting(f *fn, id int32) {
	at := s.instances[id].ready
	f.starting = append(f.starting, id)
	for j := len(f.starting) - 1; j > 0 && s.instances[f.starting[j-1]].ready > at; j-- {
		f.starting[j], f.starting[j-1] = f.starting[j-1], f.starting[j]
	}
}

// remove takes an element off a list, in order.
func remove(list []int32, id int32) []int32 {
	for j, x := range list {
		if x == id {
			return append(list[:j], list[j+1:]...)
		}
	}
	return list
}
