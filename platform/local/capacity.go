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
	need := add(p.used, r.rev.Resources)
	first := p.firstInLine()
	if within(need, p.cfg.Capacity) && (first == nil || first == r) {
		return true
	}
	p.short = true
	if first != nil && first != r {
		return false
	}
	need = p.afterStops(r)
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

// afterStops is what would be used with one more instance of r when all that
// stop now are gone.
func (p *Platform) afterStops(r *revision) function.Resources {
	need := add(p.used, r.rev.Resources)
	for _, o := range p.revisions {
		for _, in := range o.instances {
			if in.state == stateStopping {
				need = sub(need, o.rev.Resources)
			}
		}
	}
	return need
}

// possible reports whether r fits beside the warm floors of the others.
func (p *Platform) possible(r *revision) bool {
	need := r.rev.Resources
	for _, o := range p.revisions {
		if o == r {
			continue
		}
		starting, serving := o.live()
		for range min(starting+serving, o.floor()) {
			need = add(need, o.rev.Resources)
		}
	}
	return within(need, p.cfg.Capacity)
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
// those that have no instance, none on its way, and will find room.
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
		if w := front.Value.(*waiter); (first == nil || w.arrived.Before(since)) && p.possible(r) {
			first, since = r, w.arrived
		}
	}
	return first
}

// patience is how long a request without any instance of its function waits
// for room, before an instance that could go on serving others makes way.
const patience = 500 * time.Millisecond

// mustYield reports whether an instance of r that just became idle has to make
// way for another revision, although requests may wait for it: they came later
// than those of the other, which has no instance at all.
func (r *revision) mustYield(now time.Time) bool {
	if !r.p.short || r.queue.Len() == 0 {
		return false // idle, it can be evicted if that helps
	}
	first := r.p.firstInLine()
	if first == nil || first == r || now.Sub(first.since()) < patience || r.since().Before(first.since()) {
		return false
	}
	if within(r.p.afterStops(first), r.p.cfg.Capacity) {
		return false // enough make way already
	}
	starting, serving := r.live()
	return starting+serving > r.floor()
}

// freed gives all revisions the chance to use room that became free, those
// whose requests have waited longest first.
func (p *Platform) freed() {
	p.short = false
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
