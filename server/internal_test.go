package server

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/aquatope/aquatope/control"
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

// What is older than the meter remembers is left out, and only changes are kept.
func TestIdleMeterForgets(t *testing.T) {
	t.Parallel()
	m := newIdleMeter(function.Price{IdlePerVCPUSec: 1})
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	one := function.Resources{CPU: 1000}
	m.start(platform.Start{Function: "once", Resources: one, Ready: time.Second})
	const hours = 5
	for i := 1; i <= hours*60; i++ {
		m.add(platform.Snapshot{
			Time:      start.Add(time.Duration(i) * time.Minute),
			Revisions: []platform.RevisionState{{Function: "always", Resources: one, Idle: 1}, {Function: "never", Resources: one}},
		}, time.Minute)
	}
	for ago, want := range map[time.Duration]time.Duration{time.Hour: time.Hour, idleHistory: idleHistory, 4 * time.Hour: idleHistory} {
		got := m.since(start.Add(hours*time.Hour - ago))
		if len(got) != 1 || got[0].Function != "always" || got[0].Idle < want || got[0].Idle > want+time.Minute {
			t.Errorf("since %s ago: %+v, want %s of one function", ago, got, want)
		}
	}
	if n := len(m.past["always"]); n > 60*int(idleHistory.Hours())+2 {
		t.Errorf("%d moments of a function are kept", n)
	}
	if n := len(m.past["once"]); n > 2 {
		t.Errorf("%d moments of a function that was idle once are kept", n)
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

func TestParseIdle(t *testing.T) {
	const text = "cpu  100 0 50 7000 300 0 5 2 0 0\ncpu0 50 0 25 3500 150 0 2 1 0 0\ncpu1 50 0 25 3500 150 0 3 1 0 0\nintr 12 0\n"
	if idle, cpus := parseIdle(text); idle != 73*time.Second || cpus != 2 {
		t.Errorf("%s idle on %d CPUs", idle, cpus)
	}
	for _, bad := range []string{"", "cpu", "cpu a b c d e\ncpu0 1 2 3 4 5", "garbage\n"} {
		if _, cpus := parseIdle(bad); cpus != 0 {
			t.Errorf("%q: %d CPUs", bad, cpus)
		}
	}
}

func TestOthers(t *testing.T) {
	start := time.Now()
	read := func(ms, idle, self, cpus int) cpuReading {
		d := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
		return cpuReading{start.Add(d(ms)), d(idle), d(self), cpus}
	}
	for name, c := range map[string]struct {
		from, to  cpuReading
		instances time.Duration
		want      float64
		ok        bool
	}{
		"one of two CPUs":              {read(0, 0, 0, 2), read(1000, 480, 100, 2), 400 * time.Millisecond, 1, true},
		"nobody else":                  {read(0, 0, 0, 2), read(1000, 1500, 100, 2), 400 * time.Millisecond, 0, true},
		"less than can be told":        {read(0, 0, 0, 2), read(100, 185, 0, 2), 0, 0, true},
		"the kernel does not tell":     {read(0, 0, 0, 0), read(1000, 0, 0, 0), 0, 0, false},
		"a CPU went":                   {read(0, 0, 0, 2), read(1000, 0, 0, 1), 0, 0, false},
		"no time":                      {read(0, 0, 0, 2), read(0, 0, 0, 2), 0, 0, false},
		"more measured than was there": {read(0, 0, 0, 2), read(1000, 1900, 0, 2), time.Second, 0, true},
	} {
		if got, ok := c.from.others(c.to, c.instances); ok != c.ok || math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%s: %v, %v", name, got, ok)
		}
	}
}

// answers is a platform that answers everything.
type answers struct{ platform.Platform }

func (answers) Invoke(context.Context, platform.Request) (*platform.Response, error) {
	return &platform.Response{}, nil
}

// Users' runs are demand also where they try other resources; runs that are made
// to measure are none.
func TestTrialsAreDemand(t *testing.T) {
	t.Parallel()
	meter := control.NewMeter()
	m := metered{answers{}, meter, func(revision string) bool { return revision == "f-1" }}
	for _, req := range []platform.Request{
		{Trial: "w-1", Revision: "f-2"}, // made to measure
		{Trial: "w-2" + function.LiveTrial, Revision: "f-2"},
		{Trial: "w-3" + function.LiveTrial, Revision: "f-1"}, // this function is not tried otherwise
		{},
	} {
		req.Function = "f"
		if _, err := m.Invoke(t.Context(), req); err != nil {
			t.Fatal(err)
		}
	}
	if u := meter.Take(time.Now())["f"]; u.Arrivals != 3 || u.Peak != 1 || u.AtWork != 0 {
		t.Errorf("%+v", u)
	}
	if n := len(meter.Events()); n != 4 {
		t.Errorf("%d events of instances that serve, want the begin and end of two invocations", n)
	}
}

// A live run counts as one with a declared input if it has its body, however that
// is laid out.
func TestInputOfLiveRun(t *testing.T) {
	t.Parallel()
	o := &onlineTuning{plan: &tuningPlan{bodies: [][]byte{[]byte(`{"a": 1, "b": [2]}`), []byte(`{"a": 2}`)}}}
	for body, want := range map[string]int{`{"a":1,"b":[2]}`: 0, "{ \"a\": 2\n}": 1, `{"a":3}`: -1, ``: -1, `{`: -1} {
		if got := o.input([]byte(body)); got != want {
			t.Errorf("body %q is input %d, want %d", body, got, want)
		}
	}
}

// A live run that is cut off gives its trial back, but not one that the search gave
// up for another meanwhile.
func TestTrialsComeBack(t *testing.T) {
	t.Parallel()
	var o onlineTuning
	first, second := &readyTrial{}, &readyTrial{}
	o.put(first)
	o.ready = nil // a live run took it
	o.putBack(first)
	if o.ready != first {
		t.Error("the trial of a run that was cut off is lost")
	}
	o.ready = nil
	o.giveUp()
	o.putBack(first)
	if o.ready != nil {
		t.Error("a trial that was given up is tried")
	}
	o.put(second)
	o.putBack(first)
	if o.ready != second {
		t.Error("a trial that was given up is in the place of the next one")
	}
}
