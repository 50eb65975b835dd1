package fleet

import "fmt"

// Room is how many instances, invocations, events and the like there is room for.
// It is for tests.
func (s *Fleet) Room() int {
	n := len(s.instances) + len(s.jobs) + len(s.wakes) + cap(s.events) + cap(s.line)
	for i := range s.nodes {
		n += cap(s.nodes[i].victims)
	}
	return n
}

// Check returns an error when the books do not balance. It looks at everything,
// and is for tests.
func (s *Fleet) Check() error {
	type sum struct{ cpu, memory, idleCPU, idleMemory, busyCPU int64 }
	on := make([]sum, len(s.nodes))
	work := make([]int32, len(s.fns))
	counts := make([][busy + 1]int, len(s.fns))
	for id := range s.instances {
		x := &s.instances[id]
		if x.state == gone {
			continue
		}
		r := s.revisions[x.revision].resources
		n := &on[x.node]
		n.cpu += int64(r.CPU)
		n.memory += int64(r.Memory)
		counts[x.function][x.state]++
		work[x.function] += x.work
		switch x.state {
		case idle:
			n.idleCPU += int64(r.CPU)
			n.idleMemory += int64(r.Memory)
		case busy:
			n.busyCPU += int64(r.CPU)
		}
		if (x.work > 0) != (x.state == busy) || x.work > s.fns[x.function].concurrency {
			return fmt.Errorf("instance %d of function %d is in state %d with %d invocations", id, x.function, x.state, x.work)
		}
		if s.nodes[x.node].lost {
			return fmt.Errorf("instance %d is on a node that is lost", id)
		}
	}
	waiting := 0
	for i := range s.fns {
		f := &s.fns[i]
		waiting += len(f.waiting)
		c := counts[i]
		if c[idle] != len(f.idle) || c[starting] != len(f.starting) || c[busy] != int(f.busy) || work[i] != f.atWork || f.alive() > f.max {
			return fmt.Errorf("function %d: %d idle, %d starting and %d busy with %d invocations; lists say %d, %d, %d and %d; at most %d instances",
				i, c[idle], c[starting], c[busy], work[i], len(f.idle), len(f.starting), f.busy, f.atWork, f.max)
		}
	}
	for i := range s.nodes {
		n := &s.nodes[i]
		if got := (sum{on[i].cpu, on[i].memory, n.idleCPU, n.idleMemory, n.busyCPU}); got != on[i] || n.freeCPU < 0 || n.freeMemory < 0 {
			return fmt.Errorf("node %d: instances make %+v, books say %+v; free are %d millis and %d bytes", i, on[i], got, n.freeCPU, n.freeMemory)
		}
	}
	for i, c := range s.cfg.Nodes {
		n := &s.nodes[i]
		if c.Memory > 0 && n.freeMemory+on[i].memory != int64(c.Memory) || c.CPU > 0 && n.freeCPU+on[i].cpu != int64(s.cfg.Overbook*float64(c.CPU)) {
			return fmt.Errorf("node %d: %d bytes and %d millis in instances, %d and %d free", i, on[i].memory, on[i].cpu, n.freeMemory, n.freeCPU)
		}
	}
	inLine := 0
	listed := make([]bool, len(s.fns))
	for _, w := range s.line {
		if s.waits(w) {
			inLine++
			listed[s.jobs[w.job].served.Function] = true
		}
	}
	if !s.cfg.Shared && inLine != waiting {
		return fmt.Errorf("%d wait in line, %d at functions", inLine, waiting)
	}
	for i := range s.fns {
		f := &s.fns[i]
		if s.cfg.Shared && !s.covered(f) && !listed[i] {
			return fmt.Errorf("function %d: %d wait, %d instances are being started and none is in line for room", i, len(f.waiting), len(f.starting))
		}
	}
	return nil
}
