package server

import (
	"testing"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform"
	"github.com/aquatope/aquatope/run"
	"github.com/aquatope/aquatope/workflow"
)

func TestIdleMeter(t *testing.T) {
	t.Parallel()
	price := function.Price{IdlePerVCPUSec: 2, IdlePerGiBSecond: 1}
	m := newIdleMeter(price)
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	half := function.Resources{CPU: 500, Memory: function.GiB}
	for i := 1; i <= 4; i++ {
		m.add(platform.Snapshot{
			Time: start.Add(time.Duration(i) * time.Second),
			Revisions: []platform.RevisionState{
				{Function: "idle", Resources: half, Idle: 3},
				{Function: "busy", Resources: half, Busy: 3},
			},
		}, time.Second)
	}
	// Three instances at 0.5 * 2 + 1 * 1 a second each, for what came after the second mark.
	got := m.since(start.Add(2500 * time.Millisecond))
	if len(got) != 1 || got[0].Function != "idle" || got[0].Idle != 6*time.Second || got[0].Cost != 12 {
		t.Errorf("since the middle: %+v", got)
	}
	if got := m.since(start); len(got) != 1 || got[0].Idle != 12*time.Second {
		t.Errorf("since the start: %+v", got)
	}
}

func TestRecents(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	qos := workflow.QoS{Latency: time.Second, Percentile: 90}
	r := newRecents()
	add := func(ago, latency time.Duration, status run.Status) {
		end := now.Add(-ago)
		r.add(&run.Run{
			Workflow: "w", Status: status, Start: end.Add(-latency), End: end,
			Violated: status == run.StatusFaulted || latency > qos.Latency,
		})
	}
	add(time.Hour, time.Minute, run.StatusCompleted) // too long ago
	add(time.Minute, time.Minute, run.StatusCancelled)
	if got := r.of("w", qos, now); got.Runs != 0 || got.QoSMet != nil {
		t.Errorf("without runs that count: %+v", got)
	}
	for range 9 {
		add(time.Minute, 100*time.Millisecond, run.StatusCompleted)
	}
	add(time.Minute, 2*time.Second, run.StatusCompleted)
	if got := r.of("w", qos, now); got.Runs != 10 || got.Violations != 1 || !*got.QoSMet || got.P50 != 100*time.Millisecond {
		t.Errorf("one violation of ten: %+v", got)
	}
	add(time.Minute, time.Millisecond, run.StatusFaulted)
	if got := r.of("w", qos, now); got.Failed != 1 || got.Violations != 2 || *got.QoSMet {
		t.Errorf("two violations of eleven: %+v", got)
	}
	// The ring keeps the newest.
	for range recentLimit {
		add(time.Second, 10*time.Millisecond, run.StatusCompleted)
	}
	if got := r.of("w", qos, now); got.Runs != recentLimit || got.Violations != 0 {
		t.Errorf("after many good runs: %+v", got)
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	names := map[string]int{"resize": 1, "classify": 1}
	for typed, want := range map[string]string{
		"reside": "did you mean resize?", "class": "did you mean classify?", "x": "there are classify, resize",
	} {
		if got := nearest(names, typed); got != want {
			t.Errorf("%s: %q, want %q", typed, got, want)
		}
	}
	if d := distance("kitten", "sitting"); d != 3 {
		t.Errorf("distance %d, want 3", d)
	}
}

// HTTP says whose fault it was, whatever the workflow saw.
func TestHTTPStatus(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		p    run.Problem
		want int
	}{
		{run.Problem{Type: run.TypeTimeout, Status: 408, Instance: "/do/0/a"}, 504},
		{run.Problem{Type: run.TypeCommunication, Status: 404, Instance: "/do/0/a"}, 502},
		{run.Problem{Type: run.TypeCommunication, Status: 503, Instance: "/do/0/a"}, 503},
		{run.Problem{Type: run.TypeRuntime, Status: 507, Instance: "/do/0/a"}, 502},
		{run.Problem{Type: run.TypeRuntime, Status: 499}, 499},
		{run.Problem{Type: run.TypeValidation, Status: 413}, 413},
		{run.Problem{Type: run.TypeExpression, Status: 400, Instance: "/do/0/a"}, 500},
		{run.Problem{Type: "https://example.com/refused", Status: 409, Instance: "/do/0/a"}, 409},
		{run.Problem{Type: "https://example.com/odd", Status: 42, Instance: "/do/0/a"}, 500},
	} {
		if got := httpStatus(&c.p); got != c.want {
			t.Errorf("%+v: %d, want %d", c.p, got, c.want)
		}
	}
}
