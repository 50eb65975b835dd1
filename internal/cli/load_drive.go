package cli

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aquatope/aquatope/load"
	"github.com/aquatope/aquatope/server/api"
	"github.com/aquatope/aquatope/server/client"
)

// drive sends the plan's schedule and returns what came back. Runs that were
// under way when the user interrupted are not counted: nobody knows how they
// would have ended.
func drive(ctx context.Context, env *Env, c *client.Client, plan loadPlan) loadResult {
	var (
		mu      sync.Mutex // guards what follows, which progress reads
		samples = make([][]load.Sample, len(plan.targets))
		ended   int
		failed  int
		start   = time.Now()
	)
	env.Notef("sending %s for %s to %s", plan.what, humanDuration(plan.duration), c.Address())
	progress := env.Progress("load", int64(plan.duration))
	stop := make(chan struct{})
	var reporter sync.WaitGroup
	reporter.Go(func() {
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
			}
			mu.Lock()
			note := fmt.Sprintf("%d runs ended, %d failed", ended, failed)
			mu.Unlock()
			progress.Set(min(int64(time.Since(start)), int64(plan.duration)), note)
		}
	})
	load.Run(ctx, plan.schedule, func(ctx context.Context, a load.Arrival) load.Answer {
		t := plan.targets[a.Target]
		r, err := c.InvokeWorkflow(ctx, t.name, t.input)
		return answer(r, err)
	}, func(s load.Sample) {
		if ctx.Err() != nil && s.Error != "" {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		samples[s.Target] = append(samples[s.Target], s)
		ended++
		if s.Error != "" {
			failed++
		}
	}, load.Options{})
	close(stop)
	reporter.Wait()
	progress.Done("")
	return newLoadResult(plan, start, time.Since(start), samples)
}

func answer(r client.Result, err error) load.Answer {
	if err == nil {
		return load.Answer{RunID: r.RunID, Status: 200}
	}
	var p *api.Problem
	if errors.As(err, &p) {
		return load.Answer{RunID: p.RunID, Status: p.Status, Error: p.Error()}
	}
	return load.Answer{Error: err.Error()}
}
