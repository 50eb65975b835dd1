package control

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/aquatope/aquatope/forecast"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform"
	"github.com/aquatope/aquatope/pool"
)

const (
	// recallForecasts bounds the forecasts that playing the past to a mind
	// takes, to about a second.
	recallForecasts = 10_000
	// recallInvocations bounds the invocations of one function that are played.
	recallInvocations = 5_000
)

// recall returns a mind with the model that has seen the last windows, as far as
// the store remembers them: its forecasts have been scored, its decisions judged
// and runs followed as if it had been there. Only what follows the stages of
// workflows it knows from the start, as it is known now.
func (p *Pool) recall(ctx context.Context, now time.Time, model forecast.Model) *mind {
	next := WindowAt(now, p.c.Window)
	windows := int64(min(pastWindows, recallForecasts/max(1, len(p.functions))))
	if windows < trustAfter || p.c.History == nil {
		windows = 0
	}
	from := next - windows
	m := newMind(since(WindowBegin(from, p.c.Window)), p.c.Window, model)
	before, all := map[string]*forecast.History{}, make([]*forecast.History, len(p.functions))
	var events []Event
	for i := range p.functions {
		fn := p.functions[i].revision.Function
		if h := p.history(ctx, fn.Name, from); h != nil {
			before[fn.Name] = h
		}
		if all[i] = p.history(ctx, fn.Name, next); all[i] != nil && windows > 0 {
			events = append(events, p.recallEvents(ctx, fn.Name, all[i], from, next)...)
		}
	}
	events = append(events, runsOver(events)...)
	slices.SortStableFunc(events, func(a, b Event) int { return cmp.Compare(since(a.At), since(b.At)) })
	m.setFunctions(p.views(), before)
	atWork := make([]int, len(p.functions))
	for w := from; w <= next && windows > 0; w++ {
		begin := since(WindowBegin(w, p.c.Window))
		s := pool.Snapshot{Now: begin, Next: begin, Window: p.c.Window, States: make([]pool.State, len(p.functions))}
		for i, h := range all {
			if h != nil && w > from {
				s.States[i].Arrivals = int(h.At(w - 1))
			}
		}
		m.look(begin)
		m.see(p.paths, p.alone) // some runs may have become enough to rely on
		m.plan(&s)
		for len(events) > 0 && since(events[0].At) < begin+p.c.Window && w < next {
			m.replay(events[0], p.functions, atWork)
			events = events[1:]
		}
	}
	return m
}

// runsOver tells when the runs that some events belong to were over: with the last
// of these. Who waited in between for something else is taken for part of the run.
func runsOver(events []Event) []Event {
	last := map[string]int{}
	var out []Event
	for _, e := range events {
		i, ok := last[e.Run]
		switch {
		case e.Run == "":
		case !ok:
			last[e.Run] = len(out)
			out = append(out, Event{Call: Call{Run: e.Run}, Kind: RunOver, At: e.At})
		case e.At.After(out[i].At):
			out[i].At = e.At
		}
	}
	return out
}

// replay tells a mind of an event of the past.
func (m *mind) replay(e Event, functions []controlled, atWork []int) {
	if e.Kind == RunOver {
		m.over(e.Run)
		return
	}
	i := m.index[e.Function]
	r := functions[i].revision
	x := pool.Event{Function: i, At: since(e.At)}
	m.look(x.At)
	if e.Kind == CallBegan {
		atWork[i]++
		x.Busy = instances(atWork[i], r)
		m.arrive(x)
		m.follow(e.Call, i, x.At)
		return
	}
	atWork[i]--
	if x.Busy = instances(atWork[i], r); x.Busy < instances(atWork[i]+1, r) {
		m.idle(x)
	}
}

// recallEvents are the last invocations of a function before a window, and what
// they say of its speed.
func (p *Pool) recallEvents(ctx context.Context, fn string, h *forecast.History, from, next int64) []Event {
	if p.c.Invocations == nil {
		return nil
	}
	sum := 0.0
	first := next
	for first > from && sum+h.At(first-1) <= recallInvocations {
		first--
		sum += h.At(first)
	}
	var out []Event
	for o, err := range p.c.Invocations(ctx, fn, WindowBegin(first, p.c.Window), WindowBegin(next, p.c.Window)) {
		if err != nil {
			p.c.Logger.Warn("reading the invocations of a function: its forecasts begin anew", "function", fn, "error", err)
			return nil
		}
		if o.Trial != "" || o.Outcome == function.OutcomeRejected {
			continue
		}
		p.speeds.observed(o)
		if o.Cold && o.ColdStart > 0 {
			p.speeds.started(platform.Start{Function: fn, Ready: o.ColdStart})
		}
		call := Call{Function: fn, Run: o.RunID, Workflow: o.Workflow, Stage: o.Stage}
		out = append(out,
			Event{Call: call, At: o.Time},
			Event{Call: call, Kind: CallEnded, At: o.Time.Add(o.Queue + o.ColdStart + o.Execution)})
	}
	return out
}
