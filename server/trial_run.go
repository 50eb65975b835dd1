package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aquatope/aquatope/control"
	"github.com/aquatope/aquatope/engine"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform"
	"github.com/aquatope/aquatope/run"
)

// trialRunner runs trials of one workflow on revisions of their own, which get
// no other traffic. It is used by one goroutine.
type trialRunner struct {
	s         *Server
	workflow  deployedWorkflow
	functions map[string]function.Function
	inputs    [][]byte
	deployed  map[string]bool // revisions of the last trial
	warmups   int
	requests  []platform.Request     // of the last run, in order of its observations
	starts    []function.Observation // of the last run that only warmed instances
}

// trialKeepAlive is how long an instance of a trial stays idle before it ends.
const trialKeepAlive = 10 * time.Minute

// quiet is how long a trial waits for other work to end, and attempts how often
// it is repeated when it was disturbed all the same.
const (
	quiet         = 5 * time.Second
	quietAttempts = 3
)

// Run implements control.TrialRunner. What a run needs is started by a first run
// that is not counted, unless everything is warm from the trial before.
func (r *trialRunner) Run(ctx context.Context, t control.Trial) (control.Measurement, error) {
	revisions, fresh, err := r.deploy(ctx, t.Resources)
	if err != nil {
		return control.Measurement{}, err
	}
	w := r.s.trials.watch(t.ID, revisions)
	defer r.s.trials.unwatch(t.ID)
	body := r.inputs[t.Input]
	if fresh {
		r.warmups++
		m, err := r.once(ctx, t.ID, w, body)
		r.starts = m.Invocations
		if err != nil || m.Failed {
			return m, err // what fails when cold would fail again
		}
	}
	for attempt := 1; ; attempt++ {
		if err := r.awaitQuiet(ctx); err != nil {
			return control.Measurement{}, err
		}
		m, err := r.once(ctx, t.ID, w, body)
		if err != nil || m.Failed || !m.Disturbed || attempt == quietAttempts {
			return m, err
		}
	}
}

// once runs the workflow once.
func (r *trialRunner) once(ctx context.Context, id string, w *trialWatch, body []byte) (control.Measurement, error) {
	w.take()
	others := r.s.trials.passed.Load()
	busy := r.s.trials.foreign.Load() > 0
	res, err := r.s.engine.Run(ctx, r.workflow.plan, engine.Input{Body: body, ContentType: "application/json", Trial: id})
	if err != nil {
		return control.Measurement{}, err
	}
	if err := ctx.Err(); err != nil {
		return control.Measurement{}, err
	}
	m := control.Measurement{
		Start: res.Start, End: res.End, Failed: res.Status != run.StatusCompleted,
		Disturbed: busy || r.s.trials.passed.Load() != others,
	}
	m.Invocations, r.requests = w.take()
	if res.Problem != nil {
		m.Message = res.Problem.Error()
	}
	for _, o := range m.Invocations {
		switch o.Outcome {
		case function.OutcomeRejected, function.OutcomeStart:
			return m, fmt.Errorf("function %s: %s", o.Function, o.Message)
		}
	}
	return m, nil
}

// awaitQuiet waits a moment for work that belongs to no trial to end.
func (r *trialRunner) awaitQuiet(ctx context.Context) error {
	deadline := time.Now().Add(quiet)
	for r.s.trials.foreign.Load() > 0 && time.Now().Before(deadline) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}

// deploy makes revisions with the given resources and removes those of the trial
// before. Fresh says that some were not there.
func (r *trialRunner) deploy(ctx context.Context, resources map[string]function.Resources) (revisions map[string]string, fresh bool, err error) {
	revisions, wanted := map[string]string{}, map[string]bool{}
	var list []function.Revision
	for name, res := range resources {
		rev := function.NewRevision(r.functions[name], res)
		revisions[name], wanted[rev.Name] = rev.Name, true
		list = append(list, rev)
	}
	r.remove(wanted)
	for _, rev := range list {
		if r.deployed[rev.Name] {
			continue
		}
		fresh = true
		if err := r.s.platform.Deploy(ctx, rev); err != nil {
			return nil, false, fmt.Errorf("deploying %s for a trial: %w", rev.Name, err)
		}
		r.deployed[rev.Name] = true
		if r.s.routed(rev.Name) {
			continue // it serves already and is scaled by the pool
		}
		if err := r.s.platform.Scale(ctx, rev.Name, platform.Scale{KeepAlive: trialKeepAlive}); err != nil {
			return nil, false, fmt.Errorf("scaling %s for a trial: %w", rev.Name, err)
		}
	}
	return revisions, fresh, nil
}

// remove takes the revisions of the last trial off the platform, except those
// that are wanted and those that serve.
func (r *trialRunner) remove(wanted map[string]bool) {
	r.s.deploying.Lock()
	defer r.s.deploying.Unlock()
	for name := range r.deployed {
		if wanted[name] {
			continue
		}
		delete(r.deployed, name)
		if !r.s.routed(name) {
			r.s.retire(name)
		}
	}
}

// routed reports whether a revision serves a deployed function.
func (s *Server) routed(revision string) bool {
	for _, f := range s.catalog.Load().functions {
		if f.revision.Name == revision {
			return true
		}
	}
	return false
}

// newTrialRunner checks that trials make sense on this machine.
func (s *Server) newTrialRunner(wf deployedWorkflow, c *catalog, inputs [][]byte) (*trialRunner, error) {
	if e := s.platform.Enforced(); !e.CPU || !e.Memory {
		return nil, errors.New("limits are not enforced on this machine, so measuring with different ones would be nonsense: " + e.Reason + " (aquatope doctor says more)")
	}
	r := &trialRunner{s: s, workflow: wf, functions: map[string]function.Function{}, inputs: inputs, deployed: map[string]bool{}}
	for _, name := range wf.workflow.Functions() {
		f, ok := c.functions[name]
		if !ok {
			return nil, fmt.Errorf("function %s, which the workflow calls, is not deployed", name)
		}
		r.functions[name] = f.function
	}
	return r, nil
}
