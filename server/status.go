package server

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/aquatope/aquatope/server/api"
	"github.com/aquatope/aquatope/store"
)

type statusRequest struct {
	Runs int `query:"runs" minimum:"0" maximum:"1000" default:"20" doc:"How many of the newest runs to include."`
}

type summaryRequest struct {
	Workflow string    `query:"workflow" doc:"Only stages of this workflow."`
	Since    time.Time `query:"since" doc:"From when on; by default the last hour."`
}

func (s *Server) addStatusAPI(a huma.API) {
	huma.Register(a, huma.Operation{
		OperationID: "get-status", Method: http.MethodGet, Path: apiPath + "/status", Summary: "Show functions, instances, workflows and recent runs",
	}, func(ctx context.Context, in *statusRequest) (*body[api.Status], error) {
		st, err := s.status(ctx, in.Runs)
		return &body[api.Status]{st}, asHTTP(err)
	})
	huma.Register(a, huma.Operation{
		OperationID: "summarise-observations", Method: http.MethodGet, Path: apiPath + "/observations/summary",
		Summary: "Summarise invocations by stage: latency, cold starts, CPU, memory, cost",
	}, func(ctx context.Context, in *summaryRequest) (*body[api.ObservationSummary], error) {
		since := in.Since
		if since.IsZero() {
			since = time.Now().Add(-time.Hour)
		}
		sum, err := s.summarise(ctx, in.Workflow, since)
		return &body[api.ObservationSummary]{sum}, asHTTP(err)
	})
	huma.Register(a, huma.Operation{
		OperationID: "doctor", Method: http.MethodGet, Path: apiPath + "/doctor", Summary: "Say what this machine can enforce and measure",
	}, func(ctx context.Context, _ *struct{}) (*body[api.Doctor], error) {
		return &body[api.Doctor]{api.Doctor{Checks: Doctor(ctx)}}, nil
	})
}

// status is the state of everything at this moment, with the newest runs.
func (s *Server) status(ctx context.Context, runs int) (api.Status, error) {
	snapshot, err := s.platform.Snapshot(ctx)
	if err != nil {
		return api.Status{}, err
	}
	st := api.Status{
		Version: s.config.Version, Started: s.started, Time: snapshot.Time, Driver: s.config.Driver,
		Capacity: snapshot.Capacity, Used: snapshot.Used,
		Functions: s.functionsIn(snapshot), Workflows: s.workflows(), Runs: []api.Run{},
		Warnings: s.Warnings(),
	}
	if runs > 0 {
		page, err := s.listRuns(ctx, &listRunsRequest{Limit: runs})
		if err != nil {
			return st, err
		}
		st.Runs = page.Items
	}
	return st, nil
}

// listRuns returns a page of runs, those that ended this instant included.
func (s *Server) listRuns(ctx context.Context, in *listRunsRequest) (api.RunList, error) {
	if err := s.store.Flush(ctx); err != nil {
		return api.RunList{}, err
	}
	runs, next, err := s.store.Runs(ctx, store.RunFilter{
		Workflow: in.Workflow, Status: in.Status, Before: in.Cursor, Limit: in.Limit,
	})
	page := api.RunList{Items: make([]api.Run, len(runs)), Next: next}
	for i := range runs {
		page.Items[i].Run = runs[i]
	}
	return page, err
}

// findRun returns one run with its stages and, where they are kept, its input
// and output.
func (s *Server) findRun(ctx context.Context, id string) (api.Run, error) {
	// Summaries are written in batches, and who was told of a run may ask for it.
	if err := s.store.Flush(ctx); err != nil {
		return api.Run{}, err
	}
	r, err := s.store.Run(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return api.Run{}, &api.Problem{
			Type: api.TypeNotFound, Title: "Unknown run", Status: http.StatusNotFound,
			Detail: "no run has the id " + id, Hint: "aquatope runs list shows the newest; old ones are deleted after two weeks",
		}
	}
	if err != nil {
		return api.Run{}, err
	}
	out := api.Run{Run: r}
	if !r.Async {
		return out, nil
	}
	events, err := s.store.Events(ctx, id)
	if err != nil {
		return out, err
	}
	if len(events) > 0 {
		out.Input = asJSON(events[0].Body)
	}
	if r.Status.Ended() {
		body, _, _, err := s.store.Output(ctx, id)
		if err != nil {
			return out, err
		}
		out.Output = asJSON(body)
	}
	return out, nil
}

// Warnings are what this server cannot hold or enforce, in words.
func (s *Server) Warnings() []string {
	s.warnings.mu.Lock()
	list := append([]string(nil), s.warnings.list...)
	s.warnings.mu.Unlock()
	if e := s.platform.Enforced(); !e.CPU || !e.Memory {
		what := "CPU and memory limits are"
		switch {
		case e.CPU:
			what = "memory limits are"
		case e.Memory:
			what = "CPU limits are"
		}
		list = append(list, what+" not enforced here: "+e.Reason)
	}
	return list
}

func (s *Server) warn(text string) {
	s.warnings.mu.Lock()
	defer s.warnings.mu.Unlock()
	s.warnings.list = append(s.warnings.list, text)
}
