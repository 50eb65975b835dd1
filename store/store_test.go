package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/aquatope/aquatope/engine"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/run"
	"github.com/aquatope/aquatope/store"
	"github.com/aquatope/aquatope/workflow"
)

var _ engine.Log = (*store.Store)(nil)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t testing.TB, path string, c store.Config) *store.Store {
	t.Helper()
	if path == "" {
		path = filepath.Join(t.TempDir(), "test.db")
	}
	s, err := store.Open(path, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// start is when the runs of these tests begin.
var start = time.Now().Add(-time.Hour).Truncate(time.Millisecond).Local()

// at returns a run that began i seconds after start and took 10 ms per i.
func at(i int, wf string) run.Run {
	begin := start.Add(time.Duration(i) * time.Second)
	return run.Run{
		ID: run.NewID(begin, func() uint64 { return uint64(i) }), Workflow: wf, Version: "1", Status: run.StatusCompleted,
		Start: begin, End: begin.Add(time.Duration(i) * 10 * time.Millisecond), TraceID: "t",
		QoS: workflow.QoS{Latency: time.Second, Percentile: 95}, InputBytes: 1, OutputBytes: 2,
		Stages: []run.Stage{{Path: "/do/0/a", Name: "a", Function: "f", Start: begin.Round(0), Execution: time.Duration(i) * time.Millisecond, Outcome: function.OutcomeOK, Cold: i%2 == 1, ColdStart: time.Second}},
	}
}

func TestRuns(t *testing.T) {
	s := open(t, "", store.Config{})
	var all []run.Run
	for i := range 25 {
		r := at(i, []string{"x", "y"}[i%2])
		if i == 7 {
			r.Status, r.Violated, r.Problem = run.StatusFaulted, true, &run.Problem{Type: run.TypeRuntime, Status: 507, Title: "Out of memory"}
		}
		if i == 9 {
			r.Workflow, r.Function, r.Trial = "", "f", "trial-1"
		}
		s.Record(r)
		all = append(all, r)
	}
	must(t, s.Flush(t.Context()))
	ids := func(f store.RunFilter) []int {
		t.Helper()
		var got []int
		for {
			rs, next, err := s.Runs(t.Context(), f)
			must(t, err)
			for _, r := range rs {
				got = append(got, slices.IndexFunc(all, func(o run.Run) bool { return o.ID == r.ID }))
				if r.Stages != nil {
					t.Error("a list holds stages")
				}
			}
			if f.Before = next; next == "" {
				return got
			}
			if len(rs) != f.Limit {
				t.Errorf("a page of %d runs, want %d", len(rs), f.Limit)
			}
		}
	}
	for _, tc := range []struct {
		name string
		f    store.RunFilter
		want []int
	}{
		{"by pages", store.RunFilter{Limit: 10}, []int{24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0}},
		{"a full last page", store.RunFilter{Limit: 5, Workflow: "y", Until: all[20].Start}, []int{19, 17, 15, 13, 11, 7, 5, 3, 1}},
		{"workflow", store.RunFilter{Workflow: "y", Since: all[18].Start}, []int{23, 21, 19}},
		{"function", store.RunFilter{Function: "f"}, []int{9}},
		{"trial", store.RunFilter{Trial: "trial-1"}, []int{9}},
		{"status", store.RunFilter{Status: run.StatusFaulted}, []int{7}},
		{"violated", store.RunFilter{Violated: true}, []int{7}},
		{"time", store.RunFilter{Since: all[3].Start, Until: all[5].Start}, []int{4, 3}},
		{"end", store.RunFilter{EndedAfter: all[3].End, EndedBy: all[5].End}, []int{5, 4}},
		{"time within a millisecond", store.RunFilter{Since: all[3].Start.Add(time.Nanosecond), Until: all[5].Start.Add(time.Nanosecond)}, []int{5, 4}},
		{"nothing", store.RunFilter{Workflow: "z"}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, ids(tc.f)); diff != "" {
				t.Error(diff)
			}
		})
	}
	got, err := s.Run(t.Context(), all[7].ID)
	must(t, err)
	if diff := cmp.Diff(all[7], got); diff != "" {
		t.Errorf("run (-want +got):\n%s", diff)
	}
	if _, err := s.Run(t.Context(), "nope"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("an unknown run: %v", err)
	}
}

func TestSummaries(t *testing.T) {
	s := open(t, "", store.Config{})
	for i := range 101 {
		r := at(i, "x")
		r.Violated = i > 95
		s.Record(r)
	}
	faulted := at(200, "x")
	faulted.Status, faulted.Violated = run.StatusFaulted, true
	faulted.Stages[0].Outcome = function.OutcomeOOM
	s.Record(faulted)
	must(t, s.Append(t.Context(), accepted("y-run", "")))
	must(t, s.Flush(t.Context()))
	sums, err := s.Summaries(t.Context(), store.RunFilter{}, true)
	must(t, err)
	if len(sums) != 2 || sums[1].Workflow != "y" || sums[1].Running != 1 || sums[1].Runs != 0 {
		t.Fatalf("summaries %+v", sums)
	}
	ms := time.Millisecond
	want := store.Summary{
		Workflow: "x", QoS: faulted.QoS, Runs: 102, Completed: 101, Faulted: 1, Violations: 6, ColdStarts: 50,
		Latency: store.Spread{Mean: 500 * ms, P50: 500 * ms, P95: 950 * ms, P99: 990 * ms, Max: 1000 * ms},
	}
	got := sums[0]
	stages := got.Stages
	got.Stages = nil
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("summary (-want +got):\n%s", diff)
	}
	if st := stages[0]; len(stages) != 1 || st.Invocations != 102 || st.Failures != 1 || st.ColdStarts != 50 ||
		st.ColdStart.P50 != time.Second || st.Execution.Max != 200*ms || st.Function != "f" {
		t.Errorf("stages %+v", stages)
	}
	sums, err = s.Summaries(t.Context(), store.RunFilter{Since: faulted.Start}, false)
	must(t, err)
	if len(sums) != 1 || sums[0].Runs != 1 || sums[0].Stages != nil || sums[0].Latency != (store.Spread{}) {
		t.Errorf("summaries %+v", sums)
	}
}

func observation(i int, fn string) function.Observation {
	return function.Observation{
		Time: start.Add(time.Duration(i) * time.Second), RunID: "r", Workflow: "w", Stage: "/do/0/a", Trial: "t", Attempt: 1,
		Function: fn, Revision: fn + "-1", Instance: "i", Resources: function.Resources{CPU: 500, Memory: function.MiB},
		Queue: 1, Cold: true, ColdStart: 2, Execution: 3, CPUTime: 4, PeakMem: 5, InputBytes: 6, OutputBytes: 7,
		Outcome: function.OutcomeOK, Status: 200, Message: "m",
	}
}

func TestObservations(t *testing.T) {
	s := open(t, "", store.Config{})
	const n = 2500 // more than two pages
	for i := range n {
		s.Observe(observation(i/2, "f")) // two at each time
		s.Observe(observation(i, "g"))
	}
	must(t, s.Flush(t.Context()))
	count := 0
	var last time.Time
	for o, err := range s.Observations(t.Context(), "f", time.Time{}, time.Time{}) {
		must(t, err)
		if o.Time.Before(last) {
			t.Fatal("not in order")
		}
		last = o.Time
		count++
	}
	if count != n {
		t.Errorf("%d observations, want %d", count, n)
	}
	var got []function.Observation
	for o, err := range s.Observations(t.Context(), "g", start.Add(3*time.Second), start.Add(5*time.Second)) {
		must(t, err)
		got = append(got, o)
	}
	if diff := cmp.Diff([]function.Observation{observation(3, "g"), observation(4, "g")}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for range s.Observations(t.Context(), "f", time.Time{}, time.Time{}) {
		break // leaves nothing open
	}
}

func TestArrivals(t *testing.T) {
	s := open(t, "", store.Config{})
	s.Observe(observation(2, "f")) // of a trial: not counted
	for _, i := range []int{0, 1, 1, 59, 60, 179, 180} {
		o := observation(i, "f")
		if o.Trial = ""; i == 60 {
			o.Trial = "t" + function.LiveTrial // a user's run
		}
		s.Observe(o)
		r := at(i, "w")
		r.ID += fmt.Sprint(i, s.Stats().QueuedRuns)
		s.Record(r)
	}
	must(t, s.Flush(t.Context()))
	want := []int{4, 1, 1}
	until := start.Add(3 * time.Minute)
	got, err := s.FunctionArrivals(t.Context(), "f", start, until, time.Minute)
	must(t, err)
	if !slices.Equal(got, want) {
		t.Errorf("function: %v, want %v", got, want)
	}
	starts, err := s.RunStarts(t.Context(), "w", start.Add(time.Second), 3)
	must(t, err)
	var seconds []float64
	for _, x := range starts {
		seconds = append(seconds, x.Sub(start).Seconds())
	}
	if want := []float64{60, 179, 180}; !slices.Equal(seconds, want) {
		t.Errorf("runs began at %v, want %v", seconds, want)
	}
	if starts, err = s.RunStarts(t.Context(), "w", until.Add(time.Minute), 3); err != nil || len(starts) != 0 {
		t.Errorf("in an empty range: %v, %v", starts, err)
	}
}

func TestColdStarts(t *testing.T) {
	s := open(t, "", store.Config{})
	for i, d := range []time.Duration{5, 0, 7, 9} {
		o := observation(i, "f")
		o.Cold, o.ColdStart, o.Resources.CPU = d > 0, d, function.MilliCPU(100*i)
		s.Observe(o)
	}
	must(t, s.Flush(t.Context()))
	if got, err := s.ColdStarts(t.Context(), "f", start, 2); err != nil || !slices.Equal(got, []store.ColdStart{{CPU: 300, Wait: 9}, {CPU: 200, Wait: 7}}) {
		t.Errorf("%v, %v", got, err)
	}
}

func accepted(id, key string) run.Event {
	return run.Event{
		Run: id, Seq: 1, Time: start, Kind: run.RunAccepted, ContentType: "application/json", Body: []byte(`{"n":1}`),
		Accepted: &run.Accepted{Definition: "d", Workflow: "y", IdempotencyKey: key, RequestDigest: "q"},
	}
}

func TestEvents(t *testing.T) {
	s := open(t, "", store.Config{})
	ctx := t.Context()
	must(t, s.SaveDefinition(ctx, "d", []byte("{}")))
	must(t, s.SaveDefinition(ctx, "d", []byte("{}")))
	if d, err := s.Definition(ctx, "d"); err != nil || string(d) != "{}" {
		t.Errorf("definition %q, %v", d, err)
	}
	first := accepted("one", "k")
	must(t, s.Append(ctx, first))
	must(t, s.Append(ctx, accepted("two", "")))
	noted := run.Event{Run: "one", Seq: 2, Time: start, Kind: run.TaskStarted, Task: "/do/0/a", At: "i1"}
	s.Note(noted)
	done := run.Event{
		Run: "one", Seq: 3, Time: start.Add(time.Second), Kind: run.TaskCompleted, Task: "/do/0/a", At: "i1",
		Stage: &run.Stage{Path: "/do/0/a", Outcome: "ok", Start: start.Round(0)}, ContentType: "image/png", Body: []byte{0, 255},
	}
	must(t, s.Append(ctx, done))
	got, err := s.Events(ctx, "one")
	must(t, err)
	if diff := cmp.Diff([]run.Event{first, noted, done}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	r, err := s.Run(ctx, "one")
	must(t, err)
	if r.Status != run.StatusRunning || len(r.Stages) != 1 {
		t.Errorf("run %+v", r)
	}
	var unfinished []string
	for evs, err := range s.Unfinished(ctx) {
		must(t, err)
		unfinished = append(unfinished, evs[0].Run)
	}
	if !slices.Equal(unfinished, []string{"one", "two"}) {
		t.Errorf("unfinished %v", unfinished)
	}
	id, a, ok, err := s.FindKey(ctx, "y", "k")
	if err != nil || !ok || id != "one" || a.RequestDigest != "q" {
		t.Errorf("found %q, %+v, %v, %v", id, a, ok, err)
	}
	if _, _, ok, err := s.FindKey(ctx, "z", "k"); ok || err != nil {
		t.Errorf("found a key of another workflow: %v", err)
	}
	if _, _, ok, err := s.Output(ctx, "one"); ok || err != nil {
		t.Errorf("a run under way has an output: %v", err)
	}
	r.Status, r.End, r.OutputBytes = run.StatusCompleted, start.Add(2*time.Second), 1
	must(t, s.Append(ctx, run.Event{Run: "one", Seq: 4, Time: r.End, Kind: run.RunEnded, Status: r.Status, Summary: &r, Body: []byte("5"), ContentType: "text/plain"}))
	if b, ct, ok, err := s.Output(ctx, "one"); string(b) != "5" || ct != "text/plain" || !ok || err != nil {
		t.Errorf("output %q, %q, %v, %v", b, ct, ok, err)
	}
	ended, err := s.Run(ctx, "one")
	must(t, err)
	if diff := cmp.Diff(r, ended); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestGroupCommit shows that concurrent appends share transactions, that one
// which cannot be written does not take the others with it, and that none is
// acknowledged without being there.
func TestGroupCommit(t *testing.T) {
	s := open(t, "", store.Config{})
	const n = 200
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			err := s.Append(context.Background(), accepted(fmt.Sprintf("run-%03d", i/2), "")) // every id twice
			if i%2 == 0 && err != nil && !strings.Contains(err.Error(), "UNIQUE") {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	rs, _, err := s.Runs(t.Context(), store.RunFilter{Limit: n})
	must(t, err)
	if len(rs) != n/2 {
		t.Errorf("%d runs, want %d", len(rs), n/2)
	}
	must(t, s.Append(t.Context(), accepted("another", "")))
	before := s.Stats().DurableCommits
	for i := range n {
		wg.Go(func() {
			if err := s.Append(context.Background(), accepted(fmt.Sprintf("more-%03d", i), "")); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := s.Stats().DurableCommits - before; got > n/2 {
		t.Errorf("%d commits for %d appends at the same time", got, n)
	}
}

func TestQueueIsBounded(t *testing.T) {
	s := open(t, "", store.Config{Queue: 10, FlushEvery: time.Hour})
	// The writer cannot keep up: it is busy with a reader's worth of work, or
	// not; either way every observation is written or counted as dropped.
	const n = 5000
	for i := range n {
		s.Observe(observation(i, "f"))
		s.Record(at(i, "w"))
	}
	must(t, s.Flush(t.Context()))
	st := s.Stats()
	if st.WrittenObservations+st.DroppedObservations != n || st.WrittenRuns+st.DroppedRuns != n || st.DroppedObservations == 0 {
		t.Errorf("stats %+v", st)
	}
}

func TestReopen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	s, err := store.Open(path, store.Config{FlushEvery: time.Hour})
	must(t, err)
	if _, err := store.Open(path, store.Config{}); err == nil || !strings.Contains(err.Error(), "another process has it open") {
		t.Errorf("opened twice: %v", err)
	}
	s.Observe(observation(1, "f"))
	s.Record(at(1, "x"))
	must(t, s.Deploy(t.Context(), store.Deployment{Kind: "workflow", Name: "x", Time: start, Document: []byte("a")}))
	must(t, s.Close())
	must(t, s.Close())
	if err := s.Append(t.Context(), accepted("late", "")); !errors.Is(err, store.ErrClosed) {
		t.Errorf("appended after the end: %v", err)
	}
	s.Observe(observation(2, "f")) // must not panic
	s = open(t, path, store.Config{})
	rs, _, err := s.Runs(t.Context(), store.RunFilter{})
	must(t, err)
	n := 0
	for range s.Observations(t.Context(), "f", time.Time{}, time.Time{}) {
		n++
	}
	ds, err := s.Deployments(t.Context())
	must(t, err)
	if len(rs) != 1 || n != 1 || len(ds) != 1 {
		t.Errorf("%d runs, %d observations, %d deployments after a restart", len(rs), n, len(ds))
	}
}

func TestDeploymentsDecisionsTrials(t *testing.T) {
	s := open(t, "", store.Config{})
	ctx := t.Context()
	d := func(kind, name, doc string) store.Deployment {
		return store.Deployment{Kind: kind, Name: name, Time: start, Document: []byte(doc)}
	}
	must(t, s.Deploy(ctx, d("workflow", "w", "1"), d("function", "g", "1"), d("function", "f", "1")))
	must(t, s.Deploy(ctx, d("function", "f", "2")))
	must(t, s.Undeploy(ctx, "function", "g"))
	must(t, s.Undeploy(ctx, "function", "nope"))
	got, err := s.Deployments(ctx)
	must(t, err)
	if diff := cmp.Diff([]store.Deployment{d("function", "f", "2"), d("workflow", "w", "1")}, got); diff != "" {
		t.Error(diff)
	}

	for i, c := range []string{"pool", "tuner", "pool"} {
		must(t, s.Decide(ctx, store.Decision{Time: start.Add(time.Duration(i)), Controller: c, Kind: "k", Subject: "f", Reason: "because", Data: []byte(`{"i":1}`)}))
	}
	ds, err := s.Decisions(ctx, store.DecisionFilter{Controller: "pool"})
	must(t, err)
	if len(ds) != 2 || ds[0].ID <= ds[1].ID || string(ds[0].Data) != `{"i":1}` {
		t.Errorf("decisions %+v", ds)
	}
	if ds, err = s.Decisions(ctx, store.DecisionFilter{Before: ds[0].ID, Limit: 1}); err != nil || len(ds) != 1 || ds[0].Controller != "tuner" {
		t.Errorf("decisions %+v, %v", ds, err)
	}

	trial := store.Trial{ID: "t1", Workflow: "w", Time: start, Status: "running", Data: []byte(`{}`)}
	must(t, s.SaveTrial(ctx, trial))
	trial.Status = "done"
	must(t, s.SaveTrial(ctx, trial))
	ts, err := s.Trials(ctx, "w", start)
	must(t, err)
	if diff := cmp.Diff([]store.Trial{trial}, ts); diff != "" {
		t.Error(diff)
	}
}

func TestSweep(t *testing.T) {
	s := open(t, "", store.Config{MaxAge: 24 * time.Hour, MaxRuns: 700, MaxObservations: 900})
	ctx := t.Context()
	for i := range 1500 {
		s.Observe(observation(i%100, "f"))
		s.Record(at(i, "x"))
	}
	old := at(0, "old")
	old.ID, old.Start = run.NewID(start.Add(-48*time.Hour), func() uint64 { return 1 }), start.Add(-48*time.Hour)
	s.Record(old)
	running := accepted(run.NewID(start.Add(-72*time.Hour), func() uint64 { return 2 }), "")
	must(t, s.Append(ctx, running))
	must(t, s.Decide(ctx, store.Decision{Time: start.Add(-48 * time.Hour)}, store.Decision{Time: start}))
	must(t, s.SaveTrial(ctx, store.Trial{ID: "t", Workflow: "w", Time: start.Add(-48 * time.Hour)}))
	must(t, s.Flush(ctx))
	must(t, s.Sweep(ctx))
	sums, err := s.Summaries(ctx, store.RunFilter{}, false)
	must(t, err)
	if len(sums) != 2 || sums[0].Runs != 700 || sums[1].Running != 1 {
		t.Errorf("kept %+v", sums)
	}
	n := 0
	for range s.Observations(ctx, "f", time.Time{}, time.Time{}) {
		n++
	}
	ds, err := s.Decisions(ctx, store.DecisionFilter{})
	must(t, err)
	ts, err := s.Trials(ctx, "w", time.Time{})
	must(t, err)
	if n != 900 || len(ds) != 1 || len(ts) != 0 {
		t.Errorf("kept %d observations, %d decisions, %d trials", n, len(ds), len(ts))
	}
	if evs, err := s.Events(ctx, running.Run); err != nil || len(evs) != 1 {
		t.Errorf("the log of a run under way: %v, %v", evs, err)
	}
}

// TestReadersDoNotBlock has readers stream while the writer writes.
func TestReadersDoNotBlock(t *testing.T) {
	s := open(t, "", store.Config{FlushEvery: time.Millisecond})
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				for _, err := range s.Observations(context.Background(), "f", time.Time{}, time.Time{}) {
					if err != nil {
						t.Error(err)
					}
				}
				if _, err := s.Summaries(context.Background(), store.RunFilter{}, true); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range 400 {
		s.Observe(observation(i, "f"))
		s.Record(at(i, "x"))
		if i%20 == 0 {
			must(t, s.Append(t.Context(), accepted(fmt.Sprint(i), "")))
		}
	}
	must(t, s.Flush(t.Context()))
	close(stop)
	wg.Wait()
	if st := s.Stats(); st.WrittenObservations != 400 || st.Failures != 0 {
		t.Errorf("stats %+v", st)
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	raw := func(name string, statements ...string) string {
		path := filepath.Join(dir, name)
		db, err := sql.Open("sqlite", path)
		must(t, err)
		defer db.Close()
		for _, q := range statements {
			_, err := db.Exec(q)
			must(t, err)
		}
		return path
	}
	garbage := filepath.Join(dir, "garbage.db")
	must(t, os.WriteFile(garbage, []byte(strings.Repeat("not a database at all ", 100)), 0o600))
	for _, tc := range []struct{ name, path, want string }{
		{"newer", raw("newer.db", "pragma application_id = 1634825569", "create table x (y)", "pragma user_version = 99"), "use a newer aquatope"},
		{"another program's", raw("other.db", "create table x (y)"), "another program's tables"},
		{"garbage", garbage, "not a database"},
		{"no folder", filepath.Join(dir, "nope", "x.db"), "no such file or directory"},
		{"a folder", dir, "cannot be opened"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, err := store.Open(tc.path, store.Config{})
			if err == nil {
				_ = s.Close()
			}
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

// TestDiskFull limits the size of the database, so that writing fails as it
// does on a full disk: requests get a clear error, the rest waits.
func TestDiskFull(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	s := open(t, path, store.Config{FlushEvery: time.Hour})
	must(t, s.SetMaxPages(60))
	big := accepted("big", "")
	big.Body = make([]byte, 1<<20)
	if err := s.Append(t.Context(), big); err == nil || !strings.Contains(err.Error(), "the disk is full") {
		t.Errorf("got %v", err)
	}
	if err := s.Ping(t.Context()); err == nil {
		t.Error("Ping does not tell")
	}
	must(t, s.SetMaxPages(1<<30))
	must(t, s.Append(t.Context(), big))
	must(t, s.Ping(t.Context()))
}
