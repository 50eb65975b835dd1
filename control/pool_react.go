package control

import (
	"context"
	"time"

	"github.com/aquatope/aquatope/platform"
	"github.com/aquatope/aquatope/pool"
)

// React tells the policy of invocations between two plans, and applies what it
// wants of instances that fell idle. One look at the world serves all events.
func (p *Pool) React(ctx context.Context, events []Event) error {
	if !p.decides() {
		return nil
	}
	var err error
	p.guard("reacting to invocations", func() { err = p.react(ctx, events) })
	return err
}

func (p *Pool) react(ctx context.Context, events []Event) error {
	var alive map[string]platform.RevisionState
	for _, e := range events {
		if e.Kind == RunOver {
			p.mind.over(e.Run)
			continue
		}
		i, ok := p.index[e.Function]
		if !ok {
			continue // deployed since the last plan
		}
		f := &p.functions[i]
		f.atWork = e.AtWork
		x := pool.Event{Function: i, At: since(e.At), Busy: instances(e.AtWork, f.revision)}
		p.mind.look(x.At) // what was foreseen for before
		if p.mind.known[i].expected > 0 {
			p.mind.touched[i] = true
		}
		if e.Kind == CallBegan {
			p.keepPart(f)
			p.mind.arrive(x)
			p.mind.follow(e.Call, i, x.At)
			continue
		}
		if x.Busy >= instances(e.AtWork+1, f.revision) {
			continue // the instance serves others still
		}
		p.mind.idle(x)
		if alive == nil {
			s, err := p.c.World.Snapshot(ctx)
			if err != nil {
				return err
			}
			alive = make(map[string]platform.RevisionState, len(s.Revisions))
			for _, r := range s.Revisions {
				alive[r.Revision] = r
			}
		}
		r := alive[f.revision.Name]
		if r.Queued > 0 {
			continue // the next one has it
		}
		x.Idle = max(1, r.Busy+r.Idle+r.Starting-x.Busy)
		if keep, ok := p.mind.policy.Idle(x); ok && p.trusted(e.Function) {
			f.base = p.retain(f, x, keep)
			p.mind.touched[i] = true
		}
	}
	return p.settle(ctx)
}

// trusted tells whether the forecasts of a function are used.
func (p *Pool) trusted(fn string) bool {
	s, _ := p.State(fn)
	return s.Trust == TrustFull || s.Trust == TrustWidened
}

// retain turns what is wanted of an instance into what is wanted of its
// revision, which is all that a platform knows.
func (p *Pool) retain(f *controlled, x pool.Event, r pool.Retention) platform.Scale {
	want := f.base
	f.retained = r.KeepAlive
	if r.KeepAlive == pool.UntilPlan {
		f.retained = 0
		want.KeepAlive = max(since(p.planAt)-x.At, 0) + p.c.Window // the plan comes in time
		return want
	}
	want.KeepAlive = r.KeepAlive
	if r.PreWarm > 0 {
		f.retained, want.KeepAlive = 0, 0
		p.promisePart(x.Function, epoch.Add(x.At), r)
	}
	if r.Release {
		p.c.Count("release")
		want.Warm = max(min(f.floor, want.Warm), min(want.Warm, x.Busy+x.Idle-1))
	}
	return want
}

// Run steps whenever a plan is due and reacts in between, until ctx is done.
func (p *Pool) Run(ctx context.Context) {
	// Events that come within are handled together. Stages follow one another
	// within milliseconds, and what starts ahead of them must not wait long; but
	// where much happens there are instances, and looking costs more.
	const soon, together, many = time.Millisecond, 10 * time.Millisecond, 16
	timer := time.NewTimer(0)
	defer timer.Stop()
	var events []Event
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case e := <-p.c.Meter.Events():
			wait := soon
			if len(events) > many {
				wait = together
			}
			events = append(events[:0], e)
			pause(ctx, wait)
			events = drain(p.c.Meter.Events(), events)
			p.complain(ctx, "reacting to invocations", p.React(ctx, events))
		}
		now := time.Now()
		if !now.Before(p.Wake()) {
			p.complain(ctx, "looking ahead along runs", p.Ahead(ctx, now))
		}
		// The wall clock may have been set: at most a window is waited.
		if !now.Before(p.planAt) || p.planAt.Sub(now) > 2*p.c.Window {
			p.complain(ctx, "planning the warm pool", p.Step(ctx, now))
		}
		timer.Reset(min(max(time.Until(p.Wake()), time.Millisecond), p.c.Window))
	}
}

func (p *Pool) complain(ctx context.Context, doing string, err error) {
	if err != nil && ctx.Err() == nil {
		p.c.Logger.Error(doing, "error", err)
	}
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// drain appends what waits in the channel, at most what it holds.
func drain(from <-chan Event, to []Event) []Event {
	for range eventQueue {
		select {
		case e := <-from:
			to = append(to, e)
		default:
			return to
		}
	}
	return to
}
