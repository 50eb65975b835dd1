package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
	repeats   int                    // runs made again since they were disturbed
	disturbed func(why string)       // told when a run was; nil for nobody
	requests  []platform.Request     // of the last run, in order of its observations
	starts    []function.Observation // of the last run that only warmed instances
}

// trialKeepAlive is how long an instance of a trial stays idle before it ends.
const trialKeepAlive = 10 * time.Minute

// quiet is how long a trial waits for other runs to end, and quietAttempts how often
// it is made when it was disturbed all the same, by them or by other processes. Of
// runs that were all disturbed the one that was least counts.
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
	w := r.s.trials.watch(t.ID, revisions, false)
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
	var best control.Measurement
	var requests []platform.Request
	for attempt := 1; ; attempt++ {
		if err := r.awaitQuiet(ctx); err != nil {
			return control.Measurement{}, err
		}
		m, err := r.once(ctx, t.ID, w, body)
		if err != nil {
			return m, err
		}
		if attempt == 1 || m.OtherCPUs < best.OtherCPUs || !m.Disturbed {
			best, requests = m, r.requests
		}
		again := m.Disturbed && !killed(m) && attempt < quietAttempts
		r.tell(m, again)
		if !again {
			r.requests = requests
			return best, nil
		}
		r.repeats++
	}
}

// killed reports whether a run failed for what another try would not change.
func killed(m control.Measurement) bool {
	return m.Failed && !slices.ContainsFunc(m.Invocations, func(o function.Observation) bool { return o.Outcome == function.OutcomeTimeout })
}

// tell says whether a run was disturbed.
func (r *trialRunner) tell(m control.Measurement, again bool) {
	if r.disturbed == nil {
		return
	}
	why := ""
	if m.Disturbed {
		why = "disturbed by other runs"
		if m.OtherCPUs > 0 {
			why = fmt.Sprintf("disturbed: others use %.1f CPUs", m.OtherCPUs)
		}
		if again {
			why += ", running again"
		}
	}
	r.disturbed(why)
}

// once runs the workflow once.
func (r *trialRunner) once(ctx context.Context, id string, w *trialWatch, body []byte) (control.Measurement, error) {
	w.take()
	passed := r.s.trials.passed.Load()
	busy := r.s.trials.foreign.Load() > 0
	before := readCPU()
	res, err := r.s.engine.Run(ctx, r.workflow.plan, engine.Input{Body: body, ContentType: "application/json", Trial: id})
	if err != nil {
		return control.Measurement{}, err
	}
	if err := ctx.Err(); err != nil {
		return control.Measurement{}, err
	}
	m := control.Measurement{
		Start: res.Start, End: res.End, Failed: res.Status != run.StatusCompleted,
		Disturbed: busy || r.s.trials.passed.Load() != passed,
	}
	after := readCPU()
	m.Invocations, r.requests = w.take()
	others, crowded := before.crowd(after, m.Invocations)
	m.OtherCPUs, m.Disturbed = others, m.Disturbed || crowded
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
