package engine

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform"
	"github.com/aquatope/aquatope/run"
	"github.com/aquatope/aquatope/workflow"
)

// call is a stage that invokes a function.
type call struct {
	function string
	with     *template
}

func (c *call) run(x *execution, f frame, t *task, in *data) (*data, flow, error) {
	out, err := x.stage(f, t, func(ctx context.Context, st *run.Stage) (*data, error) {
		st.Function = c.function
		payload := in
		if c.with != nil {
			v, err := x.fill(f, t, c.with, in)
			if err != nil {
				return nil, err
			}
			payload = value(v)
		}
		body, ctype, err := payload.bytes()
		if err != nil {
			return nil, badExpression(t, err)
		}
		if int64(len(body)) > x.engine.maxBody {
			return nil, tooLarge(t, "the input of function "+c.function, x.engine.maxBody)
		}
		h := x.header(st, t, f.at)
		if ctype != "" {
			h["Content-Type"] = []string{ctype}
		}
		resp, err := x.invoke(ctx, platform.Request{
			Function: c.function, Body: body, Header: h,
			RunID: x.run.ID, Workflow: x.run.Workflow, Stage: t.path, Trial: x.run.Trial, Attempt: attempt(f.at),
		}, st)
		if err != nil {
			return nil, invokeProblem(t, c.function, err)
		}
		if resp.Status >= 400 {
			return nil, answerProblem(t.path, c.function, resp)
		}
		if int64(len(resp.Body)) > x.engine.maxBody {
			return nil, tooLarge(t, "the output of function "+c.function, x.engine.maxBody)
		}
		return received(resp.Body, contentType(resp.Header)), nil
	})
	return out, flowNext, err
}

func contentType(h http.Header) string {
	if v := h["Content-Type"]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// header is what every hop of a run carries. The key is the same when an
// attempt is made again after a crash, and another for every retry.
func (x *execution) header(st *run.Stage, t *task, at string) http.Header {
	h := make(http.Header, 4)
	h["Traceparent"] = []string{x.trace.parent(st.SpanID)}
	if x.trace.state != "" {
		h["Tracestate"] = []string{x.trace.state}
	}
	key := x.run.ID + t.path
	if at != "" {
		key += "#" + at
	}
	h["Idempotency-Key"] = []string{key}
	return h
}

// stage runs one attempt of a stage, or recalls how it ended. invoke fills in
// what it learns of the invocation.
func (x *execution) stage(f frame, t *task, invoke func(context.Context, *run.Stage) (*data, error)) (*data, error) {
	if p := x.journal.failed(f, t); p != nil {
		return nil, p
	}
	if ev := x.journal.recall(f, t).outcome; ev != nil {
		f.branch.tick(ev.Time)
		return received(ev.Body, ev.ContentType), nil
	}
	if x.journal != nil {
		release, err := x.engine.admit(f.ctx)
		if err != nil {
			return nil, err
		}
		defer release()
		if t.timeout == 0 {
			x.journal.note(run.Event{Kind: run.TaskStarted, Task: t.path, At: f.at})
		}
	}
	st := run.Stage{Path: t.path, Name: t.name, At: f.at, SpanID: x.engine.span(), Start: time.Now()}
	out, err := invoke(f.ctx, &st)
	st.Duration = time.Since(st.Start)
	if st.Outcome == "" {
		st.Outcome = function.OutcomeOK
		if err != nil {
			st.Outcome = function.OutcomeError
		}
	}
	if err != nil && st.Message == "" {
		st.Message = err.Error()
	}
	x.mu.Lock()
	x.run.Stages = append(x.run.Stages, st)
	x.mu.Unlock()
	if err != nil && f.ctx.Err() != nil {
		return nil, errInterrupted
	}
	return out, x.settle(f, t, &st, out, err)
}

// settle records how a stage ended and moves the clock to that moment.
func (x *execution) settle(f frame, t *task, st *run.Stage, out *data, err error) error {
	ev := run.Event{Time: st.Start.Add(st.Duration).Round(0), Kind: run.TaskCompleted, Task: t.path, At: f.at, Stage: st}
	var p *run.Problem
	if err != nil && !errors.As(err, &p) {
		return err
	}
	if x.journal != nil {
		if p != nil {
			ev.Kind, ev.Problem = run.TaskFailed, p
		} else {
			body, ctype, err := out.bytes()
			if err != nil {
				return badExpression(t, err)
			}
			ev.Body, ev.ContentType = body, ctype
		}
		if err := x.journal.append(ev); err != nil {
			return err
		}
	}
	f.branch.tick(ev.Time)
	return err
}

// invoke calls the platform and notes what it observed. Asynchronous runs are
// patient: an invocation that was rejected for now reached no instance, so it
// is made again until the engine's patience ends.
func (x *execution) invoke(ctx context.Context, req platform.Request, st *run.Stage) (*platform.Response, error) {
	var giveUp time.Time
	for {
		resp, err := x.engine.invoker.Invoke(ctx, req)
		if err == nil {
			observed(st, &resp.Observation)
			st.Status = resp.Status
			if st.Outcome == "" && resp.Status >= 400 {
				st.Outcome = function.OutcomeError
			}
			return resp, nil
		}
		var failed *platform.InvokeError
		if !errors.As(err, &failed) {
			return nil, err
		}
		observed(st, &failed.Observation)
		st.Outcome, st.Message = failed.Outcome, failed.Detail
		x.mu.Lock()
		x.retryAfter = failed.RetryAfter
		x.mu.Unlock()
		if failed.Outcome != function.OutcomeRejected || failed.RetryAfter == 0 || x.journal == nil {
			return nil, err
		}
		now := time.Now()
		if giveUp.IsZero() {
			giveUp = now.Add(x.engine.patience)
		}
		again := now.Add(min(max(failed.RetryAfter, 100*time.Millisecond), 5*time.Second))
		if again.After(giveUp) {
			return nil, err
		}
		if err := x.engine.sleep(ctx, again); err != nil {
			return nil, err
		}
	}
}

func observed(st *run.Stage, o *function.Observation) {
	st.Revision, st.Instance = o.Revision, o.Instance
	st.Queue, st.Cold, st.ColdStart, st.Execution = o.Queue, o.Cold, o.ColdStart, o.Execution
	st.Outcome = o.Outcome
}

func compileCall(c *workflow.Call, names env) (body, error) {
	out := &call{function: c.Function}
	if c.With != nil {
		with, err := compileTemplate(c.With, names)
		if err != nil {
			return nil, fmt.Errorf("with: %w", err)
		}
		out.with = with
	}
	return out, nil
}
