package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aquatope/aquatope/control"
	"github.com/aquatope/aquatope/engine"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform"
	"github.com/aquatope/aquatope/run"
	"github.com/aquatope/aquatope/server/api"
	"github.com/aquatope/aquatope/tuner"
)

// onlineTuning tries resources on live runs of one workflow.
type onlineTuning struct {
	s        *Server
	workflow string
	share    float64
	job      *job[api.Tuning]
	session  *control.Tuning
	plan     *tuningPlan
	runner   *trialRunner
	ended    chan endedTrial         // the trial that a live run took, once it ended
	fresh    atomic.Pointer[catalog] // holds the code that is tuned

	mu     sync.Mutex
	online *control.Online
	drift  control.Drift
	drifts int
	ready  *readyTrial // waits for a live run to take it
	wanted *readyTrial // what the search waits for, whether or not a live run has it
	alarm  chan struct{}
}

// readyTrial is a trial whose instances are warm.
type readyTrial struct {
	trial control.Trial
	watch *trialWatch
}

type endedTrial struct {
	trial control.Trial
	m     control.Measurement
}

// newOnline makes a session online.
func (s *Server) newOnline(j *job[api.Tuning], session *control.Tuning, plan *tuningPlan, runner *trialRunner, share float64) (*onlineTuning, error) {
	if share == 0 {
		share = 0.1
	}
	o := &onlineTuning{
		s: s, workflow: plan.workflow.workflow.Name, share: share, job: j, session: session, plan: plan, runner: runner,
		ended: make(chan endedTrial, 1), alarm: make(chan struct{}, 1),
	}
	return o, o.restart()
}

// restart begins a search from what serves now.
func (o *onlineTuning) restart() error {
	serving := map[string]function.Resources{}
	c := o.s.catalog.Load()
	for _, f := range o.plan.config.Functions {
		serving[f.Name] = c.functions[f.Name].revision.Resources
	}
	online, err := control.NewOnline(o.session, serving, o.share)
	if err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.online, o.drift = online, control.Drift{Allowed: o.plan.qos.ErrorBudget()}
	return nil
}

// run runs a live request: as the trial that is ready, if the bounds allow it.
func (o *onlineTuning) run(ctx context.Context, p *engine.Plan, in engine.Input) (*engine.Result, error) {
	t := o.take()
	if t != nil {
		in.Trial = t.trial.ID
	}
	begin := time.Now()
	res, err := o.s.engine.Run(ctx, p, in)
	if err != nil || res.Status == run.StatusCancelled {
		if time.Since(begin) > o.plan.qos.Latency {
			// Its caller waited in vain: that spends the error budget too.
			o.note(t != nil, true)
		}
		if t != nil {
			o.putBack(t)
		}
		return res, err
	}
	failed := res.Status != run.StatusCompleted
	violated := failed || res.Latency() > o.plan.qos.Latency
	o.note(t != nil, violated)
	if t != nil {
		m := control.Measurement{Start: res.Start, End: res.End, Failed: failed}
		if res.Problem != nil {
			m.Message = res.Problem.Error()
		}
		m.Invocations, _ = t.watch.take()
		trial := t.trial
		trial.Input = o.input(in.Body)
		o.ended <- endedTrial{trial, m}
	}
	return res, nil
}

// input returns which of the inputs of the session a body is, -1 for none.
func (o *onlineTuning) input(body []byte) int {
	var got, want bytes.Buffer
	if json.Compact(&got, body) != nil {
		return -1
	}
	return slices.IndexFunc(o.plan.bodies, func(known []byte) bool {
		want.Reset()
		return json.Compact(&want, known) == nil && bytes.Equal(got.Bytes(), want.Bytes())
	})
}

// note counts a live run, and looks for drift in those that were no trial.
func (o *onlineTuning) note(trial, violated bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.online.Note(trial, violated)
	if !trial && o.drift.Note(violated) {
		select {
		case o.alarm <- struct{}{}:
		default:
		}
	}
}

func (o *onlineTuning) take() *readyTrial {
	o.mu.Lock()
	defer o.mu.Unlock()
	t := o.ready
	if t == nil || !o.online.Allows() || o.stale() {
		return nil
	}
	o.ready = nil
	t.watch.take()
	return t
}

// put makes a trial ready for a live run.
func (o *onlineTuning) put(t *readyTrial) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ready, o.wanted = t, t
}

// putBack makes a trial ready again of which a live run told nothing, unless it was
// given up meanwhile.
func (o *onlineTuning) putBack(t *readyTrial) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.wanted == t {
		o.ready = t
	}
}

// giveUp lets no live run take a trial until there is another.
func (o *onlineTuning) giveUp() { o.put(nil) }

// counts presents what was seen.
func (o *onlineTuning) counts() *api.OnlineCounts {
	o.mu.Lock()
	defer o.mu.Unlock()
	runs, trials, violations := o.online.Counts()
	return &api.OnlineCounts{Runs: runs, Trials: trials, Violations: violations, Drifts: o.drifts}
}

// tuneOnline runs a session to its end; where its result is applied it goes on
// watching for drift, and tunes again when there is some. Release gives up the claim
// on measuring, which is not held while it watches.
func (s *Server) tuneOnline(ctx context.Context, o *onlineTuning, release func(), apply bool) {
	defer func() { release() }()
	defer o.runner.remove(nil)
	s.online.Store(o.workflow, o)
	defer s.online.CompareAndDelete(o.workflow, o)
	err := o.search(ctx)
	for {
		if err == nil {
			err = s.concludeTuning(ctx, o.job, o.session, o.plan, apply)
		}
		if err == nil && apply {
			o.job.update(func(t *api.Tuning) { t.Phase, t.Message = api.PhaseWatching, "watching for drift" })
			release()
			if err = o.awaitDrift(ctx); err == nil {
				release, err = s.tunings.await(ctx, measurement{"tuning", o.workflow})
			}
		} else if !errors.Is(err, errDrift) {
			break
		}
		if err == nil || errors.Is(err, errDrift) {
			err = o.again(ctx)
		}
	}
	s.endTuning(ctx, o.job, o.plan, err)
}

// search makes trials until the budget is used up.
func (o *onlineTuning) search(ctx context.Context) error {
	for o.session.Left() > 0 {
		c, err := o.online.Next()
		if err != nil {
			return err
		}
		trial := control.Trial{
			ID:        fmt.Sprintf("%s-%s"+function.LiveTrial, o.workflow, time.Now().UTC().Format("20060102t150405.000000")),
			Resources: o.session.Resources(c),
		}
		if err := o.offer(ctx, trial, c); err != nil {
			return err
		}
		done, err := o.await(ctx, trial.ID)
		if err != nil {
			return err
		}
		if err := o.online.Keep(ctx, time.Now(), done.trial, done.m); err != nil {
			o.s.log.Warn("a live trial was not used", "workflow", o.workflow, "error", err)
			continue
		}
		out, err := o.session.Incumbent()
		if err != nil {
			return err
		}
		n, _ := o.session.Runs()
		rec, counts := o.s.recommendation(out, o.session, o.plan), o.counts()
		o.job.update(func(t *api.Tuning) { t.Runs, t.Recommendation, t.Online = n, rec, counts })
	}
	return nil
}

// offer warms the instances of a trial and makes it ready for a live run.
func (o *onlineTuning) offer(ctx context.Context, trial control.Trial, c tuner.Configuration) error {
	revisions, _, err := o.runner.deploy(ctx, trial.Resources)
	if err != nil {
		return err
	}
	g := o.session.Problem().Graph
	for fn, rev := range revisions {
		if o.s.routed(rev) {
			continue
		}
		want := platform.Scale{Warm: control.Concurrency(g, fn), KeepAlive: trialKeepAlive}
		if err := o.s.platform.Scale(ctx, rev, want); err != nil {
			return err
		}
	}
	o.job.update(func(t *api.Tuning) { t.Message = fmt.Sprintf("warming instances for live trial %v", c) })
	if err := o.awaitIdle(ctx, revisions); err != nil {
		return err
	}
	o.put(&readyTrial{trial, o.s.trials.watch(trial.ID, revisions, true)})
	o.job.update(func(t *api.Tuning) {
		t.Message = "waiting for a live run that the error budget lets try other resources"
	})
	return nil
}

// awaitIdle waits until each revision has an instance, or a minute.
func (o *onlineTuning) awaitIdle(ctx context.Context, revisions map[string]string) error {
	deadline := time.Now().Add(time.Minute)
	for time.Now().Before(deadline) {
		snapshot, err := o.s.platform.Snapshot(ctx)
		if err != nil {
			return err
		}
		ready := map[string]bool{}
		for _, r := range snapshot.Revisions {
			ready[r.Revision] = r.Idle+r.Busy > 0
		}
		missing := 0
		for _, rev := range revisions {
			if !ready[rev] && !o.s.routed(rev) {
				missing++
			}
		}
		if missing == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
	return fmt.Errorf("instances for a live trial did not start within a minute")
}

// await waits for the live run that takes the trial. It gives up when what serves
// after drift still breaks its promise, and could have more.
func (o *onlineTuning) await(ctx context.Context, id string) (endedTrial, error) {
	defer o.s.trials.unwatch(id)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case done := <-o.ended:
			if done.trial.ID == id { // and not one that was given up
				return done, nil
			}
		case <-o.alarm:
			if o.drifts == 0 {
				continue // what served before the search is the user's
			}
			more, err := o.more(ctx)
			if err != nil {
				return endedTrial{}, err
			}
			if len(more) > 0 {
				o.giveUp()
				return endedTrial{}, errDrift
			}
			o.job.update(func(t *api.Tuning) {
				t.Message = "the promise is broken with the most that ranges and machine allow: nothing is tried until it is kept again"
			})
		case <-tick.C:
			if o.stale() {
				o.giveUp()
				return endedTrial{}, errStale(o.workflow)
			}
			counts := o.counts()
			o.job.update(func(t *api.Tuning) { t.Online = counts })
		case <-ctx.Done():
			o.giveUp()
			return endedTrial{}, ctx.Err()
		}
	}
}
