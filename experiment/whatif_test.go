package experiment_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aquatope/aquatope/experiment"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/run"
	"github.com/aquatope/aquatope/store"
	"github.com/aquatope/aquatope/workflow"
)

var recordBegin = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// coldAtTheEnd is a run whose second stage may be cold.
func coldAtTheEnd(at time.Time, cold time.Duration) run.Run {
	n := at.UnixNano()
	stage := func(i int, begin time.Time, cold time.Duration) run.Stage {
		f := fmt.Sprintf("f%d", i)
		return run.Stage{
			Path: fmt.Sprintf("/do/%d/%s", i, f), Function: f, Revision: f + "-1", Instance: fmt.Sprint(f, n), Start: begin,
			Cold: cold > 0, ColdStart: cold, Execution: 100 * time.Millisecond, Duration: cold + 100*time.Millisecond, Outcome: function.OutcomeOK,
		}
	}
	first := stage(0, at, 0)
	second := stage(1, at.Add(first.Duration), cold)
	end := second.Start.Add(second.Duration)
	return run.Run{
		ID: run.NewID(at, func() uint64 { return uint64(n) }), Workflow: "w", Status: run.StatusCompleted, Start: at, End: end,
		QoS: workflow.QoS{Latency: 500 * time.Millisecond, Percentile: 95}, Violated: end.Sub(at) > 500*time.Millisecond,
		Stages: []run.Stage{first, second},
	}
}

// recorded writes runs every 30 s and what a server keeps beside them, and reads
// it back.
func recorded(t *testing.T, runs int, mode string) *experiment.Record {
	t.Helper()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "aquatope.db")
	s, err := store.Open(path, store.Config{MaxAge: 100 * 365 * 24 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	for i := range runs {
		r := coldAtTheEnd(recordBegin.Add(time.Duration(i)*30*time.Second), time.Second)
		s.Record(r)
		for _, x := range r.Stages {
			s.Observe(function.Observation{
				Time: x.Start, Function: x.Function, Revision: x.Revision, RunID: r.ID, Workflow: "w",
				Resources: function.Resources{CPU: 500, Memory: 128 * function.MiB}, Execution: x.Execution, Outcome: x.Outcome,
			})
		}
	}
	trial := coldAtTheEnd(recordBegin, time.Minute)
	trial.Trial, trial.ID = "t", run.NewID(recordBegin, func() uint64 { return 7 })
	s.Record(trial)
	data, err := json.Marshal(map[string]any{"mode": mode, "windowNanos": 30 * time.Second})
	if err == nil && mode != "" {
		err = s.Decide(ctx, store.Decision{Time: recordBegin, Controller: "pool", Kind: "target", Subject: "f0", Data: data})
	}
	if err = errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	reader, err := store.OpenReader(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	r, err := experiment.ReadRecord(ctx, reader, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestReadRecord(t *testing.T) {
	t.Parallel()
	for mode, want := range map[string]string{"": "keepalive=10m", "recommend": "keepalive=5m", "apply": "aquatope"} {
		r := recorded(t, 3, mode)
		if r.InForce.String() != want || r.Journal != (mode != "") {
			t.Errorf("in mode %q %s was in force, want %s", mode, r.InForce, want)
		}
		if len(r.Runs) != 3 || len(r.Functions) != 2 || r.Functions[1].Name != "f1" || r.Functions[1].Resources.CPU != 500 {
			t.Errorf("%d runs of %+v", len(r.Runs), r.Functions)
		}
		if !strings.Contains(strings.Join(r.Notes, " "), "1 runs of trials") {
			t.Errorf("notes %q", r.Notes)
		}
	}
}

// TestWhatIf: the second stage was always cold, with an instance that was kept
// it is so once; the oracle is never.
func TestWhatIf(t *testing.T) {
	t.Parallel()
	price, err := function.LookupPrice("paper")
	if err != nil {
		t.Fatal(err)
	}
	r := recorded(t, 120, "recommend")
	c := experiment.WhatIfConfig{
		Since: recordBegin.Add(time.Hour / 2), Price: price, Seed: 1,
		Policies: []experiment.PolicyChoice{choice(t, "keepalive=1s"), choice(t, "oracle"), choice(t, "keepalive=5m"), choice(t, "aquatope")},
	}
	got, err := experiment.WhatIf(context.Background(), r, c)
	if err != nil {
		t.Fatal(err)
	}
	if x := got.Recorded.Total; x.Runs != 60 || x.Violations != 60 || x.ColdStarts != 60 || x.P50 != 1200*time.Millisecond {
		t.Errorf("recorded %+v", x)
	}
	if len(got.Replays) != 4 || !got.Replays[0].InForce || got.Replays[0].Policy != "keepalive=5m" {
		t.Fatalf("replays %+v, want what was in force and three others", got.Replays)
	}
	for i, want := range []struct{ cold, violations int }{{0, 0}, {120, 60}, {0, 0}} {
		if x := got.Replays[i].Total; x.Runs != 60 || x.ColdStarts != want.cold || x.Violations != want.violations {
			t.Errorf("%s: %d cold starts and %d violations of %d runs, want %+v", got.Replays[i].Policy, x.ColdStarts, x.Violations, x.Runs, want)
		}
	}
	if kept, known := got.Replays[0].Idle, got.Replays[2].Idle; !(known.InstanceSeconds < kept.InstanceSeconds/4) {
		t.Errorf("idle for %g s with the future known, %g s with a keep-alive", known.InstanceSeconds, kept.InstanceSeconds)
	}
	// What was in force kept nothing, the replay of a keep-alive does: the error says so.
	if got.Error.ColdStarts != -1 || got.Error.Violations != -1 {
		t.Errorf("the simulator's error %+v", got.Error)
	}
	c.Since = recordBegin.Add(24 * time.Hour)
	if _, err := experiment.WhatIf(context.Background(), r, c); !errors.Is(err, experiment.ErrNoRuns) {
		t.Errorf("of a time without runs: %v", err)
	}
}
