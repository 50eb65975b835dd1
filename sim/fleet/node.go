package fleet

import (
	"math"

	"github.com/aquatope/aquatope/function"
)

// node is a machine and what is on it.
type node struct {
	cpu                 int64 // millis, 0 without a limit
	freeCPU, freeMemory int64 // not given to instances, by their limits
	idleCPU, idleMemory int64 // of idle instances
	busyCPU             int64 // of busy instances
	lost                bool
	victims             victims
}

// anyNode stands for several nodes that have changed.
const anyNode = -1

const unlimited = math.MaxInt64 / 2

func (s *Fleet) addNodes() {
	if len(s.cfg.Nodes) == 0 {
		s.nodes = []node{{freeCPU: unlimited, freeMemory: unlimited}}
	}
	for _, n := range s.cfg.Nodes {
		x := node{cpu: int64(n.CPU), freeCPU: int64(s.cfg.Overbook * float64(n.CPU)), freeMemory: int64(n.Memory)}
		if n.CPU == 0 {
			x.freeCPU = unlimited
		}
		if n.Memory == 0 {
			x.freeMemory = unlimited
		}
		s.nodes = append(s.nodes, x)
	}
}

// limited says that instances may have to make place.
func (s *Fleet) limited() bool { return len(s.cfg.Nodes) > 0 }

func (n *node) take(cpu, memory int64) { n.freeCPU -= cpu; n.freeMemory -= memory }
func (n *node) give(cpu, memory int64) { n.freeCPU += cpu; n.freeMemory += memory }

func (n *node) cpuLoad() float64 {
	if n.cpu == 0 {
		return 0
	}
	return float64(n.busyCPU) / float64(n.cpu)
}

// fits says whether there is room for an instance without eviction.
func (n *node) fits(r function.Resources) bool {
	return n.freeMemory >= int64(r.Memory) && n.freeCPU >= int64(r.CPU) && !n.lost
}

// fit returns the node with the least free memory that has room, -1 without.
func (s *Fleet) fit(r function.Resources) int32 {
	best, least := int32(-1), int64(math.MaxInt64)
	for i := range s.nodes {
		if n := &s.nodes[i]; n.freeMemory < least && n.fits(r) {
			best, least = int32(i), n.freeMemory
		}
	}
	return best
}

// obtain finds a node for one more instance of i, by evicting idle instances if
// it must; -1 when there is none. Busy instances are never evicted.
func (s *Fleet) obtain(i int32) int32 {
	f := &s.fns[i]
	if f.alive() >= f.max {
		return -1
	}
	r := s.revisions[f.revision].resources
	on := s.fit(r)
	if on >= 0 {
		return on
	}
	most := int64(math.MinInt64)
	for j := range s.nodes {
		if n := &s.nodes[j]; n.freeMemory > most && n.couldFit(r) {
			on, most = int32(j), n.freeMemory
		}
	}
	if on >= 0 {
		s.clear(on, r)
	}
	return on
}

// couldFit says whether there is room for an instance when all that are idle go.
func (n *node) couldFit(r function.Resources) bool {
	return n.freeMemory+n.idleMemory >= int64(r.Memory) && n.freeCPU+n.idleCPU >= int64(r.CPU) && !n.lost
}

// clear makes room on a node that could fit.
func (s *Fleet) clear(on int32, r function.Resources) {
	for !s.nodes[on].fits(r) {
		s.evict(on)
	}
}

// everFits says whether any node is large enough for an instance.
func (s *Fleet) everFits(r function.Resources) bool {
	if !s.limited() {
		return true
	}
	for _, n := range s.cfg.Nodes {
		if (n.Memory == 0 || n.Memory >= r.Memory) && (n.CPU == 0 || s.cfg.Overbook*float64(n.CPU) >= float64(r.CPU)) {
			return true
		}
	}
	return false
}

// lose ends all instances of a node; their invocations fail.
func (s *Fleet) lose(on int32) {
	n := &s.nodes[on]
	if n.lost {
		return
	}
	n.lost = true
	var lost []job
	for j := range s.jobs {
		x := &s.jobs[j]
		if x.instance < 0 || s.instances[x.instance].node != on {
			continue
		}
		lost = append(lost, *x)
		f := &s.fns[x.served.Function]
		s.account(f)
		f.atWork--
		s.instances[x.instance].work--
		s.dropJob(int32(j))
	}
	for id := range s.instances {
		x := &s.instances[id]
		if x.state == gone || x.node != on {
			continue
		}
		f := &s.fns[x.function]
		switch x.state {
		case idle:
			f.idle = remove(f.idle, int32(id))
		case starting:
			f.starting = remove(f.starting, int32(id))
		case busy:
			s.shut(f, x)
			f.busy--
		}
		if s.Counted(s.now) {
			s.counts.Lost++
		}
		s.destroy(int32(id))
	}
	for i := range s.fns {
		s.recover(&s.fns[i], int32(i))
	}
	for i := range lost {
		s.host.Fail(lost[i].token, &lost[i].served, Lost)
	}
}

func (s *Fleet) comeBack(on int32) {
	s.nodes[on].lost = false
	s.serveLine(on)
}
