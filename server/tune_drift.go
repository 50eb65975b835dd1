package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/aquatope/aquatope/control"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/server/api"
)

// driftDecision is the kind of journal entries that say that earlier trials are
// out of date.
const driftDecision = "drift"

// errDrift says that what serves violates its promise too often.
var errDrift = errors.New("live runs violate the promise far more often than it allows: what was measured before no longer holds")

// errStale says that a workflow or its functions are not those that are tuned.
func errStale(workflow string) error {
	return &api.Problem{
		Title: "Deployed anew", Status: http.StatusConflict,
		Detail: "workflow " + workflow + " or a function of it was deployed with other code", Hint: "aquatope tune " + workflow + " --online",
	}
}

// stale reports whether other code is deployed than that of the trials.
func (o *onlineTuning) stale() bool {
	c := o.s.catalog.Load()
	if o.fresh.Load() == c {
		return false
	}
	wf, ok := c.workflows[o.workflow]
	if !ok {
		return true
	}
	var functions []function.Function
	for _, fn := range wf.workflow.Functions() {
		functions = append(functions, c.functions[fn].function)
	}
	if codeOf(wf, functions) != o.plan.config.Code {
		return true
	}
	o.fresh.Store(c)
	return false
}

// awaitDrift returns when what serves violates its promise too often.
func (o *onlineTuning) awaitDrift(ctx context.Context) error {
	select { // what came before the recommendation served says nothing of it
	case <-o.alarm:
	default:
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-o.alarm:
			return nil
		case <-tick.C:
			if o.stale() {
				return errStale(o.workflow)
			}
			counts := o.counts()
			o.job.update(func(t *api.Tuning) { t.Online = counts })
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// again forgets the trials so far, gives what serves more resources, so that the
// promise is kept meanwhile and there is an error budget to search with, and
// searches anew.
func (o *onlineTuning) again(ctx context.Context) error {
	now := time.Now()
	err := tuningStore{o.s.store}.DecideTuning(ctx, control.TuningDecision{
		Time: now, Workflow: o.workflow, Kind: driftDecision, Data: o.counts(), Reason: errDrift.Error(),
	})
	if err != nil {
		return err
	}
	more, err := o.more(ctx)
	if err == nil && len(more) > 0 {
		err = o.s.applyResources(ctx, o.workflow, more, "more for everything, until it is tuned again after drift")
	}
	if err != nil {
		return fmt.Errorf("giving %s more resources after drift: %w", o.workflow, err)
	}
	o.plan.config.Since = now
	session, err := o.s.openTuning(ctx, o.plan, false)
	if err != nil {
		return err
	}
	o.session = session
	if err := o.restart(); err != nil {
		return err
	}
	o.mu.Lock()
	o.drifts++
	o.mu.Unlock()
	counts := o.counts()
	o.job.update(func(t *api.Tuning) {
		t.Phase, t.Runs, t.Message, t.Online = api.PhaseRunning, 0, "tuning again after drift", counts
	})
	return o.search(ctx)
}

// more returns twice the CPU and half as much memory again for every function, as far
// as its space allows; nothing where no function can have more or all together would
// be too much for the machine.
func (o *onlineTuning) more(ctx context.Context) (map[string]function.Resources, error) {
	snapshot, err := o.s.platform.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	c := o.s.catalog.Load()
	raised := map[string]function.Resources{}
	var sum function.Resources
	for _, f := range o.session.Problem().Functions {
		now := c.functions[f.Name].revision.Resources
		more := function.Resources{
			CPU:    max(now.CPU, function.MilliCPU(f.Space.CPU.SnapUp(2*int64(now.CPU)))),
			Memory: max(now.Memory, function.Bytes(f.Space.Memory.SnapUp(3*int64(now.Memory)/2))),
		}
		sum.CPU, sum.Memory = sum.CPU+more.CPU, sum.Memory+more.Memory
		if more != now {
			raised[f.Name] = more
		}
	}
	if sum.CPU > snapshot.Capacity.CPU || sum.Memory > snapshot.Capacity.Memory {
		return nil, nil
	}
	return raised, nil
}
