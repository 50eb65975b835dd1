package server

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/aquatope/aquatope/engine"
	"github.com/aquatope/aquatope/run"
	"github.com/aquatope/aquatope/server/api"
)

// retryAfter is the advice given with 503 where the platform gives none.
const retryAfter = time.Second

// writeProblem answers with a problem document.
func writeProblem(w http.ResponseWriter, p *api.Problem) {
	body, err := json.Marshal(p)
	if err != nil {
		panic("BUG: a problem that cannot be encoded: " + err.Error())
	}
	h := w.Header()
	h.Set("Content-Type", p.ContentType(""))
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if p.RunID != "" {
		h.Set(runIDHeader, p.RunID)
	}
	if p.Status == http.StatusServiceUnavailable && h.Get("Retry-After") == "" {
		h.Set("Retry-After", retrySeconds(retryAfter))
	}
	w.WriteHeader(p.Status)
	_, _ = w.Write(body)
}

// retrySeconds formats d for Retry-After: whole seconds, at least one.
func retrySeconds(d time.Duration) string {
	return strconv.Itoa(int(math.Max(1, math.Ceil(d.Seconds()))))
}

// writeError answers with an error as a problem.
func writeError(w http.ResponseWriter, err error) { writeProblem(w, asProblem(err)) }

// asProblem says what an error of the engine or the server is in terms of HTTP.
func asProblem(err error) *api.Problem {
	var p *api.Problem
	var rp *run.Problem
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &rp):
		return runProblem(rp, "")
	case errors.Is(err, engine.ErrClosed):
		return &api.Problem{
			Title: "Shutting down", Status: http.StatusServiceUnavailable,
			Detail: "the server is shutting down and accepts nothing new", Hint: "try again when it is back",
		}
	case errors.Is(err, engine.ErrKeyReused):
		return &api.Problem{
			Title: "Idempotency key reused", Status: http.StatusUnprocessableEntity,
			Detail: "the Idempotency-Key was used for a run with another input", Hint: "use a new key for a new run",
		}
	}
	return &api.Problem{Title: http.StatusText(http.StatusInternalServerError), Status: http.StatusInternalServerError, Detail: err.Error()}
}

// runProblem is how a run that failed answers over HTTP. The problem of the run
// keeps the status that its workflow sees; HTTP has to tell the caller whose
// fault it is, so that a function's 404 does not look like an unknown workflow.
func runProblem(p *run.Problem, id string) *api.Problem {
	out := &api.Problem{
		Type: p.Type, Title: p.Title, Status: httpStatus(p), Detail: p.Detail, Instance: p.Instance, RunID: id,
	}
	if out.Title == "" {
		out.Title = http.StatusText(out.Status)
	}
	return out
}

func httpStatus(p *run.Problem) int {
	atInput := p.Instance == "" // about what the caller sent, not about a task
	switch p.Type {
	case run.TypeTimeout:
		return http.StatusGatewayTimeout
	case run.TypeCommunication:
		if p.Status == http.StatusServiceUnavailable {
			return http.StatusServiceUnavailable
		}
		return http.StatusBadGateway
	case run.TypeRuntime:
		if p.Status == statusClientClosed {
			return statusClientClosed
		}
		return http.StatusBadGateway
	case run.TypeValidation, run.TypeExpression, run.TypeConfiguration:
		if atInput && p.Status >= 400 && p.Status < 500 {
			return p.Status
		}
		return http.StatusInternalServerError
	}
	if p.Status >= 400 && p.Status <= 599 { // raised by the workflow itself
		return p.Status
	}
	return http.StatusInternalServerError
}

// statusClientClosed is what is logged for callers that went away; nobody reads it.
const statusClientClosed = 499

func notFound[T any](kind, name string, known map[string]T) *api.Problem {
	p := &api.Problem{
		Type: api.TypeNotFound, Title: "Unknown " + kind, Status: http.StatusNotFound,
		Detail: "no " + kind + " is called " + strconv.Quote(name),
		Hint:   nearest(known, name),
	}
	if p.Hint == "" {
		p.Hint = "nothing is deployed yet: aquatope deploy -f FILE"
	}
	return p
}

// init makes the problems that huma finds by itself look like all others.
func init() {
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		p := &api.Problem{Title: http.StatusText(status), Status: status, Detail: message}
		for _, err := range errs {
			var over *http.MaxBytesError
			if errors.As(err, &over) {
				return asProblem(tooLarge(over.Limit))
			}
			var d huma.ErrorDetailer
			if errors.As(err, &d) {
				e := d.ErrorDetail()
				p.Errors = append(p.Errors, api.ProblemError{Message: e.Message, Location: e.Location, Value: e.Value})
			} else if err != nil {
				p.Errors = append(p.Errors, api.ProblemError{Message: err.Error()})
			}
		}
		return p
	}
}
