package control

import (
	"context"
	"errors"
	"time"

	"github.com/aquatope/aquatope/forecast"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform"
	"github.com/aquatope/aquatope/pool"
)

// Step plans the next window and applies the plan: observe, decide, apply. It
// is due at Due; earlier or later calls are legal. An error names what could not
// be applied; the rest is.
func (p *Pool) Step(ctx context.Context, now time.Time) error {
	snapshot, err := p.c.World.Snapshot(ctx)
	if err != nil {
		return err
	}
	usage := p.c.Meter.Take(now)
	p.budget = function.Resources{
		CPU:    function.MilliCPU(warmShare * float64(snapshot.Capacity.CPU)),
		Memory: function.Bytes(warmShare * float64(snapshot.Capacity.Memory)),
	}
	p.refresh(ctx, now)
	p.next = p.windowAfter(now)
	p.planAt = p.next.Add(p.c.Window - p.lead())
	wants := make([]Want, len(p.functions))
	planned := p.plan(now, snapshot, usage)
	for i := range p.functions {
		f := &p.functions[i]
		f.floor = max(f.revision.Function.Scale.Min, scheduled(f.revision.Function.Scale.Schedule, p.next, p.c.Window))
		wants[i] = Want{
			Floor: f.floor, Target: planned[i].Target, Max: f.revision.Function.Scale.Max, Each: f.revision.Resources,
			Worth: planned[i].worth,
		}
	}
	warm := Limit(wants, p.budget)
	var errs []error
	for i := range p.functions {
		planned[i].limit(warm[i], wants[i])
		if err := p.apply(ctx, i, planned[i]); err != nil {
			errs = append(errs, err)
		}
	}
	errs = append(errs, p.report(ctx, now, planned))
	return errors.Join(errs...)
}

// Due is when the next step is due.
func (p *Pool) Due() time.Time { return p.planAt }

// windowAfter returns the begin of the window that a plan made now is for: of
// the next one, or of the one after that when the next begins within the lead
// and was planned already.
func (p *Pool) windowAfter(now time.Time) time.Time {
	n := WindowBegin(WindowAt(now, p.c.Window)+1, p.c.Window)
	if n.Equal(p.next) && n.Sub(now) <= p.c.Window/2 {
		n = n.Add(p.c.Window)
	}
	return n
}

// lead is how long before a window it is planned: as long as instances take to
// start, within bounds, so that they are ready when it begins.
func (p *Pool) lead() time.Duration {
	least, most := p.c.Window/20, p.c.Window/4
	lead := least
	for i := range p.functions {
		slow, _, _ := p.speeds.get(p.functions[i].revision.Function.Name)
		lead = max(lead, slow)
	}
	return min(lead, most)
}

// refresh takes up the functions that are deployed now, a new model, and what
// recent runs say of workflows.
func (p *Pool) refresh(ctx context.Context, now time.Time) {
	revisions := p.c.Functions()
	histories := map[string]*forecast.History{}
	functions := make([]controlled, len(revisions))
	index := make(map[string]int, len(revisions))
	model := p.model.Swap(nil)
	for i, r := range revisions {
		name := r.Function.Name
		functions[i] = controlled{revision: r}
		if j, ok := p.index[name]; ok {
			functions[i] = p.functions[j]
			if functions[i].revision.Name != r.Name {
				functions[i].known = false
			}
			functions[i].revision = r
		} else if model == nil {
			if h := p.history(ctx, name, WindowAt(now, p.c.Window)); h != nil {
				histories[name] = h
			}
		}
		index[name] = i
	}
	p.functions, p.index = functions, index
	p.speeds.keep(func(fn string) bool { _, ok := index[fn]; return ok })
	if p.c.Mode != ModeOff {
		if w := WindowAt(now, p.c.Window); p.paths.young || w >= p.pathsAt+pathWindows || w < p.pathsAt {
			p.paths, p.pathsAt = p.learnPaths(ctx, w), w
		}
		if model != nil {
			p.replace(p.recall(ctx, now, *model))
		}
	}
	p.mind.setFunctions(p.views(), histories)
	p.mind.see(p.paths, p.alone)
	p.mind.ahead.forget(since(now) - ReactiveWindows*p.c.Window - time.Hour)
}

// replace takes up another mind, with what the runs under way have promised.
func (p *Pool) replace(next *mind) {
	for i, k := range next.known {
		k.expected, k.hold = 0, 0
		if j, ok := p.mind.index[next.views[i].Name]; ok {
			k.expected, k.hold = p.mind.known[j].expected, p.mind.known[j].hold
		}
	}
	next.ahead = p.mind.ahead
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mind = next
}

// views is what the policy may know of the functions.
func (p *Pool) views() []pool.Function {
	views := make([]pool.Function, len(p.functions))
	for i := range p.functions {
		r := &p.functions[i].revision
		slow, _, service := p.speeds.get(r.Function.Name)
		terms := p.termsOf(r.Function.Name)
		views[i] = pool.Function{
			// A unit of memory for every instance, so that the price of a
			// cold start is a time that one is kept idle.
			Name: r.Function.Name, Memory: 1e9, ColdStart: slow, Service: service,
			Concurrency: r.Function.Concurrency, Max: r.Function.Scale.Max,
			// Nothing is worth keeping that is worth less than it takes to start.
			Price: terms.Price, OnDemand: terms.OnDemand || terms.Price > 0 && terms.Price <= slow.Seconds(),
		}
	}
	return views
}

func (p *Pool) history(ctx context.Context, fn string, before int64) *forecast.History {
	if p.c.History == nil || p.c.Mode == ModeOff {
		return nil
	}
	h, err := p.c.History(ctx, fn, before)
	if err != nil {
		p.c.Logger.Warn("reading the arrivals of a function: its forecasts begin anew", "function", fn, "error", err)
		return nil
	}
	return h
}

// planned is what one window's plan is for one function, and why.
type planned struct {
	PoolState
	warm  int // after floor and caps
	worth float64
}

// plan asks the policy.
func (p *Pool) plan(now time.Time, snapshot platform.Snapshot, usage map[string]Usage) []planned {
	alive := map[string]platform.RevisionState{}
	for _, r := range snapshot.Revisions {
		alive[r.Revision] = r
	}
	s := pool.Snapshot{Now: since(now), Next: since(p.next), Window: p.c.Window, States: make([]pool.State, len(p.functions))}
	for i := range p.functions {
		f := &p.functions[i]
		u, r := usage[f.revision.Function.Name], alive[f.revision.Name]
		f.atWork = u.AtWork
		s.States[i] = pool.State{
			Arrivals: u.Arrivals, Peak: instances(u.Peak, f.revision), Load: u.Load,
			Busy: r.Busy, Idle: r.Idle, Starting: r.Starting,
		}
		if r.Scale != f.scale {
			f.known = false
		}
	}
	out := make([]planned, len(p.functions))
	var plan pool.Plan
	if p.decides() {
		p.guard("planning the warm pool", func() { plan = p.mind.plan(&s) })
	}
	for i := range out {
		out[i] = p.reactive()
		out[i].Reason = "off"
		out[i].Price = p.mind.price(i)
		p.keepPart(&p.functions[i])
		_, out[i].ColdStart, out[i].Service = p.speeds.get(p.functions[i].revision.Function.Name)
		if p.c.Mode == ModeOff {
			continue
		}
		if p.broken {
			out[i].Reason = "broken"
			continue
		}
		out[i].Reason = "no-model"
		if plan != nil && p.mind.policy.Forecast(i) != nil {
			p.foreseen(i, now, plan[i], &out[i])
		}
	}
	return out
}

// foreseen fills in what a forecast means for one function.
func (p *Pool) foreseen(i int, now time.Time, t pool.Target, out *planned) {
	d := p.mind.policy.Forecast(i)
	view := pool.Function{Service: out.Service, Concurrency: p.functions[i].revision.Function.Concurrency}
	for _, q := range Quantiles {
		n := d.Quantile(q)
		out.Arrivals = append(out.Arrivals, n)
		out.Instances = append(out.Instances, pool.Instances(n, view, p.c.Window.Seconds()))
	}
	out.Trust, out.Coverage, out.Scored = p.mind.trust(i)
	out.Account = p.mind.known[i].account.report()
	out.Foreseen, out.Followed = p.mind.known[i].sight.share, p.mind.policy.Followed(i)
	switch out.Trust {
	case TrustFull, TrustWidened:
		out.Target, out.Part, out.KeepAlive = t.Warm, t.Part.KeepAlive, max(t.KeepAlive, p.functions[i].retained)
		if t.Part.KeepAlive > 0 {
			p.promisePart(i, now, t.Part)
		}
		out.worth = d.Mean()
		out.Reason = "forecast"
	default:
		out.Reason = string(out.Trust)
		if out.Trust == TrustNone {
			out.Reason = "miscalibrated"
		}
	}
}

// reactive is the plan without a forecast.
func (p *Pool) reactive() planned {
	return planned{PoolState: PoolState{Mode: p.c.Mode, Planned: p.next, KeepAlive: ReactiveWindows * p.c.Window}}
}

// limit takes up what floors and caps left of the target.
func (s *planned) limit(warm int, w Want) {
	s.warm = warm
	switch {
	case warm < s.Target:
		s.Reason = "cap"
	case warm > s.Target && warm == w.Floor:
		s.Reason = "floor"
	}
	s.Target, s.Floor = warm, w.Floor
}

// apply makes the plan hold for a function, in so far as the mode allows.
func (p *Pool) apply(ctx context.Context, i int, s planned) error {
	f := &p.functions[i]
	want := platform.Scale{Warm: s.warm, KeepAlive: s.KeepAlive}
	if p.c.Mode != ModeApply || p.broken {
		want = platform.Scale{Warm: s.Floor, KeepAlive: ReactiveWindows * p.c.Window}
		if m := f.revision.Function.Scale.Max; m > 0 {
			want.Warm = min(want.Warm, m)
		}
	}
	f.retained = 0
	f.base = want
	return p.scale(ctx, f, p.wanted(f))
}

// scale tells the world what is wanted of a function unless it knows.
func (p *Pool) scale(ctx context.Context, f *controlled, want platform.Scale) error {
	if f.known && f.scale == want {
		return nil
	}
	err := p.c.World.Scale(ctx, f.revision.Name, want)
	f.scale, f.known = want, err == nil
	return err
}

// instances is how many are needed for so many invocations at work.
func instances(atWork int, r function.Revision) int {
	c := max(1, r.Function.Concurrency)
	return (atWork + c - 1) / c
}
