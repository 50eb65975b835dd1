package sim

import "fmt"

// Check returns an error when the books of a running simulation do not balance.
func (s *Sim) Check() error {
	var used int64
	waiting := 0
	for i := range s.fns {
		f := &s.fns[i]
		used += int64(f.alive()) * f.memory
		waiting += len(f.waiting)
		work, busy := int32(0), int32(0)
		for _, x := range f.slots {
			work += x.work
			if x.work > 0 {
				busy++
			}
			if x.work > f.concurrency {
				return fmt.Errorf("function %d: an instance serves %d of %d", i, x.work, f.concurrency)
			}
		}
		switch {
		case f.busy < 0 || f.atWork < 0 || f.busyNanos < 0 || f.idleNanos < 0:
			return fmt.Errorf("function %d: negative count", i)
		case work != f.atWork || busy != f.busy:
			return fmt.Errorf("function %d: %d at work on %d instances, slots say %d on %d", i, f.atWork, f.busy, work, busy)
		case f.alive() > f.max:
			return fmt.Errorf("function %d: %d instances of at most %d", i, f.alive(), f.max)
		}
	}
	switch {
	case used != s.used:
		return fmt.Errorf("%d bytes in the books, %d in instances", s.used, used)
	case s.cfg.Capacity > 0 && used > s.cfg.Capacity:
		return fmt.Errorf("%d bytes used of %d", used, s.cfg.Capacity)
	}
	inLine := 0
	for _, w := range s.line.members {
		if !w.gone {
			inLine++
		}
	}
	if inLine != waiting {
		return fmt.Errorf("%d wait in line, %d at functions", inLine, waiting)
	}
	return nil
}
