package server

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/aquatope/aquatope/engine"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform"
)

// trialInvoker stands between engine and platform. Invocations that belong to a
// trial go to the trial's revisions and are noted; all others pass and are
// counted, since they may disturb a trial's measurement.
type trialInvoker struct {
	next    engine.Invoker
	foreign atomic.Int64 // invocations under way that belong to no trial
	passed  atomic.Int64 // such invocations so far

	mu     sync.Mutex
	trials map[string]*trialWatch // by id
}

// trialWatch is what is known of the runs of one trial.
type trialWatch struct {
	revisions map[string]string // by function
	live      bool              // its run is a user's

	mu           sync.Mutex
	observations []function.Observation
	requests     []platform.Request // without context, in order of observations
}

// watch makes runs labelled with id go to revisions until unwatch; live says that
// they are users' runs.
func (t *trialInvoker) watch(id string, revisions map[string]string, live bool) *trialWatch {
	w := &trialWatch{revisions: revisions, live: live}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.trials == nil {
		t.trials = map[string]*trialWatch{}
	}
	t.trials[id] = w
	return w
}

// measuring reports whether a run labelled with id is only made to measure: no user
// waits for it.
func (t *trialInvoker) measuring(id string) bool {
	if id == "" {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	w := t.trials[id]
	return w != nil && !w.live
}

func (t *trialInvoker) unwatch(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.trials, id)
}

// Invoke implements engine.Invoker.
func (t *trialInvoker) Invoke(ctx context.Context, req platform.Request) (*platform.Response, error) {
	if req.Trial == "" {
		t.passed.Add(1)
		t.foreign.Add(1)
		defer t.foreign.Add(-1)
		return t.next.Invoke(ctx, req)
	}
	t.mu.Lock()
	w := t.trials[req.Trial]
	t.mu.Unlock()
	if w == nil {
		return t.next.Invoke(ctx, req)
	}
	if req.Revision == "" {
		req.Revision = w.revisions[req.Function]
	}
	resp, err := t.next.Invoke(ctx, req)
	var failed *platform.InvokeError
	switch {
	case err == nil:
		w.note(req, resp.Observation)
	case errors.As(err, &failed):
		w.note(req, failed.Observation)
	}
	return resp, err
}

func (w *trialWatch) note(req platform.Request, o function.Observation) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.observations = append(w.observations, o)
	w.requests = append(w.requests, req)
}

// take returns what was noted since the last call.
func (w *trialWatch) take() ([]function.Observation, []platform.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	o, r := slices.Clone(w.observations), slices.Clone(w.requests)
	w.observations, w.requests = nil, nil
	return o, r
}
