package server

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/aquatope/aquatope/control"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform"
	"github.com/aquatope/aquatope/server/api"
	"github.com/aquatope/aquatope/store"
)

// metered counts invocations on their way to the platform. Those of trials run on
// instances of their own: of users' runs they are demand all the same.
type metered struct {
	platform.Platform
	meter  *control.Meter
	routed func(revision string) bool
}

// Invoke implements engine.Invoker.
func (m metered) Invoke(ctx context.Context, req platform.Request) (*platform.Response, error) {
	switch {
	case !function.Demanded(req.Trial):
		return m.Platform.Invoke(ctx, req)
	case req.Trial != "" && !m.routed(req.Revision):
		m.meter.Elsewhere(req.Function, time.Now())
		return m.Platform.Invoke(ctx, req)
	}
	call := control.Call{Function: req.Function, Run: req.RunID, Workflow: req.Workflow, Stage: req.Stage}
	m.meter.Begin(call, time.Now())
	defer func() { m.meter.End(call, time.Now()) }()
	return m.Platform.Invoke(ctx, req)
}

// newPool makes the pool scheduler, which finds the rest of the server ready
// when it runs.
func (s *Server) newPool() *control.Pool {
	return control.NewPool(control.PoolConfig{
		Mode: s.config.Pool, Window: s.config.Window, World: world{s}, Meter: s.meter,
		Functions: s.revisions, History: s.arrivals, Journal: journal{s},
		Invocations: s.invocations, Workflows: s.flows, Runs: s.latestRuns,
		Count:  func(reason string) { s.metrics.decisions.WithLabelValues("pool", reason).Inc() },
		Logger: s.log,
	}, time.Now())
}

// world is the platform as the pool scheduler sees it: what is retired while it
// decides is no error.
type world struct{ *Server }

// Snapshot implements control.World.
func (w world) Snapshot(ctx context.Context) (platform.Snapshot, error) {
	return w.platform.Snapshot(ctx)
}

// Scale implements control.World.
func (w world) Scale(ctx context.Context, revision string, want platform.Scale) error {
	err := w.platform.Scale(ctx, revision, want)
	if err != nil && !w.routed(revision) {
		return nil
	}
	return err
}

// revisions are what is deployed.
func (s *Server) revisions() []function.Revision {
	functions := s.catalog.Load().functions
	list := make([]function.Revision, 0, len(functions))
	for _, name := range slices.Sorted(maps.Keys(functions)) {
		list = append(list, functions[name].revision)
	}
	return list
}

// scaleOf is what is kept warm of a revision when it is deployed: what is
// planned for its function, or what is declared.
func (s *Server) scaleOf(rev function.Revision) platform.Scale {
	scale := platform.Scale{Warm: rev.Function.Scale.Min, KeepAlive: control.ReactiveWindows * s.config.Window}
	if p, ok := s.pool.State(rev.Function.Name); ok && p.Mode == control.ModeApply {
		scale.Warm = max(scale.Warm, p.Target)
		if most := rev.Function.Scale.Max; most > 0 {
			scale.Warm = min(scale.Warm, most)
		}
	}
	return scale
}

// journal writes decisions to the store.
type journal struct{ *Server }

// Decide implements control.Journal.
func (j journal) Decide(ctx context.Context, ds ...control.Decision) error {
	out := make([]store.Decision, len(ds))
	for i, d := range ds {
		out[i] = store.Decision{
			Time: d.Time, Controller: d.Controller, Kind: d.Kind, Subject: d.Subject, Reason: d.Reason, Data: d.Data,
		}
	}
	return j.store.Decide(ctx, out...)
}

// poolOf is what the pool scheduler planned for a function, for status.
func (s *Server) poolOf(fn string) *api.Pool {
	p, ok := s.pool.State(fn)
	if !ok {
		return nil
	}
	out := &api.Pool{
		Mode: string(p.Mode), Planned: p.Planned, Window: s.config.Window, Target: p.Target, Part: p.Part, KeepAlive: p.KeepAlive,
		Floor: p.Floor, Reason: p.Reason, ColdStart: p.ColdStart, Service: p.Service,
	}
	ahead := s.ahead.get(fn)
	out.AheadUsed, out.AheadUnused = ahead.used, ahead.unused
	if p.Arrivals != nil {
		out.Forecast = &api.Forecast{
			Levels: control.Quantiles[:], Arrivals: p.Arrivals, Instances: p.Instances,
			Coverage: p.Coverage, Scored: p.Scored, Trust: string(p.Trust), Foreseen: p.Foreseen, Followed: p.Followed,
			Account: api.Account{
				Windows: p.Account.Windows, ColdStarts: p.Account.Cold, Idle: p.Account.Idle,
				KeepAliveColdStarts: p.Account.ColdFixed, KeepAliveIdle: p.Account.IdleFixed, Saved: p.Account.Saved,
			},
		}
	}
	return out
}
