package local

import (
	"context"
	"fmt"
	"slices"

	"github.com/aquatope/aquatope/platform"
)

// route spreads a function's invocations over revisions in proportion to
// their percentages, by smooth weighted round robin: the one whose credit is
// highest is next and pays with the sum of all weights. After any n
// invocations a revision is off its share by less than one.
type route struct {
	shares []share
}

type share struct {
	rev     *revision
	percent int
	credit  int
}

// next picks the revision of the next invocation.
func (rt *route) next() *revision {
	best, sum := -1, 0
	for i := range rt.shares {
		s := &rt.shares[i]
		sum += s.percent
		s.credit += s.percent
		if s.percent > 0 && (best < 0 || s.credit > rt.shares[best].credit) {
			best = i
		}
	}
	if best < 0 {
		return nil
	}
	rt.shares[best].credit -= sum
	return rt.shares[best].rev
}

func (rt *route) percent(r *revision) int {
	for _, s := range rt.shares {
		if s.rev == r {
			return s.percent
		}
	}
	return 0
}

// Route sets where invocations of a function go; see platform.Platform.
func (p *Platform) Route(ctx context.Context, fn string, traffic []platform.Traffic) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	old := p.routes[fn]
	rt, sum := &route{}, 0
	for _, t := range traffic {
		r, ok := p.revisions[t.Revision]
		switch {
		case !ok || r.removed:
			return fmt.Errorf("routing %s: revision %s is not deployed", fn, t.Revision)
		case r.rev.Function.Name != fn:
			return fmt.Errorf("routing %s: revision %s is one of function %s", fn, t.Revision, r.rev.Function.Name)
		case t.Percent < 0 || rt.percent(r) > 0:
			return fmt.Errorf("routing %s: revision %s has a negative share or two", fn, t.Revision)
		}
		sum += t.Percent
		rt.shares = append(rt.shares, share{rev: r, percent: t.Percent})
	}
	if len(traffic) == 0 {
		delete(p.routes, fn)
	} else {
		if sum != 100 {
			return fmt.Errorf("routing %s: shares sum to %d, not 100", fn, sum)
		}
		p.routes[fn] = rt
	}
	// Both what has traffic now and what had it may want other warm instances.
	for _, s := range rt.shares {
		s.rev.balance()
	}
	if old != nil {
		for _, s := range old.shares {
			s.rev.balance()
		}
	}
	return nil
}

// unroute takes a revision out of its function's route.
func (p *Platform) unroute(r *revision) {
	fn := r.rev.Function.Name
	rt, ok := p.routes[fn]
	if !ok {
		return
	}
	rt.shares = slices.DeleteFunc(rt.shares, func(s share) bool { return s.rev == r })
	if len(rt.shares) == 0 {
		delete(p.routes, fn)
	}
}
