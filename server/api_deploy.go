package server

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/aquatope/aquatope/manifest"
	"github.com/aquatope/aquatope/platform"
	"github.com/aquatope/aquatope/server/api"
)

// body is the answer of an operation without headers of its own.
type body[T any] struct{ Body T }

type deployRequest struct {
	DryRun  bool   `query:"dryRun" doc:"Check and compare only."`
	RawBody []byte `contentType:"application/yaml" doc:"Manifests: YAML or JSON documents, several to a stream. Commands and folders are absolute paths of the server's machine."`
}

type nameRequest struct {
	Name string `path:"name"`
}

// addAPI registers every operation of the API.
func (s *Server) addAPI(a huma.API) {
	s.addDeployAPI(a)
	s.addRunAPI(a)
	s.addStatusAPI(a)
	s.addTuneAPI(a)
	s.addProfileAPI(a)
}

func (s *Server) addDeployAPI(a huma.API) {
	huma.Register(a, huma.Operation{
		OperationID: "deploy", Method: http.MethodPut, Path: apiPath + "/manifests",
		Summary:      "Deploy workflows and functions from manifests",
		Description:  "Everything in the manifests is deployed, or nothing. What is deployed already and equal is left alone; what is not in the manifests stays.",
		MaxBodyBytes: s.config.MaxBody + 2, // above the limit that every request has
		Errors:       []int{http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity},
	}, func(ctx context.Context, in *deployRequest) (*body[api.Deployment], error) {
		b, err := manifest.Parse("manifests", in.RawBody)
		if err != nil {
			return nil, manifestProblem(err)
		}
		if len(b.Functions)+len(b.Workflows) == 0 {
			return nil, &api.Problem{Title: "Nothing to deploy", Status: http.StatusUnprocessableEntity, Detail: "the manifests hold no workflow and no function"}
		}
		d, err := s.deploy(ctx, b, in.DryRun)
		return &body[api.Deployment]{d}, asHTTP(err)
	})
	huma.Register(a, huma.Operation{
		OperationID: "list-functions", Method: http.MethodGet, Path: apiPath + "/functions", Summary: "List functions with their instances",
	}, func(ctx context.Context, _ *struct{}) (*body[api.FunctionList], error) {
		f, err := s.functions(ctx)
		return &body[api.FunctionList]{api.FunctionList{Items: f}}, asHTTP(err)
	})
	huma.Register(a, huma.Operation{
		OperationID: "forecast-function", Method: http.MethodGet, Path: apiPath + "/functions/{name}/forecast",
		Summary: "Show what is expected of a function, and what came", Errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *forecastRequest) (*body[api.FunctionForecast], error) {
		f, err := s.forecastOf(ctx, in)
		return &body[api.FunctionForecast]{f}, asHTTP(err)
	})
	huma.Register(a, huma.Operation{
		OperationID: "delete-function", Method: http.MethodDelete, Path: apiPath + "/functions/{name}",
		Summary: "Remove a function that no workflow calls", DefaultStatus: http.StatusNoContent,
		Errors: []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, in *nameRequest) (*struct{}, error) {
		return nil, asHTTP(s.removeFunction(ctx, in.Name))
	})
	huma.Register(a, huma.Operation{
		OperationID: "list-workflows", Method: http.MethodGet, Path: apiPath + "/workflows", Summary: "List workflows and how their promises hold",
	}, func(context.Context, *struct{}) (*body[api.WorkflowList], error) {
		return &body[api.WorkflowList]{api.WorkflowList{Items: s.workflows()}}, nil
	})
	huma.Register(a, huma.Operation{
		OperationID: "get-workflow", Method: http.MethodGet, Path: apiPath + "/workflows/{name}", Summary: "Show a workflow",
		Errors: []int{http.StatusNotFound},
	}, func(_ context.Context, in *nameRequest) (*body[api.Workflow], error) {
		c := s.catalog.Load()
		w, ok := c.workflows[in.Name]
		if !ok {
			return nil, notFound("workflow", in.Name, c.workflows)
		}
		return &body[api.Workflow]{s.workflow(w, time.Now())}, nil
	})
	huma.Register(a, huma.Operation{
		OperationID: "delete-workflow", Method: http.MethodDelete, Path: apiPath + "/workflows/{name}",
		Summary: "Remove a workflow; its runs under way end as they would have", DefaultStatus: http.StatusNoContent,
		Errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *nameRequest) (*struct{}, error) {
		return nil, asHTTP(s.removeWorkflow(ctx, in.Name))
	})
}

// asHTTP is err with the status that HTTP has for it, nil for nil.
func asHTTP(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, context.Canceled) {
		return &api.Problem{Title: "Cancelled", Status: statusClientClosed, Detail: err.Error()}
	}
	return asProblem(err)
}

// functions returns every function with the state of its revision, in order
// of name.
func (s *Server) functions(ctx context.Context) ([]api.Function, error) {
	snapshot, err := s.platform.Snapshot(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the platform's state: %w", err)
	}
	return s.functionsIn(snapshot), nil
}

func (s *Server) functionsIn(snapshot platform.Snapshot) []api.Function {
	states := map[string]platform.RevisionState{}
	for _, r := range snapshot.Revisions {
		states[r.Revision] = r
	}
	c := s.catalog.Load()
	out := []api.Function{}
	for _, name := range slices.Sorted(maps.Keys(c.functions)) {
		f := c.functions[name]
		r := states[f.revision.Name]
		out = append(out, api.Function{
			Name: name, Revision: f.revision.Name, Resources: f.revision.Resources,
			Concurrency: f.function.Concurrency, Timeout: f.function.Timeout,
			Warm: r.Scale.Warm, Starting: r.Starting, Idle: r.Idle, Busy: r.Busy, Queued: r.Queued,
			StartError: s.starts.of(name), Pool: s.poolOf(name),
		})
	}
	return out
}

// workflows returns every workflow, in order of name.
func (s *Server) workflows() []api.Workflow {
	c, now := s.catalog.Load(), time.Now()
	out := []api.Workflow{}
	for _, name := range slices.Sorted(maps.Keys(c.workflows)) {
		out = append(out, s.workflow(c.workflows[name], now))
	}
	return out
}

func (s *Server) workflow(w deployedWorkflow, now time.Time) api.Workflow {
	recent := s.recents.of(w.workflow.Name, w.workflow.QoS, now)
	recent.Running = int(s.running.of(w.workflow.Name).Load())
	return api.Workflow{
		Name: w.workflow.Name, Version: w.workflow.Version, Title: w.workflow.Title, QoS: w.workflow.QoS,
		Stages: w.stages, Recent: recent, Joint: s.joint.get(w.workflow.Name),
	}
}
