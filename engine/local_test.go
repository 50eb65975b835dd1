package engine_test

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aquatope/aquatope/engine"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform"
	"github.com/aquatope/aquatope/platform/local"
	"github.com/aquatope/aquatope/platform/platformtest"
	"github.com/aquatope/aquatope/run"
	"github.com/aquatope/aquatope/store"
	"github.com/aquatope/aquatope/workflow"
)

// patience is how long to wait for what has to happen, on however slow a machine.
const patience = 3 * time.Minute

// world is an engine on the local platform with a store.
type world struct {
	engine   *engine.Engine
	store    *store.Store
	observed atomic.Int64
}

func onThisMachine(t *testing.T) *world {
	t.Helper()
	w := &world{}
	dir := t.TempDir()
	var err error
	if w.store, err = store.Open(filepath.Join(dir, "test.db"), store.Config{}); err != nil {
		t.Fatal(err)
	}
	p, err := local.New(local.Config{
		DataDir: filepath.Join(dir, "platform"), Capacity: function.Resources{CPU: 2000, Memory: function.GiB}, QueueDeadline: patience,
		Observer: func(o function.Observation) {
			w.observed.Add(1)
			w.store.Observe(o)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	bin := platformtest.Build(t)
	for _, name := range []string{"split", "work", "join"} {
		rev := function.NewRevision(function.Function{Name: name, Command: []string{bin}, Concurrency: 1, Timeout: patience, StartTimeout: patience},
			function.Resources{CPU: 250, Memory: 48 * function.MiB})
		if err := p.Deploy(t.Context(), rev); err != nil {
			t.Fatal(err)
		}
		if err := p.Route(t.Context(), name, []platform.Traffic{{Revision: rev.Name, Percent: 100}}); err != nil {
			t.Fatal(err)
		}
	}
	w.engine = engine.New(engine.Config{Invoker: p, Log: w.store, Record: w.store.Record})
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		for _, err := range []error{w.engine.Close(ctx), p.Close(ctx), w.store.Close()} {
			if err != nil {
				t.Error(err)
			}
		}
	})
	return w
}

// fanOut is a split, three workers at the same time, and a join.
func fanOut() workflow.Workflow {
	worker := func(name string) workflow.Task {
		return with(call(name, "work"), func(t *workflow.Task) { t.Call.With = map[string]any{"burnMs": 1} })
	}
	return flowOf(
		call("split", "split"),
		forkOf("work", worker("a"), worker("b"), worker("c")),
		with(call("join", "join"), func(t *workflow.Task) { t.Call.With = map[string]any{"echo": true, "parts": "${ length }"} }),
	)
}

// TestThisMachine runs workflows on real processes.
func TestThisMachine(t *testing.T) {
	w := onThisMachine(t)
	t.Run("fan-out", func(t *testing.T) { testFanOut(t, w) })
	t.Run("out of memory", func(t *testing.T) { testOutOfMemory(t, w) })
}

// testFanOut runs the fan-out, half of the runs synchronously. With
// AQUATOPE_LONG_TESTS set it is 2,000 runs, 50 at a time.
func testFanOut(t *testing.T, w *world) {
	total, concurrency := int64(60), 10
	if os.Getenv("AQUATOPE_LONG_TESTS") != "" {
		total, concurrency = 2000, 50
	}
	p := compile(t, fanOut())
	var next atomic.Int64
	var wg sync.WaitGroup
	begin := time.Now()
	for range concurrency {
		wg.Go(func() {
			for i := next.Add(1); i <= total; i = next.Add(1) {
				if i%2 == 0 {
					res, err := w.engine.Run(t.Context(), p, body(`{"echo":true}`))
					if err != nil || res.Status != run.StatusCompleted || len(res.Stages) != 5 {
						t.Errorf("run %d: %+v, %v", i, res, err)
					}
					continue
				}
				a, err := w.engine.Start(t.Context(), p, body(`{"echo":true}`))
				if err != nil {
					t.Errorf("run %d: %v", i, err)
					continue
				}
				_, _ = w.engine.Wait(t.Context(), a.ID) // it may have ended already; the store says how
			}
		})
	}
	wg.Wait()
	took := time.Since(begin)
	if err := w.store.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	sums, err := w.store.Summaries(t.Context(), store.RunFilter{}, true)
	if err != nil {
		t.Fatal(err)
	}
	if len(sums) != 1 || int64(sums[0].Completed) != total || sums[0].Running != 0 {
		t.Fatalf("not all of %d runs completed: %+v", total, sums)
	}
	if got := w.observed.Load(); got != 5*total {
		t.Errorf("%d invocations were observed as %d", 5*total, got)
	}
	if st := w.store.Stats(); st.WrittenObservations != 5*total || st.DroppedObservations+st.DroppedRuns != 0 {
		t.Errorf("store: %+v", st)
	}
	t.Logf("%d runs in %v, p50 %v, p99 %v, %d cold starts", total, took, sums[0].Latency.P50, sums[0].Latency.P99, sums[0].ColdStarts)
}

// testOutOfMemory shows that a stage over its memory limit fails with that
// reason, which a workflow can catch, and that the next invocation works.
func testOutOfMemory(t *testing.T, w *world) {
	hungry := with(call("hungry", "work"), func(t *workflow.Task) { t.Call.With = map[string]any{"allocMB": 200} })
	res, err := w.engine.Run(t.Context(), compile(t, flowOf(hungry)), body(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	if res.Status == run.StatusCompleted {
		t.Skip("memory limits are not enforced here")
	}
	if res.Problem.Type != run.TypeRuntime || res.Problem.Status != 507 {
		t.Errorf("failed with %v", res.Problem)
	}
	caught := tryOf("t", workflow.Catch{
		Match: workflow.ErrorFilter{Type: run.TypeRuntime, Status: 507},
		Do:    []workflow.Task{with(call("small", "work"), func(t *workflow.Task) { t.Call.With = map[string]any{"echo": true, "why": "${ $error.title }"} })},
	}, hungry)
	res, err = w.engine.Run(t.Context(), compile(t, flowOf(caught)), body(`{}`))
	if err != nil || res.Status != run.StatusCompleted {
		t.Errorf("ended with %v, %v", res.Problem, err)
	}
}
