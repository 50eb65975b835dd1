package control

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform"
	"github.com/aquatope/aquatope/pool"
)

// promisePart has an instance of a function for a part of the window, unless an
// invocation comes before.
func (p *Pool) promisePart(i int, now time.Time, r pool.Retention) {
	view := p.mind.views[i]
	at := later(since(now), r.PreWarm)
	x := &promise{function: view.Name, at: at, ready: at, until: later(at, r.KeepAlive+p.c.Window/20)} // or the next plan comes too late
	if r.PreWarm > 0 {
		x.ready, x.until = later(x.at, view.ColdStart), later(x.until, view.ColdStart)
	}
	p.functions[i].part = x
	p.mind.ahead.push(x)
	p.mind.look(since(now))
}

// keepPart ends what promisePart began.
func (p *Pool) keepPart(f *controlled) {
	if f.part != nil {
		p.mind.end(f.part)
	}
	f.part = nil
}

// Ahead keeps ready what runs that have begun need by now, and gives up what did
// not come. It is due at Wake.
func (p *Pool) Ahead(ctx context.Context, now time.Time) error {
	var err error
	p.guard("looking ahead along a run", func() {
		p.mind.look(since(now))
		err = p.settle(ctx)
	})
	return err
}

// settle tells the world what the last events changed.
func (p *Pool) settle(ctx context.Context) error {
	if p.c.Mode != ModeApply || p.broken {
		clear(p.mind.touched)
		return nil
	}
	var errs []error
	for _, i := range slices.Sorted(maps.Keys(p.mind.touched)) { // room goes to the first
		f := &p.functions[i]
		errs = append(errs, p.scale(ctx, f, p.wanted(f)))
	}
	clear(p.mind.touched)
	return errors.Join(errs...)
}

// wanted is what is in force by the plan, and beyond it one free instance for
// every invocation that is expected within moments, as far as limits allow.
func (p *Pool) wanted(f *controlled) (s platform.Scale) {
	s = f.base
	i := p.index[f.revision.Function.Name]
	known, view := p.mind.known[i], p.mind.views[i]
	if known.expected == 0 || p.c.Mode != ModeApply || p.broken {
		return s
	}
	need := instances(f.atWork+known.expected, f.revision)
	if view.Service < view.ColdStart {
		// Who is at work ends before another instance had started, and so may each
		// of those who are expected before the next of them comes.
		n := float64(known.expected)
		need = min(instances(known.expected, f.revision), pool.Instances(n, view, known.hold.Seconds()/n))
		need = max(instances(f.atWork, f.revision), need)
	}
	if most := f.revision.Function.Scale.Max; most > 0 {
		need = min(need, most)
	}
	for s.Warm < need && p.roomFor(f, s.Warm+1) {
		s.Warm++
	}
	return s
}

// roomFor reports whether f may have so many warm instances, given those of the others.
func (p *Pool) roomFor(f *controlled, warm int) bool {
	var sum function.Resources
	add := func(r function.Resources, n int) {
		sum.CPU += function.MilliCPU(n) * r.CPU
		sum.Memory += function.Bytes(n) * r.Memory
	}
	for i := range p.functions {
		if o := &p.functions[i]; o != f {
			add(o.revision.Resources, o.scale.Warm)
		}
	}
	add(f.revision.Resources, warm)
	return sum.CPU <= p.budget.CPU && sum.Memory <= p.budget.Memory
}

// Wake is when Step or Ahead is due, whichever is first.
func (p *Pool) Wake() time.Time {
	at, ok := p.mind.ahead.next()
	if t := epoch.Add(at); ok && t.Before(p.planAt) {
		return t
	}
	return p.planAt
}
