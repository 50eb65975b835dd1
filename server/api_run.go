package server

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/aquatope/aquatope/engine"
	"github.com/aquatope/aquatope/run"
	"github.com/aquatope/aquatope/server/api"
)

type startRunRequest struct {
	Name           string        `path:"name"`
	ContentType    string        `header:"Content-Type"`
	IdempotencyKey string        `header:"Idempotency-Key" doc:"Starting again with the same key and input returns the first run."`
	TraceParent    string        `header:"Traceparent"`
	TraceState     string        `header:"Tracestate"`
	Wait           time.Duration `query:"waitNanos" minimum:"0" doc:"How long to wait for the end of the run before answering, in nanoseconds."`
	RawBody        []byte        `contentType:"application/json" required:"false" doc:"The run's input."`
}

type startRunResponse struct {
	Status   int
	Location string `header:"Location"`
	RunID    string `header:"Aquatope-Run-Id"`
	Body     api.Run
}

type runRequest struct {
	ID string `path:"id"`
}

type listRunsRequest struct {
	Workflow string     `query:"workflow" doc:"Only runs of this workflow."`
	Status   run.Status `query:"status" enum:"running,completed,faulted,cancelled" doc:"Only runs in this state."`
	Cursor   string     `query:"cursor" doc:"The page to show, as the page before it named it."`
	Limit    int        `query:"limit" minimum:"1" maximum:"1000" default:"50"`
}

func (s *Server) addRunAPI(a huma.API) {
	huma.Register(a, huma.Operation{
		OperationID: "start-run", Method: http.MethodPost, Path: apiPath + "/workflows/{name}/runs",
		Summary:     "Start a run of a workflow without waiting for it",
		Description: "Once this has answered, the run ends whatever happens to the server. Answers 202 with the run's Location, or 200 if the run ended within the time to wait.",
		// What the gateway does for synchronous runs is done here for bodies too.
		MaxBodyBytes: s.config.MaxBody + 2, DefaultStatus: http.StatusAccepted, SkipValidateBody: true,
		Errors: []int{http.StatusBadRequest, http.StatusNotFound, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity, http.StatusServiceUnavailable},
	}, s.startRun)
	huma.Register(a, huma.Operation{
		OperationID: "list-runs", Method: http.MethodGet, Path: apiPath + "/runs", Summary: "List runs, the newest first",
	}, func(ctx context.Context, in *listRunsRequest) (*body[api.RunList], error) {
		page, err := s.listRuns(ctx, in)
		return &body[api.RunList]{page}, asHTTP(err)
	})
	huma.Register(a, huma.Operation{
		OperationID: "get-run", Method: http.MethodGet, Path: apiPath + "/runs/{id}", Summary: "Show a run with its stages",
		Errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *runRequest) (*body[api.Run], error) {
		r, err := s.findRun(ctx, in.ID)
		return &body[api.Run]{r}, asHTTP(err)
	})
	huma.Register(a, huma.Operation{
		OperationID: "cancel-run", Method: http.MethodPost, Path: apiPath + "/runs/{id}/cancel", Summary: "Stop an asynchronous run that is under way",
		Errors: []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, in *runRequest) (*body[api.Run], error) {
		r, err := s.cancelRun(ctx, in.ID)
		return &body[api.Run]{r}, asHTTP(err)
	})
}

func (s *Server) startRun(ctx context.Context, in *startRunRequest) (*startRunResponse, error) {
	c := s.catalog.Load()
	wf, ok := c.workflows[in.Name]
	if !ok {
		return nil, notFound("workflow", in.Name, c.workflows)
	}
	h := http.Header{}
	for k, v := range map[string]string{
		"Content-Type": in.ContentType, "Idempotency-Key": in.IdempotencyKey, "Traceparent": in.TraceParent, "Tracestate": in.TraceState,
	} {
		if v != "" {
			h.Set(k, v)
		}
	}
	input, err := runInput(in.RawBody, h)
	if err != nil {
		return nil, err
	}
	accepted, err := s.engine.Start(ctx, wf.plan, input)
	if err != nil {
		return nil, asHTTP(err)
	}
	if !accepted.Repeated {
		s.running.of(in.Name).Add(1)
	}
	out := &startRunResponse{Status: http.StatusAccepted, Location: runsPath + accepted.ID, RunID: accepted.ID}
	if in.Wait > 0 {
		wait, cancel := context.WithTimeout(ctx, in.Wait)
		defer cancel()
		if _, err := s.engine.Wait(wait, accepted.ID); err != nil && !errors.Is(err, engine.ErrNotActive) && !errors.Is(err, context.DeadlineExceeded) {
			return nil, asHTTP(err)
		}
	}
	if out.Body, err = s.findRun(ctx, accepted.ID); err != nil {
		return nil, asHTTP(err)
	}
	if out.Body.Status.Ended() {
		out.Status = http.StatusOK
	}
	return out, nil
}

func (s *Server) cancelRun(ctx context.Context, id string) (api.Run, error) {
	err := s.engine.Cancel(ctx, id)
	if errors.Is(err, engine.ErrNotActive) {
		r, err := s.findRun(ctx, id)
		if err != nil {
			return api.Run{}, err
		}
		detail := "run " + id + " has ended: it is " + string(r.Status)
		if !r.Status.Ended() {
			detail = "run " + id + " is synchronous: it ends when its caller goes away"
		}
		return api.Run{}, &api.Problem{Title: "Run cannot be cancelled", Status: http.StatusConflict, Detail: detail}
	}
	if err != nil {
		return api.Run{}, err
	}
	return s.findRun(ctx, id)
}

// asJSON returns a body as a JSON value: as it is, or as a string.
func asJSON(body []byte) json.RawMessage {
	switch {
	case len(body) == 0:
		return nil
	case json.Valid(body):
		return body
	}
	return json.RawMessage(strconv.AppendQuote(nil, string(body)))
}
