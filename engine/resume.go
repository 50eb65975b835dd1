package engine

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/aquatope/aquatope/run"
)

// Resume takes up every run that the log holds as accepted and not ended, and
// returns how many. Completed stages are not invoked again: their outputs come
// from the log. A stage that was under way may be, with the same
// Idempotency-Key. Call it once, before the first Start.
func (e *Engine) Resume(ctx context.Context) (int, error) {
	if e.log == nil {
		return 0, ErrNoLog
	}
	plans := make(map[string]*Plan)
	n := 0
	for events, err := range e.log.Unfinished(ctx) {
		if err != nil {
			return n, fmt.Errorf("resuming runs: %w", err)
		}
		x, err := e.restore(ctx, events, plans)
		if err != nil {
			return n, fmt.Errorf("resuming run %s: %w", events[0].Run, err)
		}
		if !e.enter() {
			return n, ErrClosed
		}
		x.journal.note(run.Event{Kind: run.RunResumed})
		e.launch(x)
		e.callers.Done()
		n++
	}
	return n, nil
}

// restore rebuilds a run from its events. A definition that this version
// cannot run makes a run that faults, so that it ends and says why.
func (e *Engine) restore(ctx context.Context, events []run.Event, plans map[string]*Plan) (*execution, error) {
	first := events[0]
	if first.Kind != run.RunAccepted || first.Accepted == nil {
		return nil, errors.New("its log does not begin with its acceptance")
	}
	a := first.Accepted
	x := &execution{
		engine: e, started: first.Time, journal: newJournal(e.log, first.Run, events),
		input: received(first.Body, first.ContentType),
		trace: e.traceOf(http.Header{"Traceparent": {a.TraceParent}}),
		run: run.Run{
			ID: first.Run, Workflow: a.Workflow, Version: a.Version, Trial: a.Trial, Async: true,
			Status: run.StatusRunning, Start: first.Time, QoS: a.QoS, InputBytes: int64(len(first.Body)), Resumes: 1,
		},
	}
	x.trace.state, x.run.TraceID = a.TraceState, x.trace.id
	for _, ev := range events {
		if ev.Stage != nil {
			x.run.Stages = append(x.run.Stages, *ev.Stage)
		}
		switch ev.Kind {
		case run.RunResumed:
			x.run.Resumes++
		case run.RunCancelled:
			x.cancelled = true
		}
	}
	p, ok := plans[a.Definition]
	if !ok {
		doc, err := e.log.Definition(ctx, a.Definition)
		if err != nil {
			return nil, err
		}
		if p, err = decodePlan(doc); err != nil {
			p = unrunnable(a, err)
		}
		plans[a.Definition] = p
		e.mu.Lock()
		e.saved[a.Definition] = true
		e.mu.Unlock()
	}
	x.plan = p
	return x, nil
}

// unrunnable is a plan that only says why there is none.
func unrunnable(a *run.Accepted, err error) *Plan {
	p := &Plan{digest: a.Definition}
	p.workflow.Name, p.workflow.Version = a.Workflow, a.Version
	p.tasks = list{&task{then: flowNext, do: refusal{run.Problem{
		Type: run.TypeConfiguration, Status: 400, Title: "Definition not understood",
		Detail: "this version cannot run the definition that the run was accepted with: " + err.Error(),
	}}}}
	return p
}

type refusal struct{ problem run.Problem }

func (r refusal) run(*execution, frame, *task, *data) (*data, flow, error) {
	p := r.problem
	return nil, 0, &p
}
