package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/aquatope/aquatope/run"
)

// active is an asynchronous run under way in this process.
type active struct {
	journal *journal
	cancel  context.CancelCauseFunc
	done    chan struct{}
	result  *Result // set before done is closed; nil if the run stopped without ending
	err     error
}

// Acceptance says under which id a run was accepted.
type Acceptance struct {
	ID string
	// Repeated says that the idempotency key had been seen, and ID is the run
	// that was accepted then.
	Repeated bool
}

// Start accepts an asynchronous run. When it returns without an error the run
// is on the log and will end, whatever happens to this process.
func (e *Engine) Start(ctx context.Context, p *Plan, in Input) (Acceptance, error) {
	if e.log == nil {
		return Acceptance{}, ErrNoLog
	}
	if err := e.begin(in); err != nil {
		return Acceptance{}, err
	}
	defer e.callers.Done()
	return e.accept(ctx, p, in)
}

func (e *Engine) accept(ctx context.Context, p *Plan, in Input) (Acceptance, error) {
	digest := ""
	if in.IdempotencyKey != "" {
		digest = requestDigest(p, in)
		release, err := e.lockKey(ctx, p.Name()+"\x00"+in.IdempotencyKey)
		if err != nil {
			return Acceptance{}, err
		}
		defer release()
		id, old, ok, err := e.log.FindKey(ctx, p.Name(), in.IdempotencyKey)
		switch {
		case err != nil:
			return Acceptance{}, fmt.Errorf("looking up an idempotency key: %w", err)
		case ok && old.RequestDigest != digest:
			return Acceptance{}, ErrKeyReused
		case ok:
			return Acceptance{ID: id, Repeated: true}, nil
		}
	}
	if err := e.saveDefinition(ctx, p); err != nil {
		return Acceptance{}, err
	}
	x := e.execution(p, in, wallClock())
	x.run.Async = true
	x.journal = newJournal(e.log, x.run.ID, nil)
	ev := run.Event{
		Time: x.started, Kind: run.RunAccepted, Body: in.Body, ContentType: in.ContentType,
		Accepted: &run.Accepted{
			Definition: p.digest, Workflow: p.Name(), Version: p.workflow.Version, Trial: in.Trial, QoS: p.workflow.QoS,
			TraceParent: x.trace.parent(e.span()), TraceState: x.trace.state,
			IdempotencyKey: in.IdempotencyKey, RequestDigest: digest,
		},
	}
	events := []run.Event{ev}
	x.journal.stamp(events)
	// Not bounded by ctx: whether the run was accepted must not be left open.
	if err := e.log.Append(context.WithoutCancel(ctx), events...); err != nil {
		return Acceptance{}, fmt.Errorf("accepting a run: %w", err)
	}
	e.launch(x)
	return Acceptance{ID: x.run.ID}, nil
}

// requestDigest identifies what a repeated request must equal.
func requestDigest(p *Plan, in Input) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\x00%s\x00%s\x00", p.Name(), in.ContentType, in.Trial)
	h.Write(in.Body)
	return hex.EncodeToString(h.Sum(nil))
}

// lockKey waits until nobody else accepts a run under the key.
func (e *Engine) lockKey(ctx context.Context, key string) (release func(), err error) {
	for {
		e.mu.Lock()
		busy, ok := e.starting[key]
		if !ok {
			mine := make(chan struct{})
			e.starting[key] = mine
			e.mu.Unlock()
			return func() {
				e.mu.Lock()
				delete(e.starting, key)
				e.mu.Unlock()
				close(mine)
			}, nil
		}
		e.mu.Unlock()
		select {
		case <-busy:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

func (e *Engine) saveDefinition(ctx context.Context, p *Plan) error {
	e.mu.Lock()
	saved := e.saved[p.digest]
	e.mu.Unlock()
	if saved {
		return nil
	}
	if err := e.log.SaveDefinition(ctx, p.digest, p.definition); err != nil {
		return fmt.Errorf("recording the definition of workflow %q: %w", p.Name(), err)
	}
	e.mu.Lock()
	e.saved[p.digest] = true
	e.mu.Unlock()
	return nil
}

// launch runs an accepted run to its end in the background.
func (e *Engine) launch(x *execution) {
	ctx, cancel := context.WithCancelCause(context.Background())
	a := &active{journal: x.journal, cancel: cancel, done: make(chan struct{})}
	e.mu.Lock()
	e.active[x.run.ID] = a
	e.mu.Unlock()
	if x.cancelled {
		cancel(errCancelled)
	}
	e.launched.Go(func() {
		defer cancel(nil)
		a.result, a.err = e.conclude(ctx, x)
		e.mu.Lock()
		delete(e.active, x.run.ID)
		e.mu.Unlock()
		close(a.done)
	})
}

// conclude runs a run and records its end. A run that stops because the engine
// does, or because the log fails, has not ended.
func (e *Engine) conclude(ctx context.Context, x *execution) (*Result, error) {
	out, err := x.main(ctx)
	var broken *logError
	if errors.As(err, &broken) {
		e.logger.Error("a run stopped because its log failed; it goes on after a restart", "run", x.run.ID, "error", err)
		return nil, err
	}
	if errors.Is(err, errSuspended) || errors.Is(err, errInterrupted) && errors.Is(context.Cause(ctx), errSuspended) {
		return nil, ErrClosed
	}
	res := x.end(out, err, wallClock())
	summary := res.Run
	err = x.journal.append(run.Event{
		Time: res.End, Kind: run.RunEnded, Status: res.Status, Problem: res.Problem,
		Body: res.Body, ContentType: res.ContentType, Summary: &summary,
	})
	if err != nil {
		e.logger.Error("the end of a run could not be recorded; it goes on after a restart", "run", x.run.ID, "error", err)
		return nil, err
	}
	e.record(res.Run)
	return res, nil
}

// errCancelled is the cause of a run that somebody asked to end.
var errCancelled = errors.New("the run was cancelled")

// Cancel ends an asynchronous run: stages under way are abandoned and the run
// ends as cancelled, also if the process dies in between. It returns
// ErrNotActive for runs that ended or are not known.
func (e *Engine) Cancel(ctx context.Context, id string) error {
	e.mu.Lock()
	a, ok := e.active[id]
	e.mu.Unlock()
	if !ok {
		return ErrNotActive
	}
	if err := a.journal.append(run.Event{Kind: run.RunCancelled}); err != nil {
		return err
	}
	a.cancel(errCancelled)
	select {
	case <-a.done:
		return a.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Wait waits until an asynchronous run has ended. It returns ErrNotActive for
// runs that are not under way in this process; the store knows how they ended.
func (e *Engine) Wait(ctx context.Context, id string) (*Result, error) {
	e.mu.Lock()
	a, ok := e.active[id]
	e.mu.Unlock()
	if !ok {
		return nil, ErrNotActive
	}
	select {
	case <-a.done:
		return a.result, a.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Active returns how many asynchronous runs are under way.
func (e *Engine) Active() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.active)
}
