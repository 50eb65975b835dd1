package fleet

import (
	"math"
	"time"

	"github.com/aquatope/aquatope/pool"
)

// job is an invocation that waits in line or is being served.
type job struct {
	token      int64
	instance   int32 // -1 while it waits
	generation uint32
	fatal      bool
	served     Served
}

func (s *Fleet) newJob(i int32, token int64) int32 {
	var j int32
	if n := len(s.spareJobs); n > 0 {
		j = s.spareJobs[n-1]
		s.spareJobs = s.spareJobs[:n-1]
	} else {
		j = int32(len(s.jobs))
		s.jobs = append(s.jobs, job{})
	}
	x := &s.jobs[j]
	*x = job{token: token, instance: -1, generation: x.generation + 1, served: Served{Function: i, Arrived: s.now}}
	return j
}

func (s *Fleet) dropJob(j int32) {
	s.jobs[j].generation++
	s.jobs[j].instance = -1
	s.spareJobs = append(s.spareJobs, j)
}

// Invoke has a function invoked now. The host hears of it again by Serve and
// End, or by Fail.
func (s *Fleet) Invoke(i int32, token int64) {
	f := &s.fns[i]
	f.arrivals++
	f.preWarmAt = 0
	cold := s.start(f, i, s.newJob(i, token))
	s.policy.Arrive(pool.Event{Function: int(i), At: time.Duration(s.now), Busy: int(s.taken(f)), Idle: len(f.idle), Cold: cold})
	if len(f.due) > 0 {
		f.due = append(f.due[:0], f.due[1:]...)
	}
	if s.follower != nil {
		s.expect(s.follower.Follow(int(i)))
	}
}

// Foresee tells a policy that looks ahead that a run starts now, by an entry
// that the policy knows by that number. It is called after the first Invoke of
// the run.
func (s *Fleet) Foresee(entry int) {
	if s.foreseer != nil {
		s.expect(s.foreseer.Foresee(entry))
	}
}

func (s *Fleet) expect(ahead []pool.Ahead) {
	for _, a := range ahead {
		s.fns[a.Function].hold = int64(a.Hold)
		s.events.push(newEvent(add(s.now, int64(a.After)), foreseen, 0, int32(a.Function)))
	}
}

// start serves an invocation that arrived now, or lets it wait. It reports
// whether an instance is started for it or it claims one that is not ready yet.
func (s *Fleet) start(f *fn, i, j int32) (cold bool) {
	switch open := s.openInstance(f); {
	case open >= 0 && s.instances[open].ready <= s.now:
		s.join(f, open, j, Warm)
	case len(f.idle) > 0:
		id := f.idle[len(f.idle)-1]
		f.idle = f.idle[:len(f.idle)-1]
		s.occupy(f, id)
		s.join(f, id, j, Warm)
	case s.cfg.Shared:
		return s.queue(f, i, j)
	case open >= 0:
		s.join(f, open, j, Joined)
	case len(f.starting) > 0:
		id := f.starting[0]
		f.starting = append(f.starting[:0], f.starting[1:]...)
		s.occupy(f, id)
		s.join(f, id, j, Cold)
		return true
	default:
		on := s.obtain(i)
		if on < 0 {
			s.wait(f, i, j)
			return false
		}
		id := s.createCold(i, on)
		s.occupy(f, id)
		s.join(f, id, j, Cold)
		return true
	}
	return false
}

// createCold makes an instance that is started now.
func (s *Fleet) createCold(i, on int32) int32 {
	return s.create(i, on, add(s.now, s.host.ColdStart(i, s.revisions[s.fns[i].revision].resources)))
}

// account brings the function's load up to now.
func (s *Fleet) account(f *fn) {
	n := int(f.atWork)
	if s.cfg.Shared {
		n += len(f.waiting)
	}
	f.load += int64(n) * (s.now - f.loadSince)
	f.loadSince = s.now
}

// join gives a job to a busy instance with room.
func (s *Fleet) join(f *fn, id, j int32, how Start) {
	s.account(f)
	x, job := &s.instances[id], &s.jobs[j]
	f.atWork++
	x.uses++
	if x.work++; x.work >= f.concurrency {
		s.shut(f, x)
	}
	r := &s.revisions[x.revision]
	job.instance = id
	job.served.Node, job.served.How, job.served.Resources = x.node, how, r.resources
	job.served.Begin = max(s.now, x.ready)
	job.served.CPU = s.nodes[x.node].cpuLoad()
	if s.Counted(job.served.Arrived) {
		r.usage.Invocations++
	}
	var service int64
	service, job.fatal = s.host.Serve(job.token, &job.served)
	s.events.push(newEvent(add(job.served.Begin, service), complete, job.generation, j))
}

func (s *Fleet) complete(j int32, generation uint32) {
	job := &s.jobs[j]
	if job.generation&generationMask != generation {
		return // lost with its node
	}
	token, id, fatal := job.token, job.instance, job.fatal
	s.ended = job.served
	s.dropJob(j)
	s.leave(id, fatal)
	s.host.End(token, &s.ended)
}

// leave takes an invocation that is over off its instance, which ends when it
// must.
func (s *Fleet) leave(id int32, fatal bool) {
	x := &s.instances[id]
	i := x.function
	f := &s.fns[i]
	s.account(f)
	f.atWork--
	x.work--
	draining := fatal || x.revision != f.revision
	if draining {
		s.shut(f, x)
	} else {
		if x.open < 0 {
			x.open = int32(len(f.open))
			f.open = append(f.open, id)
		}
		if len(f.waiting) > 0 {
			s.joinWaiting(f, id)
			return
		}
	}
	if x.work > 0 {
		return
	}
	s.shut(f, x)
	f.busy--
	on := x.node
	if draining {
		s.destroy(id)
		s.serveLine(on)
		return
	}
	s.rest(f, id, s.retain(f, i))
	s.serveLine(on)
}

// retain asks the policy how long an instance stays that falls idle now.
func (s *Fleet) retain(f *fn, i int32) retention {
	rest := retention{expiry: add(s.now, f.keep), byTarget: true}
	r, ok := s.policy.Idle(pool.Event{Function: int(i), At: time.Duration(s.now), Busy: int(s.taken(f)), Idle: len(f.idle) + 1})
	if ok {
		f.preWarmAt = 0
		rest.byTarget, rest.release = false, r.Release
		switch {
		case r.PreWarm > 0:
			rest.expiry = s.now
			f.preWarmAt, f.preWarmKeep = add(s.now, int64(r.PreWarm)), int64(r.KeepAlive)
			s.events.push(newEvent(f.preWarmAt, preWarm, 0, i))
		case r.KeepAlive == pool.UntilPlan:
			rest.expiry, rest.byTarget = math.MaxInt64, true
		default:
			rest.expiry = add(s.now, int64(r.KeepAlive))
		}
	}
	return rest
}

func (s *Fleet) preWarm(i int32) {
	f := &s.fns[i]
	if f.preWarmAt != s.now {
		return // cancelled or replaced
	}
	f.preWarmAt = 0
	if f.alive() == 0 {
		s.startAhead(f, i, f.preWarmKeep)
	}
}

// startAhead starts an instance that nobody waits for, where there is room
// without eviction. Keep is how long it stays idle when it is ready, 0 for as long
// as the target says.
func (s *Fleet) startAhead(f *fn, i int32, keep int64) bool {
	if f.alive() >= f.max {
		return false
	}
	on := s.fit(s.revisions[f.revision].resources)
	if on < 0 {
		return false
	}
	if s.Counted(s.now) {
		s.counts.StartedAhead++
	}
	s.launch(f, i, on).keep = keep
	return true
}

// launch starts an instance that no invocation has claimed.
func (s *Fleet) launch(f *fn, i, on int32) *instance {
	id := s.createCold(i, on)
	s.insertStarting(f, id)
	x := &s.instances[id]
	s.events.push(newEvent(x.ready, ready, x.generation, id))
	return x
}
