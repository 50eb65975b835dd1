package engine_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/aquatope/aquatope/engine"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform"
	"github.com/aquatope/aquatope/store"
	"github.com/aquatope/aquatope/workflow"
)

// noop answers with its input, at once.
type noop struct{}

func (noop) Invoke(_ context.Context, req platform.Request) (*platform.Response, error) {
	return &platform.Response{Status: 200, Body: req.Body, Observation: function.Observation{Outcome: function.OutcomeOK}}, nil
}

// BenchmarkRun is what the engine itself adds to a synchronous run.
func BenchmarkRun(b *testing.B) {
	transformed := with(call("a", "f"), func(t *workflow.Task) {
		t.Call.With = map[string]any{"x": "${ .a }"}
		t.Output = ".x"
	})
	for _, bc := range []struct {
		name string
		wf   workflow.Workflow
	}{
		{"one-stage", flowOf(call("a", "f"))},
		{"five-stages", flowOf(call("a", "f"), call("b", "f"), call("c", "f"), call("d", "f"), call("e", "f"))},
		{"fork-of-four", flowOf(forkOf("f", call("a", "f"), call("b", "f"), call("c", "f"), call("d", "f")))},
		{"two-expressions", flowOf(transformed)},
	} {
		b.Run(bc.name, func(b *testing.B) {
			e := engine.New(engine.Config{Invoker: noop{}})
			p := compile(b, bc.wf)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := e.Run(context.Background(), p, body(`{"a":1}`)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkInvoke is what the engine adds to the call of a function.
func BenchmarkInvoke(b *testing.B) {
	e := engine.New(engine.Config{Invoker: noop{}})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := e.Invoke(context.Background(), "f", body(`{"a":1}`)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRunRecorded adds the observation and the summary in the store.
func BenchmarkRunRecorded(b *testing.B) {
	s := openStore(b)
	e := engine.New(engine.Config{Invoker: noop{}, Record: s.Record})
	p := compile(b, flowOf(call("a", "f")))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := e.Run(context.Background(), p, body(`{"a":1}`)); err != nil {
			b.Fatal(err)
		}
		s.Observe(function.Observation{Function: "f", Outcome: function.OutcomeOK})
	}
	if err := s.Flush(context.Background()); err != nil {
		b.Fatal(err)
	}
	st := s.Stats()
	b.ReportMetric(float64(st.DroppedRuns)/float64(st.DroppedRuns+st.WrittenRuns), "dropped/op")
}

// BenchmarkAccept is an asynchronous one-stage run from acceptance to its end,
// 64 at a time: four events in three durable appends.
func BenchmarkAccept(b *testing.B) {
	s := openStore(b)
	e := engine.New(engine.Config{Invoker: noop{}, Log: s})
	p := compile(b, flowOf(call("a", "f")))
	b.SetParallelism(32)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := e.Start(context.Background(), p, body(`{"a":1}`)); err != nil {
				b.Error(err)
			}
		}
	})
	if err := e.Close(context.Background()); err != nil {
		b.Fatal(err)
	}
}

func openStore(b *testing.B) *store.Store {
	b.Helper()
	s, err := store.Open(filepath.Join(b.TempDir(), "bench.db"), store.Config{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	return s
}
