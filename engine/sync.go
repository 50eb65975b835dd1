package engine

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform"
	"github.com/aquatope/aquatope/run"
)

// Input is what a run starts with. The engine keeps Body; it must not be
// changed afterwards.
type Input struct {
	Body        []byte
	ContentType string
	// Header may carry traceparent and tracestate. Invoke passes all of it to
	// the function; runs of workflows pass on the trace only.
	Header http.Header
	// IdempotencyKey makes Start return the same run when it is called again.
	IdempotencyKey string
	// Trial marks the run, and the observations of its stages, as part of one.
	Trial string
	// Revision pins Invoke to a revision; "" follows the route.
	Revision string
}

// Result is a run that ended, with its output.
type Result struct {
	run.Run
	Body        []byte
	ContentType string
	// StatusCode and Header are the function's own answer, for Invoke only; 0
	// when it gave none.
	StatusCode int
	Header     http.Header
	// RetryAfter is the platform's advice when it had no capacity.
	RetryAfter time.Duration
}

// Run runs a workflow and returns when it has ended. How it ended is in the
// result: a problem of the workflow is not an error. The error is for runs
// that could not begin: ErrClosed, or a *run.Problem about the input.
func (e *Engine) Run(ctx context.Context, p *Plan, in Input) (*Result, error) {
	if err := e.begin(in); err != nil {
		return nil, err
	}
	defer e.callers.Done()
	x := e.execution(p, in, wallClock())
	out, err := x.main(ctx)
	return e.finish(x, out, err), nil
}

// Invoke calls one function as a run of one stage. An answer of the function,
// whatever its status, is in the result as it came.
func (e *Engine) Invoke(ctx context.Context, fn string, in Input) (*Result, error) {
	if err := e.begin(in); err != nil {
		return nil, err
	}
	defer e.callers.Done()
	start := wallClock()
	tr := e.traceOf(in.Header)
	r := run.Run{
		ID: run.NewID(start, e.random), Function: fn, Trial: in.Trial, Start: start,
		TraceID: tr.id, InputBytes: int64(len(in.Body)),
		Stages: make([]run.Stage, 1),
	}
	st := &r.Stages[0]
	st.Function, st.SpanID, st.Start = fn, e.span(), start
	h := make(http.Header, len(in.Header)+2)
	for k, v := range in.Header {
		h[k] = v
	}
	h["Traceparent"] = []string{tr.parent(st.SpanID)}
	if in.ContentType != "" {
		h["Content-Type"] = []string{in.ContentType}
	}
	resp, err := e.invoker.Invoke(ctx, platform.Request{
		Function: fn, Revision: in.Revision, Body: in.Body, Header: h, RunID: r.ID, Trial: in.Trial,
	})
	r.End = time.Now()
	st.Duration = r.End.Sub(start)
	res := &Result{}
	t := &task{}
	switch {
	case err == nil:
		observed(st, &resp.Observation)
		st.Status = resp.Status
		res.StatusCode, res.Header, res.Body, res.ContentType = resp.Status, resp.Header, resp.Body, contentType(resp.Header)
		r.OutputBytes, r.Status = int64(len(resp.Body)), run.StatusCompleted
		if resp.Status >= 400 {
			st.Outcome, r.Status = function.OutcomeError, run.StatusFaulted
			r.Problem = answerProblem("", fn, resp)
		} else if st.Outcome == "" {
			st.Outcome = function.OutcomeOK
		}
	default:
		var failed *platform.InvokeError
		if errors.As(err, &failed) {
			observed(st, &failed.Observation)
			st.Outcome, st.Message, res.RetryAfter = failed.Outcome, failed.Detail, failed.RetryAfter
		}
		r.Status = run.StatusFaulted
		if ctx.Err() != nil {
			st.Outcome, r.Status = function.OutcomeCanceled, run.StatusCancelled
		}
		errors.As(invokeProblem(t, fn, err), &r.Problem)
	}
	res.Run = r
	e.record(r)
	return res, nil
}

// begin admits a run.
func (e *Engine) begin(in Input) error {
	if int64(len(in.Body)) > e.maxBody {
		return tooLarge(&task{}, "the input", e.maxBody)
	}
	if !e.enter() {
		return ErrClosed
	}
	return nil
}

func (e *Engine) execution(p *Plan, in Input, start time.Time) *execution {
	tr := e.traceOf(in.Header)
	return &execution{
		engine: e, plan: p, trace: tr, started: start,
		input: received(in.Body, in.ContentType),
		run: run.Run{
			ID: run.NewID(start, e.random), Workflow: p.workflow.Name, Version: p.workflow.Version, Trial: in.Trial,
			Status: run.StatusRunning, Start: start, QoS: p.workflow.QoS,
			TraceID: tr.id, InputBytes: int64(len(in.Body)),
		},
	}
}

// finish completes the summary of a run that ended, and records it.
func (e *Engine) finish(x *execution, out *data, err error) *Result {
	res := x.end(out, err, time.Now())
	e.record(res.Run)
	return res
}

// end says how the run ended.
func (x *execution) end(out *data, err error, now time.Time) *Result {
	res := &Result{}
	r := &x.run
	r.End = now
	if err == nil {
		res.Body, res.ContentType, err = out.bytes()
		if err != nil {
			err = badExpression(&task{}, err)
		}
	}
	var p *run.Problem
	switch {
	case err == nil:
		r.Status, r.OutputBytes = run.StatusCompleted, int64(len(res.Body))
	case errors.As(err, &p):
		r.Status, r.Problem = run.StatusFaulted, p
		if p.Status == http.StatusServiceUnavailable {
			res.RetryAfter = x.retryAfter
		}
	default:
		r.Status = run.StatusCancelled
		r.Problem = &run.Problem{Type: run.TypeRuntime, Status: 499, Title: "Cancelled", Detail: "the caller ended the run"}
	}
	if r.QoS.Latency > 0 {
		r.Violated = r.Status == run.StatusFaulted || r.Status == run.StatusCompleted && r.Latency() > r.QoS.Latency
	}
	res.Run = *r
	return res
}
