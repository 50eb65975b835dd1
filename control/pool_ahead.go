package control

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform"
	"github.com/aquatope/aquatope/pool"
)

// ahead is what runs that have begun will need.
type ahead struct {
	runs map[string]*begun
	// pending are the promises that something is to be done about, in order of
	// when: to keep an instance ready, or to give up waiting.
	pending []*promise
}

// begun is a run of a workflow that is under way.
type begun struct {
	at       time.Duration
	promises []*promise
	blind    bool // nothing is known of the workflow yet
}

// promise is one invocation that a run will likely make.
type promise struct {
	function         string
	at, ready, until time.Duration // when an instance is kept, when it can serve, and until when it waits
	kept, over       bool
}

func (x *promise) due() time.Duration {
	if x.kept {
		return x.until
	}
	return x.at
}

func newAhead() *ahead { return &ahead{runs: map[string]*begun{}} }

func (a *ahead) push(x *promise) {
	i, _ := slices.BinarySearchFunc(a.pending, x.due(), func(y *promise, t time.Duration) int { return int(min(max(y.due()-t, -1), 1)) })
	a.pending = slices.Insert(a.pending, i, x)
}

// next is when something is to be done; ok is false if there is nothing.
func (a *ahead) next() (at time.Duration, ok bool) {
	for len(a.pending) > 0 && a.pending[0].over {
		a.pending = a.pending[1:]
	}
	if len(a.pending) == 0 {
		return 0, false
	}
	return a.pending[0].due(), true
}

// forget drops runs whose end was not told, because it was lost on the way.
func (a *ahead) forget(before time.Duration) {
	for id, r := range a.runs {
		if r.at < before {
			delete(a.runs, id)
		}
	}
}

// sight is the share of a function's invocations for which an instance could be
// ready because their run had begun.
type sight struct{ share, n float64 }

const (
	// sightMemory is how many invocations a sight remembers, and sightProven
	// how many it takes to rely on it.
	sightMemory = 50
	sightProven = 5
	// sightEnough is the share that is enough to keep nothing warm between runs.
	sightEnough = 0.85
)

func (s *sight) add(foreseen bool) {
	x := 0.0
	if foreseen {
		x = 1
	}
	s.n = min(s.n+1, sightMemory)
	s.share += (x - s.share) / s.n
}

func (s *sight) enough() bool { return s.n >= sightProven && s.share >= sightEnough }

// follow is told of an invocation that arrives. The first of a run tells what
// the run will need; a later one may have been foreseen.
func (p *Pool) follow(e Event, i int) {
	f := &p.functions[i]
	if e.Run == "" || e.Workflow == "" {
		f.sight.add(false)
		return
	}
	at := since(e.At)
	r := p.ahead.runs[e.Run]
	if r == nil {
		f.sight.add(false)
		p.ahead.runs[e.Run] = p.begin(e, at)
		return
	}
	if r.blind {
		return
	}
	for _, x := range r.promises {
		if x.over || x.function != e.Function {
			continue
		}
		f.sight.add(at >= x.ready)
		p.keepOrNot(x, -1)
		x.over = true
		return
	}
	f.sight.add(false)
}

// begin makes the promises of a run.
func (p *Pool) begin(e Event, at time.Duration) *begun {
	r := &begun{at: at}
	entry, known := p.paths.entries[entryStage{e.Workflow, e.Stage}]
	if !known {
		r.blind = !p.paths.workflows[e.Workflow]
		return r
	}
	for _, x := range p.mind.policy.Foresee(entry) {
		view := p.mind.views[x.Function]
		begin := later(at, x.After)
		made := &promise{
			function: view.Name, at: begin, ready: later(begin, view.ColdStart),
			until: later(later(begin, view.ColdStart), x.Hold),
		}
		r.promises = append(r.promises, made)
		p.ahead.push(made)
	}
	return r
}

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
	p.ahead.push(x)
	p.look(since(now))
}

// keepPart ends what promisePart began.
func (p *Pool) keepPart(f *controlled) {
	if f.part != nil && !f.part.over {
		p.keepOrNot(f.part, -1)
		f.part.over = true
	}
	f.part = nil
}

// over is told that nothing more comes of a run.
func (p *Pool) over(run string) {
	r := p.ahead.runs[run]
	if r == nil {
		return
	}
	delete(p.ahead.runs, run)
	for _, x := range r.promises {
		if !x.over {
			p.keepOrNot(x, -1)
			x.over = true
		}
	}
}

// keepOrNot counts an instance that is kept for a promise, or no longer.
func (p *Pool) keepOrNot(x *promise, step int) {
	if step < 0 && !x.kept {
		return
	}
	i, ok := p.index[x.function]
	if !ok {
		return
	}
	f := &p.functions[i]
	f.expected = max(0, f.expected+step)
	p.touched[i] = true
}

// Ahead keeps ready what runs that have begun need by now, and gives up what did
// not come. It is due at Wake.
func (p *Pool) Ahead(ctx context.Context, now time.Time) error {
	var err error
	p.guard("looking ahead along a run", func() {
		p.look(since(now))
		err = p.settle(ctx)
	})
	return err
}

func (p *Pool) look(now time.Duration) {
	for {
		at, ok := p.ahead.next()
		if !ok || at > now {
			return
		}
		x := p.ahead.pending[0]
		p.ahead.pending = p.ahead.pending[1:]
		if x.kept {
			p.keepOrNot(x, -1)
			x.over = true
			continue
		}
		x.kept = true
		p.keepOrNot(x, +1)
		p.ahead.push(x)
		if i, ok := p.index[x.function]; ok && x != p.functions[i].part {
			p.mind.accounts[i].ours.foresee(at, x.until, p.mind.views[i].ColdStart, p.functions[i].expected)
		}
	}
}

// settle tells the world what the last events changed.
func (p *Pool) settle(ctx context.Context) error {
	if p.c.Mode != ModeApply || p.broken {
		clear(p.touched)
		return nil
	}
	var errs []error
	for i := range p.touched {
		f := &p.functions[i]
		errs = append(errs, p.scale(ctx, f, p.wanted(f)))
	}
	clear(p.touched)
	return errors.Join(errs...)
}

// wanted is what is in force by the plan, and beyond it one free instance for
// every invocation that is expected within moments, as far as limits allow.
func (p *Pool) wanted(f *controlled) (s platform.Scale) {
	s = f.base
	if f.expected == 0 || p.c.Mode != ModeApply || p.broken {
		return s
	}
	need := f.atWork + f.expected
	if view := p.mind.views[p.index[f.revision.Function.Name]]; view.Service < view.ColdStart {
		// Who is at work ends before another instance had started.
		need = max(f.atWork, f.expected)
	}
	need = instances(need, f.revision)
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
	at, ok := p.ahead.next()
	if t := epoch.Add(at); ok && t.Before(p.planAt) {
		return t
	}
	return p.planAt
}
