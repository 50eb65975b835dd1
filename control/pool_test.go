package control_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/aquatope/aquatope/control"
	"github.com/aquatope/aquatope/forecast"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform"
)

const window = time.Minute

var start = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

// scripted is a world that keeps what is wanted of it, a catalog and a journal.
type scripted struct {
	revisions []function.Revision
	scales    map[string]platform.Scale
	calls     int
	busy      map[string]int
	idle      map[string]int
	journal   []control.Decision
	counts    map[string]int
}

func newScripted(names ...string) *scripted {
	w := &scripted{scales: map[string]platform.Scale{}, busy: map[string]int{}, idle: map[string]int{}, counts: map[string]int{}}
	for _, n := range names {
		w.revisions = append(w.revisions, revision(n, function.ScaleBounds{}))
	}
	return w
}

func revision(name string, scale function.ScaleBounds) function.Revision {
	r := function.Resources{CPU: 100, Memory: 128 << 20}
	return function.Revision{
		Name: name + "-1", Resources: r,
		Function: function.Function{Name: name, Concurrency: 1, Scale: scale, Resources: r},
	}
}

func (w *scripted) Snapshot(context.Context) (platform.Snapshot, error) {
	s := platform.Snapshot{Capacity: function.Resources{CPU: 2000, Memory: 2 << 30}}
	for _, r := range w.revisions {
		s.Revisions = append(s.Revisions, platform.RevisionState{
			Revision: r.Name, Function: r.Function.Name, Scale: w.scales[r.Name],
			Busy: w.busy[r.Function.Name], Idle: w.idle[r.Function.Name],
		})
	}
	return s, nil
}

func (w *scripted) Scale(_ context.Context, revision string, s platform.Scale) error {
	w.scales[revision] = s
	w.calls++
	return nil
}

func (w *scripted) Decide(_ context.Context, ds ...control.Decision) error {
	w.journal = append(w.journal, ds...)
	return nil
}

func (w *scripted) config(mode control.Mode, m forecast.Model) control.PoolConfig {
	return control.PoolConfig{
		Mode: mode, Window: window, World: w, Meter: control.NewMeter(), Model: m, Journal: w,
		Functions: func() []function.Revision { return w.revisions },
		Count:     func(reason string) { w.counts[reason]++ },
	}
}

// certain is a model that expects the same number of arrivals in every window.
type certain float64

func (certain) Name() string { return "certain" }

func (c certain) New() forecast.Forecaster { return c }

func (c certain) Forecast(histories []*forecast.History, h int) [][]forecast.Distribution {
	out := make([][]forecast.Distribution, len(histories))
	for i := range out {
		for range h {
			out[i] = append(out[i], forecast.NewEmpirical([]float64{float64(c)}))
		}
	}
	return out
}

// play steps through n windows, in each of which fn is invoked that often.
func play(t *testing.T, p *control.Pool, m *control.Meter, fn string, n, arrivals int) {
	t.Helper()
	for range n {
		for i := range arrivals {
			at := p.Due().Add(-time.Duration(i+1) * time.Millisecond)
			m.Begin(call(fn), at)
			m.End(call(fn), at)
		}
		react(t, p, m)
		if err := p.Step(t.Context(), p.Due()); err != nil {
			t.Fatal(err)
		}
	}
}

// call is an invocation that belongs to no run.
func call(fn string) control.Call { return control.Call{Function: fn} }

// react tells the pool what the meter has seen.
func react(t interface {
	Helper()
	Fatal(...any)
}, p *control.Pool, m *control.Meter,
) {
	t.Helper()
	var events []control.Event
	for len(m.Events()) > 0 {
		events = append(events, <-m.Events())
	}
	if err := p.React(context.Background(), events); err != nil {
		t.Fatal(err)
	}
}

func TestModes(t *testing.T) {
	reactive := platform.Scale{KeepAlive: control.ReactiveWindows * window}
	for mode, want := range map[control.Mode]platform.Scale{
		control.ModeOff:       reactive,
		control.ModeRecommend: reactive,
		control.ModeApply:     {Warm: 1},
	} {
		w := newScripted("f")
		c := w.config(mode, certain(3))
		p := control.NewPool(c, start)
		play(t, p, c.Meter, "f", 30, 3)
		if got := w.scales["f-1"]; got != want {
			t.Errorf("%s: the world was told %+v, want %+v", mode, got, want)
		}
		s, _ := p.State("f")
		if decided := mode != control.ModeOff; decided != (s.Target == 1 && s.Reason == "forecast" && len(w.journal) > 0) {
			t.Errorf("%s: state %+v, %d entries in the journal", mode, s, len(w.journal))
		}
		// Unless something changes nothing is said. Where the policy acts it lets
		// the instance go after the last call of a window, for the next plan to
		// have it again.
		calls, entries := w.calls, len(w.journal)
		play(t, p, c.Meter, "f", 10, 3)
		if mode != control.ModeApply && w.calls != calls || len(w.journal) != entries {
			t.Errorf("%s: %d more calls and %d more entries without a change", mode, w.calls-calls, len(w.journal)-entries)
		}
	}
}

// wrong is a model that breaks its contract from the second window on.
type wrong struct{ asked int }

func (*wrong) Name() string { return "wrong" }

func (w *wrong) New() forecast.Forecaster { return w }

func (w *wrong) Forecast(histories []*forecast.History, h int) [][]forecast.Distribution {
	if w.asked++; w.asked > 1 {
		panic("wrong")
	}
	return certain(1).Forecast(histories, h)
}

// A decision that panics takes down neither the loop nor the declared floor.
func TestPanic(t *testing.T) {
	w := newScripted("f", "g")
	w.revisions[0].Function.Scale.Min = 2
	c := w.config(control.ModeApply, &wrong{})
	p := control.NewPool(c, start)
	play(t, p, c.Meter, "f", 5, 1)
	want := platform.Scale{Warm: 2, KeepAlive: control.ReactiveWindows * window}
	if got := w.scales["f-1"]; got != want {
		t.Errorf("the world was told %+v, want %+v", got, want)
	}
	if s, _ := p.State("g"); s.Reason != "broken" {
		t.Errorf("state %+v", s)
	}
}

// Until forecasts are proven, and when they turn out wrong, idle instances are
// kept for a fixed time, and everybody can see why.
func TestTrust(t *testing.T) {
	w := newScripted("f")
	c := w.config(control.ModeApply, certain(40))
	p := control.NewPool(c, start)
	reactive := platform.Scale{KeepAlive: control.ReactiveWindows * window}
	check := func(when string, trust control.Trust, want platform.Scale) {
		t.Helper()
		s, _ := p.State("f")
		if s.Trust != trust || w.scales["f-1"] != want {
			t.Errorf("%s: trust %q with coverage %.2f and %+v, want %q and %+v", when, s.Trust, s.Coverage, w.scales["f-1"], trust, want)
		}
	}
	play(t, p, c.Meter, "f", 10, 40)
	check("after 10 windows", control.TrustUnproven, reactive)
	play(t, p, c.Meter, "f", 20, 40)
	check("right", control.TrustFull, platform.Scale{Warm: 1})
	for range 100 {
		if s, _ := p.State("f"); s.Trust != control.TrustFull {
			break
		}
		play(t, p, c.Meter, "f", 1, 50)
	}
	check("at first wrong", control.TrustWidened, w.scales["f-1"])
	play(t, p, c.Meter, "f", 100, 50)
	check("always wrong", control.TrustNone, reactive)
	play(t, p, c.Meter, "f", 400, 40)
	check("right again", control.TrustFull, platform.Scale{Warm: 1})
	var told []string
	for _, d := range w.journal {
		if !json.Valid(d.Data) || d.Controller != "pool" || d.Subject != "f" || d.Reason == "" {
			t.Errorf("odd entry: %+v", d)
		}
		if d.Kind == "calibration" {
			told = append(told, strings.Fields(d.Reason)[2])
		}
	}
	if got := strings.Join(told, " "); got != "used: widened: not widened: used:" {
		t.Errorf("the journal tells of %q", got)
	}
	if w.counts["miscalibrated"] == 0 || w.counts["unproven"] == 0 {
		t.Errorf("counted %v", w.counts)
	}
}

// What is declared holds in every mode, with forecast and without.
func TestFloors(t *testing.T) {
	for _, mode := range []control.Mode{control.ModeOff, control.ModeRecommend, control.ModeApply} {
		w := newScripted()
		w.revisions = []function.Revision{revision("f", function.ScaleBounds{Min: 2, Max: 5, Schedule: []function.WarmSchedule{
			{Start: "0 9 * * *", End: "0 10 * * *", TimeZone: "UTC", Instances: 4},
			{Start: "30 9 * * *", End: "40 9 * * *", TimeZone: "UTC", Instances: 50},
		}})}
		c := w.config(mode, certain(0))
		p := control.NewPool(c, start)
		for _, at := range []struct {
			minute, want int
		}{{30, 2}, {70, 4}, {95, 5}, {110, 4}, {125, 2}} {
			for p.Due().Before(start.Add(time.Duration(at.minute) * time.Minute)) {
				play(t, p, c.Meter, "f", 1, 0)
			}
			if got := w.scales["f-1"].Warm; got != at.want {
				t.Errorf("%s, minute %d: %d warm, want %d", mode, at.minute, got, at.want)
			}
		}
	}
}

// An instance that falls idle for the last time in a window is let go, not
// before its forecast is trusted, and never below the floor.
func TestRelease(t *testing.T) {
	for _, floor := range []int{0, 1} {
		w := newScripted()
		w.revisions = []function.Revision{revision("f", function.ScaleBounds{Min: floor})}
		c := w.config(control.ModeApply, certain(2))
		p := control.NewPool(c, start)
		play(t, p, c.Meter, "f", 30, 2)
		w.idle["f"] = 1
		begin := p.Due().Add(-20 * time.Second) // within the window
		var events []control.Event
		for i := range 2 {
			at := begin.Add(time.Duration(i) * time.Second)
			events = append(events, control.Event{Call: call("f"), At: at, AtWork: 1}, control.Event{Call: call("f"), At: at, Kind: control.CallEnded})
		}
		events = append(events, control.Event{Call: call("unknown"), At: begin})
		if err := p.React(t.Context(), events); err != nil {
			t.Fatal(err)
		}
		if got := w.scales["f-1"]; got != (platform.Scale{Warm: floor}) {
			t.Errorf("floor %d: %+v", floor, got)
		}
		if w.counts["release"] == 0 {
			t.Error("a release is not counted")
		}
		// A third arrival was held impossible: then the instance stays.
		at := begin.Add(5 * time.Second)
		if err := p.React(t.Context(), []control.Event{{Call: call("f"), At: at, AtWork: 1}, {Call: call("f"), At: at, Kind: control.CallEnded}}); err != nil {
			t.Fatal(err)
		}
		if got := w.scales["f-1"]; got.KeepAlive < p.Due().Sub(at) {
			t.Errorf("floor %d, surprised: %+v", floor, got)
		}
	}
}

// Functions come and go; what is known of those that stay is kept.
func TestDeployments(t *testing.T) {
	w := newScripted("a", "b")
	c := w.config(control.ModeApply, certain(1))
	c.History = func(_ context.Context, fn string, before int64) (*forecast.History, error) {
		if fn == "broken" {
			return nil, fmt.Errorf("no such table")
		}
		h := forecast.NewHistory(fn, "", before-100)
		h.Advance(before)
		return h, nil
	}
	p := control.NewPool(c, start)
	play(t, p, c.Meter, "b", 40, 1)
	w.revisions = []function.Revision{revision("b", function.ScaleBounds{}), revision("broken", function.ScaleBounds{})}
	play(t, p, c.Meter, "b", 1, 1)
	if s, ok := p.State("b"); !ok || s.Trust != control.TrustFull || s.Scored < 40 {
		t.Errorf("b forgot: %+v", s)
	}
	if s, ok := p.State("broken"); !ok || s.Trust != control.TrustUnproven {
		t.Errorf("broken: %+v", s)
	}
	if _, ok := p.State("a"); ok {
		t.Error("a is gone")
	}
}

// Whatever the clock and the world do: no panic, caps hold, forecasts are finite.
func TestAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newScripted()
		bounds := map[string]function.ScaleBounds{}
		for i := range rapid.IntRange(0, 3).Draw(t, "functions") {
			name := fmt.Sprintf("f%d", i)
			most := rapid.IntRange(0, 4).Draw(t, "max")
			least := rapid.IntRange(0, 2).Draw(t, "min")
			bounds[name+"-1"] = function.ScaleBounds{Min: least, Max: most}
			w.revisions = append(w.revisions, revision(name, bounds[name+"-1"]))
		}
		all := w.revisions
		c := w.config(rapid.SampledFrom([]control.Mode{control.ModeOff, control.ModeRecommend, control.ModeApply}).Draw(t, "mode"),
			certain(rapid.SampledFrom([]float64{0, 1, 100, 1e9}).Draw(t, "expected")))
		now := start
		p := control.NewPool(c, now)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.SampledFrom([]int64{
				0, int64(time.Millisecond), int64(time.Second), int64(window), int64(window), int64(window), int64(-time.Hour), int64(48 * time.Hour), -1 << 62,
			}).Draw(t, "passes")))
			w.revisions = all[:rapid.IntRange(0, len(all)).Draw(t, "deployed")]
			fn := rapid.SampledFrom([]string{"f0", "f1", "f2"}).Draw(t, "of")
			for range rapid.IntRange(0, 5).Draw(t, "arrivals") {
				c.Meter.Begin(call(fn), now)
				c.Meter.End(call(fn), now.Add(time.Second))
			}
			var events []control.Event
			for len(c.Meter.Events()) > 0 {
				events = append(events, <-c.Meter.Events())
			}
			if err := p.React(context.Background(), events); err != nil {
				t.Fatal(err)
			}
			if err := p.Step(context.Background(), now); err != nil {
				t.Fatal(err)
			}
			var memory function.Bytes
			for name, s := range w.scales {
				b := bounds[name]
				if b.Max > 0 && s.Warm > b.Max || s.Warm < 0 || s.KeepAlive < 0 {
					t.Fatalf("%s with bounds %+v: %+v", name, b, s)
				}
				if s.Warm > b.Min {
					memory += function.Bytes(s.Warm) * (128 << 20)
				}
			}
			if memory > 2<<30 {
				t.Fatalf("%v are to be kept warm on a machine of 2Gi", memory)
			}
			for _, r := range w.revisions {
				if s, ok := p.State(r.Function.Name); !ok || s.Coverage < 0 || s.Coverage > 1 {
					t.Fatalf("state of %s: %+v", r.Function.Name, s)
				}
			}
		}
	})
}

// The loop plans every window shortly before it begins, and ends with its context.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newScripted("f")
		c := w.config(control.ModeApply, certain(1))
		c.Count = func(reason string) { w.counts[reason]++ }
		p := control.NewPool(c, time.Now())
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { p.Run(ctx); close(done) }()
		for range 40 {
			time.Sleep(window)
			now := time.Now()
			c.Meter.Begin(call("f"), now)
			c.Meter.End(call("f"), now.Add(time.Millisecond))
		}
		synctest.Wait()
		if s, _ := p.State("f"); s.Trust != control.TrustFull || s.Planned.Before(time.Now()) {
			t.Errorf("at %s: %+v", time.Now(), s)
		}
		cancel()
		<-done
		if n := w.counts["forecast"] + w.counts["unproven"]; n < 40 || n > 42 {
			t.Errorf("%d plans in 40 windows", n)
		}
	})
}
