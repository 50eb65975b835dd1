package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aquatope/aquatope/control"
	"github.com/aquatope/aquatope/engine"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform"
	"github.com/aquatope/aquatope/platform/local"
	"github.com/aquatope/aquatope/run"
	"github.com/aquatope/aquatope/server/api"
	"github.com/aquatope/aquatope/store"
)

// Server runs workflows on this machine. Make one with Open.
type Server struct {
	config   Config
	log      *slog.Logger
	started  time.Time
	store    *store.Store
	platform *local.Platform
	engine   *engine.Engine
	metrics  *metrics
	recents  *recents
	starts   startErrors
	running  counts
	idle     *idleMeter
	ahead    *startedAhead
	trials   trialInvoker
	tunings  tunings
	meter    *control.Meter
	pool     *control.Pool
	joint    *joints
	profiles jobs[api.Profiling]
	online   sync.Map // *onlineTuning under way or watching, by workflow
	warnings struct {
		mu   sync.Mutex
		list []string
	}
	handler http.Handler

	deploying sync.Mutex // serialises changes of the catalog
	catalog   atomic.Pointer[catalog]
	closing   atomic.Bool

	loops      sync.WaitGroup
	background context.Context // of loops
	stopLoops  context.CancelFunc
}

// Open starts a server on its data folder: it ends what an earlier process
// left running there, deploys again what was deployed, and takes up the
// asynchronous runs that had not ended. Close it.
func Open(ctx context.Context, c Config) (*Server, error) {
	c = c.withDefaults()
	if c.DataDir == "" {
		return nil, errors.New("opening the server: no data folder is set")
	}
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("opening the server: %w", err)
	}
	s := &Server{config: c, log: c.Logger, started: time.Now(), recents: newRecents()}
	s.catalog.Store(&catalog{functions: map[string]deployedFunction{}, workflows: map[string]deployedWorkflow{}})
	s.metrics = newMetrics(c.Price)
	s.idle = newIdleMeter(c.Price)
	s.ahead = newStartedAhead(s.startedAhead)
	s.meter = control.NewMeter()
	s.pool = s.newPool()
	s.joint = newJoints()

	var err error
	// The platform comes first: it holds the lock on the data folder.
	s.platform, err = local.New(local.Config{
		DataDir:       filepath.Join(c.DataDir, "platform"),
		Driver:        c.Driver,
		Capacity:      c.Capacity,
		KeepAlive:     control.ReactiveWindows * c.Window,
		QueueDeadline: c.QueueDeadline,
		Observer:      s.observed,
		StartObserver: s.instanceStarted,
		Logger:        c.Logger,
	})
	if err != nil {
		return nil, fmt.Errorf("opening the server: %w", err)
	}
	s.store, err = store.Open(filepath.Join(c.DataDir, "aquatope.db"), store.Config{Logger: c.Logger})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the server: %w", err), s.platform.Close(ctx))
	}
	s.trials.next = metered{s.platform, s.meter, s.routed}
	s.engine = engine.New(engine.Config{
		Invoker: &s.trials,
		Log:     s.store,
		Record:  s.runEnded,
		MaxBody: c.MaxBody,
		Logger:  c.Logger,
	})
	s.metrics.registry.MustRegister(newInstances(s.platform), newForesight(s))
	s.metrics.dropped(func() int64 { return s.store.Stats().DroppedObservations })
	if err := s.restore(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the server: %w", err), s.Close(ctx))
	}
	s.handler = s.routes()
	loops, stop := context.WithCancel(context.Background())
	s.background, s.stopLoops = loops, stop
	s.loops.Go(func() { s.pool.Run(loops) })
	if c.Pool != control.ModeOff {
		s.loops.Go(func() { s.learnLoop(loops) })
		s.loops.Go(func() { s.jointLoop(loops) })
	}
	s.loops.Go(func() { s.idleLoop(loops) })
	return s, nil
}

// Handler serves everything that the server offers over HTTP.
func (s *Server) Handler() http.Handler { return s.handler }

// Enforced says which limits take effect on this machine.
func (s *Server) Enforced() local.Enforced { return s.platform.Enforced() }

// Close accepts no new runs, waits for synchronous ones until ctx is done,
// leaves asynchronous ones on the log for the next start, and stops all
// instances. It returns when nothing is left of the server.
func (s *Server) Close(ctx context.Context) error {
	if s.closing.Swap(true) {
		return nil
	}
	if s.stopLoops != nil {
		s.stopLoops()
		s.loops.Wait()
	}
	return errors.Join(s.engine.Close(ctx), s.platform.Close(ctx), s.store.Close())
}

// observed gets every invocation. It must not block.
func (s *Server) observed(o function.Observation) {
	s.metrics.invocation(&o)
	s.ahead.observed(o)
	s.pool.Observed(o)
	s.store.Observe(o)
}

// instanceStarted gets every start of an instance. It must not block.
func (s *Server) instanceStarted(x platform.Start) {
	s.metrics.instanceStart(&x)
	s.ahead.started(x)
	s.pool.Started(x)
	s.starts.note(x.Function, x.Error)
}

// startedAhead gets every start of an instance that turned out to have been made
// ahead of any invocation.
func (s *Server) startedAhead(x platform.Start, used bool) {
	s.metrics.cost.WithLabelValues("idle").Add(s.idle.start(x))
	s.metrics.ahead.WithLabelValues(x.Function, strconv.FormatBool(used)).Inc()
}

// runEnded gets every run that ended. It must not block. A run that was only made
// to measure keeps and breaks no promise.
func (s *Server) runEnded(r run.Run) {
	if !s.trials.measuring(r.Trial) {
		s.metrics.runEnded(&r)
		s.recents.add(&r)
	}
	s.meter.RunOver(r.ID, time.Now())
	s.store.Record(r)
	if r.Async {
		s.running.of(r.Workflow).Add(-1)
	}
}

// startErrors remembers why the last start of each function did not succeed.
type startErrors struct {
	mu   sync.Mutex
	last map[string]string
}

func (e *startErrors) note(fn, problem string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if problem == "" {
		delete(e.last, fn)
		return
	}
	if e.last == nil {
		e.last = map[string]string{}
	}
	e.last[fn] = problem
}

func (e *startErrors) of(fn string) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.last[fn]
}
