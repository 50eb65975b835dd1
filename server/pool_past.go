package server

import (
	"context"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/aquatope/aquatope/control"
	"github.com/aquatope/aquatope/forecast"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/run"
	"github.com/aquatope/aquatope/store"
	"github.com/aquatope/aquatope/workflow"
)

// arrivals reads what the store knows of a function's arrivals.
func (s *Server) arrivals(ctx context.Context, fn string, before int64) (*forecast.History, error) {
	until := control.WindowBegin(before, s.config.Window)
	from := before - forecast.Retention
	counts, err := s.store.FunctionArrivals(ctx, fn, control.WindowBegin(from, s.config.Window), until, s.config.Window)
	if err != nil {
		return nil, err
	}
	var h *forecast.History
	for i, n := range counts {
		if n == 0 {
			continue
		}
		if h == nil {
			h = forecast.NewHistory(fn, "", from+int64(i))
		}
		if err := h.Observe(from+int64(i), min(float64(n), forecast.MaxDemand)); err != nil {
			return nil, err
		}
	}
	if h != nil {
		h.Advance(before)
	}
	return h, nil
}

// invocations yields what the store knows of the invocations of a function.
func (s *Server) invocations(ctx context.Context, fn string, since, until time.Time) iter.Seq2[function.Observation, error] {
	return s.store.Observations(ctx, fn, since, until)
}

// flows are the workflows that are deployed, in order of name.
func (s *Server) flows() []*workflow.Workflow {
	deployed := s.catalog.Load().workflows
	list := make([]*workflow.Workflow, 0, len(deployed))
	for _, name := range slices.Sorted(maps.Keys(deployed)) {
		list = append(list, deployed[name].workflow)
	}
	return list
}

// latestRuns are the last runs of a workflow that completed, with the time that
// each stage took without waiting for an instance.
func (s *Server) latestRuns(ctx context.Context, name string, n int) ([]control.TrialRecord, error) {
	if err := s.store.Flush(ctx); err != nil {
		return nil, err
	}
	runs, _, err := s.store.Runs(ctx, store.RunFilter{Workflow: name, Status: run.StatusCompleted, NoTrials: true, Limit: n, Stages: true})
	if err != nil {
		return nil, err
	}
	out := make([]control.TrialRecord, 0, len(runs))
	for _, r := range runs {
		record := control.TrialRecord{ID: r.ID, Workflow: r.Workflow, Time: r.Start}
		for _, st := range r.Stages {
			record.Invocations = append(record.Invocations, control.TrialInvocation{
				Stage: st.Path, Seconds: (st.Duration - st.Queue - st.ColdStart).Seconds(), Outcome: st.Outcome,
			})
		}
		out = append(out, record)
	}
	return out, nil
}
