package server

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/aquatope/aquatope/control"
	"github.com/aquatope/aquatope/server/api"
)

type tuneRequest struct {
	Name string `path:"name"`
	Body api.TuneRequest
}

type explainRequest struct {
	Name       string        `path:"name"`
	Latency    time.Duration `query:"latencyNanos" minimum:"0" doc:"The promise to answer for, in nanoseconds; by default the workflow's."`
	Percentile float64       `query:"percentile" minimum:"0" doc:"Likewise."`
}

func (s *Server) addTuneAPI(a huma.API) {
	const path = apiPath + "/workflows/{name}/tuning"
	huma.Register(a, huma.Operation{
		OperationID: "start-tuning", Method: http.MethodPost, Path: path, DefaultStatus: http.StatusAccepted,
		Summary:      "Look for the cheapest resources that keep a workflow's promise",
		Description:  "Runs the workflow with different resources, one run at a time, on revisions that get no other traffic. Runs of earlier sessions with the same code are used.",
		MaxBodyBytes: s.config.MaxBody + 2,
		Errors:       []int{http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity},
	}, func(ctx context.Context, in *tuneRequest) (*body[api.Tuning], error) {
		t, err := s.startTuning(ctx, in.Name, in.Body)
		return &body[api.Tuning]{t}, asHTTP(err)
	})
	huma.Register(a, huma.Operation{
		OperationID: "get-tuning", Method: http.MethodGet, Path: path, Summary: "Show the last tuning session of a workflow",
		Errors: []int{http.StatusNotFound},
	}, func(_ context.Context, in *nameRequest) (*body[api.Tuning], error) {
		j := s.tunings.get(in.Name)
		if j == nil {
			return nil, noTuning(in.Name)
		}
		return &body[api.Tuning]{j.snapshot()}, nil
	})
	huma.Register(a, huma.Operation{
		OperationID: "stop-tuning", Method: http.MethodDelete, Path: path, Summary: "Stop tuning; the runs made so far are kept",
		DefaultStatus: http.StatusOK, Errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *nameRequest) (*body[api.Tuning], error) {
		t, err := s.stopTuning(ctx, in.Name)
		return &body[api.Tuning]{t}, asHTTP(err)
	})
	huma.Register(a, huma.Operation{
		OperationID: "explain", Method: http.MethodGet, Path: apiPath + "/workflows/{name}/explanation",
		Summary: "Say what a promise would take, from the runs that tuning made, without a new one",
		Errors:  []int{http.StatusNotFound, http.StatusUnprocessableEntity},
	}, func(ctx context.Context, in *explainRequest) (*body[api.Recommendation], error) {
		r, err := s.explanation(ctx, in)
		if err != nil {
			return nil, asHTTP(err)
		}
		return &body[api.Recommendation]{*r}, nil
	})
}

func (s *Server) explanation(ctx context.Context, in *explainRequest) (*api.Recommendation, error) {
	plan, err := s.planTuning(in.Name, api.TuneRequest{Latency: in.Latency, Percentile: in.Percentile})
	if err != nil {
		return nil, err
	}
	session, err := s.openTuning(ctx, plan, false)
	if err != nil {
		return nil, err
	}
	r, err := s.explain(session, plan, plan.qos)
	if errors.Is(err, control.ErrNoTrial) {
		return nil, &api.Problem{
			Type: api.TypeNotFound, Title: "Nothing measured", Status: http.StatusNotFound,
			Detail: "workflow " + in.Name + " has not been tuned with its present code and payloads, so nothing is known of it",
			Hint:   "aquatope tune " + in.Name,
		}
	}
	if r != nil {
		r.Joint = s.joint.get(in.Name)
	}
	return r, err
}
