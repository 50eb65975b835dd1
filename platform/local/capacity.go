package local

import (
	"slices"
	"time"

	"github.com/aquatope/aquatope/function"
)

func add(a, b function.Resources) function.Resources {
	return function.Resources{CPU: a.CPU + b.CPU, Memory: a.Memory + b.Memory}
}

func sub(a, b function.Resources) function.Resources {
	return function.Resources{CPU: a.CPU - b.CPU, Memory: a.Memory - b.Memory}
}

func within(a, limit function.Resources) bool {
	return a.CPU <= limit.CPU && a.Memory <= limit.Memory
}

// admit reports whether one more instance of r may start now. Where the budget
// does not allow it, idle instances of other revisions are retired, if that
// makes enough room; the start then follows when they are gone. A revision
// whose requests have waited longer for room goes first.
func (p *Platform) admit(r *revision) bool {
	if first := p.firstInLine(); first != nil && first != r {
		return false
	}
	need := add(p.used, r.rev.Resources)
	if within(need, p.cfg.Capacity) {
		return true
	}
	for _, o := range p.revisions {
		for _, in := range o.instances {
			if in.state == stateStopping {
				need = sub(need, o.rev.Resources)
			}
		}
	}
	var chosen []*instance
	for _, in := range p.evictable(r) {
		if within(need, p.cfg.Capacity) {
			break
		}
		need = sub(need, in.rev.rev.Resources)
		chosen = append(chosen, in)
	}
	if within(need, p.cfg.Capacity) {
		for _, in := range chosen {
			in.retire()
		}
	}
	return false
}

// evictable lists the idle instances of other revisions beyond their warm
// floor, the one idle for the longest time first.
func (p *Platform) evictable(r *revision) []*instance {
	var list []*instance
	for _, o := range p.revisions {
		if o == r {
			continue
		}
		starting, serving := o.live()
		var idle []*instance
		for _, in := range o.instances {
			if in.idle() {
				idle = append(idle, in)
			}
		}
		slices.SortFunc(idle, byIdle)
		list = append(list, idle[:min(len(idle), max(0, starting+serving-o.floor()))]...)
	}
	slices.SortFunc(list, byIdle)
	return list
}

func byIdle(a, b *instance) int { return a.idleSince.Compare(b.idleSince) }

// firstInLine returns the revision whose request has waited longest among
// those that have no instance and none on its way.
func (p *Platform) firstInLine() *revision {
	var first *revision
	var since time.Time
	now := time.Now()
	for _, r := range p.revisions {
		front := r.queue.Front()
		if front == nil || r.backoff.remaining(now) > 0 {
			continue
		}
		if starting, serving := r.live(); starting+serving > 0 {
			continue
		}
		if w := front.Value.(*waiter); first == nil || w.arrived.Before(since) {
			first, since = r, w.arrived
		}
	}
	return first
}

// freed gives all revisions the chance to use room that became free, those
// whose requests have waited longest first.
func (p *Platform) freed() {
	list := make([]*revision, 0, len(p.revisions))
	for _, r := range p.revisions {
		list = append(list, r)
	}
	slices.SortFunc(list, func(a, b *revision) int { return a.since().Compare(b.since()) })
	for _, r := range list {
		r.balance()
	}
}

// since is when the first waiter arrived; revisions without one come last.
func (r *revision) since() time.Time {
	if f := r.queue.Front(); f != nil {
		return f.Value.(*waiter).arrived
	}
	return time.Now()
}
