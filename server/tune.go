package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/aquatope/aquatope/control"
	"github.com/aquatope/aquatope/server/api"
	"github.com/aquatope/aquatope/tuner"
)

// tunings holds the last tuning session of every workflow, and lets one
// measurement run at a time, so that they do not disturb one another.
type tunings struct {
	jobs[api.Tuning]
	claim     sync.Mutex
	measuring *measurement // what is under way; nil for nothing
}

// measurement is one thing that is measured: "tuning" or "profile", as in the path
// of the API that ends it, of a workflow.
type measurement struct{ kind, workflow string }

// measure claims the machine for a measurement; release gives it back.
func (t *tunings) measure(m measurement) (release func(), err error) {
	t.claim.Lock()
	defer t.claim.Unlock()
	if now := t.measuring; now != nil {
		return nil, &api.Problem{
			Title: "Measuring already", Status: http.StatusConflict,
			Detail: fmt.Sprintf("the %s of %s is under way, and two measurements would disturb each other", now.kind, now.workflow),
			Hint:   fmt.Sprintf("wait for its end, or end it: Ctrl-C where it was started, or DELETE %s/workflows/%s/%s", apiPath, now.workflow, now.kind),
		}
	}
	t.measuring = &m
	return sync.OnceFunc(func() {
		t.claim.Lock()
		defer t.claim.Unlock()
		t.measuring = nil
	}), nil
}

// busy reports whether a measurement is under way.
func (t *tunings) busy() bool {
	t.claim.Lock()
	defer t.claim.Unlock()
	return t.measuring != nil
}

// await claims the machine as soon as no other measurement is under way.
func (t *tunings) await(ctx context.Context, m measurement) (release func(), err error) {
	for {
		if release, err = t.measure(m); err == nil {
			return release, nil
		}
		select {
		case <-ctx.Done():
			return func() {}, ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

// startTuning begins a session, or takes up the one that ended early.
func (s *Server) startTuning(ctx context.Context, name string, req api.TuneRequest) (api.Tuning, error) {
	plan, err := s.planTuning(name, req)
	if err != nil {
		return api.Tuning{}, err
	}
	// Who tunes again takes over from a session that only watches.
	if j := s.tunings.get(name); j != nil && j.snapshot().Phase == api.PhaseWatching {
		if _, err := j.stop(ctx); err != nil {
			return api.Tuning{}, err
		}
	}
	release, err := s.tunings.measure(measurement{"tuning", name})
	if err != nil {
		return api.Tuning{}, err
	}
	started := false
	defer func() {
		if !started {
			release()
		}
	}()
	runner, err := s.newTrialRunner(plan.workflow, plan.catalog, plan.bodies)
	if err != nil {
		return api.Tuning{}, cannotTune(err)
	}
	plan.config.Runner = runner
	session, err := s.openTuning(ctx, plan, req.Fresh)
	if err != nil {
		return api.Tuning{}, err
	}
	all, resumed := session.Runs()
	background, cancel := context.WithCancel(s.background)
	j := newJob(cancel, api.Tuning{
		Workflow: name, Phase: api.PhaseRunning, QoS: plan.qos, Strategy: plan.config.Strategy.Name(),
		Budget: plan.config.Budget, Runs: all, Resumed: resumed, Disturbed: session.Disturbed(), Message: "starting",
	})
	var online *onlineTuning
	if req.Online {
		if online, err = s.newOnline(j, session, plan, runner, req.Share); err != nil {
			cancel()
			return api.Tuning{}, cannotTune(err)
		}
	}
	runner.disturbed = func(why string) {
		j.update(func(t *api.Tuning) { t.Disturbance, t.Repeated = why, runner.repeats })
	}
	s.tunings.set(name, j)
	started = true
	s.loops.Go(func() {
		defer close(j.ended)
		defer cancel()
		defer release()
		if online != nil {
			s.tuneOnline(background, online, release, req.Apply)
			return
		}
		s.tune(background, j, session, plan, runner, req.Apply)
	})
	return j.snapshot(), nil
}

// tune runs a session to its end.
func (s *Server) tune(ctx context.Context, j *job[api.Tuning], session *control.Tuning, plan *tuningPlan, runner *trialRunner, apply bool) {
	defer runner.remove(nil)
	err := s.tuneSteps(ctx, j, session, plan, runner)
	if err == nil {
		err = s.concludeTuning(ctx, j, session, plan, apply)
	}
	s.endTuning(ctx, j, plan, err)
}

// endTuning says how a session ended; done has been said already.
func (s *Server) endTuning(ctx context.Context, j *job[api.Tuning], plan *tuningPlan, err error) {
	switch {
	case err == nil:
	case ctx.Err() != nil:
		j.update(func(t *api.Tuning) {
			t.Phase, t.Message = api.PhaseStopped, "stopped; the runs so far are kept, and tuning again goes on from there"
		})
	default:
		s.log.Error("tuning", "workflow", plan.workflow.workflow.Name, "error", err)
		j.update(func(t *api.Tuning) { t.Phase, t.Message = api.PhaseFailed, err.Error() })
	}
}

func (s *Server) tuneSteps(ctx context.Context, j *job[api.Tuning], session *control.Tuning, plan *tuningPlan, runner *trialRunner) error {
	for session.Left() > 0 {
		n, _ := session.Runs()
		j.update(func(t *api.Tuning) {
			t.Message = fmt.Sprintf("run %d of %d", n+1, plan.config.Budget)
			if n == 0 {
				t.Message += ", starting instances"
			}
		})
		if err := session.Step(ctx, time.Now()); err != nil {
			return err
		}
		out, err := session.Incumbent()
		if err != nil && !errors.Is(err, control.ErrNoTrial) {
			return err
		}
		runs, _ := session.Runs()
		rec := s.recommendation(out, session, plan)
		j.update(func(t *api.Tuning) {
			t.Runs, t.Warmups, t.Recommendation = runs, runner.warmups, rec
			t.Repeated, t.Disturbed = runner.repeats, session.Disturbed()
		})
	}
	return nil
}

func (s *Server) concludeTuning(ctx context.Context, j *job[api.Tuning], session *control.Tuning, plan *tuningPlan, apply bool) error {
	j.update(func(t *api.Tuning) { t.Message = "computing the frontier" })
	out, err := session.Conclude(ctx, time.Now())
	if err != nil {
		return err
	}
	rec := s.recommendation(out, session, plan)
	rec.Measured = measuredOf(session)
	applied := false
	if apply && out.Verdict == control.VerdictFeasible {
		if err := s.applyResources(ctx, plan.workflow.workflow.Name, session.Resources(out.Configuration), "deployed what was recommended"); err != nil {
			return fmt.Errorf("deploying the recommendation: %w", err)
		}
		applied = true
	}
	j.update(func(t *api.Tuning) {
		t.Recommendation, t.Applied, t.Phase, t.Message = rec, applied, api.PhaseDone, ""
	})
	s.joint.ask(jointRequest{workflow: plan.workflow.workflow.Name, free: apply})
	return nil
}

// stopTuning ends a session and waits until its last run is off the machine.
func (s *Server) stopTuning(ctx context.Context, name string) (api.Tuning, error) {
	j := s.tunings.get(name)
	if j == nil {
		return api.Tuning{}, noTuning(name)
	}
	return j.stop(ctx)
}

func noTuning(name string) error {
	return &api.Problem{
		Type: api.TypeNotFound, Title: "Not tuned", Status: http.StatusNotFound,
		Detail: "workflow " + name + " has not been tuned since the server started", Hint: "aquatope tune " + name,
	}
}

func cannotTune(err error) error {
	p := &api.Problem{Title: "Cannot tune", Status: http.StatusUnprocessableEntity, Detail: err.Error()}
	if errors.Is(err, tuner.ErrProblem) {
		p.Detail = "this cannot be tuned: " + err.Error()
	}
	return p
}
