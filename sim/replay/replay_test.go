package replay_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/pool"
	"github.com/aquatope/aquatope/pool/baseline"
	"github.com/aquatope/aquatope/run"
	"github.com/aquatope/aquatope/sim/replay"
	"github.com/aquatope/aquatope/workflow"
)

var (
	epoch = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	small = function.Resources{CPU: 500, Memory: 512 * function.MiB}
)

// world makes a record by running chains under a keep-alive, written as plainly
// as possible and with nothing in common with the simulator.
type world struct {
	keep time.Duration
	cold []time.Duration // of each function
	free [][]freeSince   // idle instances of each function
	next int
	// apart has no run begin before the last has ended: then it makes no difference
	// that here each invocation waits for the instance that is started for it.
	apart bool
}

type freeSince struct {
	name string
	at   time.Time
}

// visit is an invocation that is due.
type visit struct {
	run   *run.Run
	stage int
	at    time.Time
}

const (
	hop      = 3 * time.Millisecond   // between stages
	overhead = 700 * time.Microsecond // of an invocation
)

func (w *world) record(r *rand.Rand, runs int, every time.Duration) *replay.History {
	h := &replay.History{Revisions: map[string]function.Resources{}}
	w.free = make([][]freeSince, len(w.cold))
	for i := range w.cold {
		name := fmt.Sprintf("f%d", i)
		h.Functions = append(h.Functions, replay.Function{Name: name, Resources: small})
		h.Revisions[name+"-1"] = small
	}
	var due []visit
	all := make([]*run.Run, runs)
	at := epoch
	for i := range all {
		at = at.Add(time.Duration(r.ExpFloat64() * float64(every)))
		if w.apart && i > 0 {
			for _, cold := range w.cold {
				at = at.Add(cold + 200*time.Millisecond) // more than a stage takes
			}
		}
		all[i] = &run.Run{
			ID: fmt.Sprint(i), Workflow: "w", Status: run.StatusCompleted, Start: at,
			QoS: workflow.QoS{Latency: 400 * time.Millisecond, Percentile: 95},
		}
		due = append(due, visit{all[i], 0, at.Add(hop)})
	}
	for len(due) > 0 {
		slices.SortStableFunc(due, func(a, b visit) int { return a.at.Compare(b.at) })
		v := due[0]
		due = due[1:]
		service := time.Duration(20+r.IntN(100)) * time.Millisecond
		s := w.invoke(v, service)
		v.run.Stages = append(v.run.Stages, s)
		end := s.Start.Add(s.Duration)
		if v.stage+1 < len(w.cold) {
			due = append(due, visit{v.run, v.stage + 1, end.Add(hop)})
			continue
		}
		v.run.End = end.Add(hop)
		v.run.Violated = v.run.Latency() > v.run.QoS.Latency
	}
	for _, x := range all {
		h.Runs = append(h.Runs, *x)
	}
	return h
}

func (w *world) invoke(v visit, service time.Duration) run.Stage {
	f := v.stage
	s := run.Stage{
		Path: fmt.Sprintf("/do/%d/s%d", f, f), Function: fmt.Sprintf("f%d", f), Revision: fmt.Sprintf("f%d-1", f),
		Start: v.at, Execution: service, Outcome: function.OutcomeOK,
	}
	live := slices.DeleteFunc(w.free[f], func(x freeSince) bool { return !x.at.After(v.at) && v.at.Sub(x.at) >= w.keep })
	// Of those that are free by now, the one used last.
	best := -1
	for i, x := range live {
		if !x.at.After(v.at) && (best < 0 || x.at.After(live[best].at)) {
			best = i
		}
	}
	if best < 0 {
		s.Cold, s.ColdStart = true, w.cold[f]
		s.Instance = fmt.Sprintf("i%d", w.next)
		w.next++
	} else {
		s.Instance = live[best].name
		live = slices.Delete(live, best, best+1)
	}
	w.free[f] = append(live, freeSince{s.Instance, v.at.Add(s.ColdStart + service)})
	s.Duration = s.ColdStart + service + overhead
	return s
}

func live(t testing.TB, h *replay.History, p pool.Policy) *replay.Result {
	t.Helper()
	return within(t, h, replay.Config{Policy: p})
}

func within(t testing.TB, h *replay.History, c replay.Config) *replay.Result {
	t.Helper()
	price, err := function.LookupPrice("cloud-run")
	if err != nil {
		t.Fatal(err)
	}
	last := h.Runs[len(h.Runs)-1]
	c.Window, c.From, c.Until, c.Patience, c.Price = time.Minute, epoch, last.End.Add(time.Minute), 30*time.Second, price
	got, err := replay.Run(context.Background(), h, c)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func recorded(t testing.TB, h *replay.History) *replay.Result {
	t.Helper()
	price, err := function.LookupPrice("cloud-run")
	if err != nil {
		t.Fatal(err)
	}
	return replay.Recorded(h, epoch, h.Runs[len(h.Runs)-1].End.Add(time.Minute), price)
}

// TestSamePolicy: what was recorded under a policy happens again under it, run
// for run.
func TestSamePolicy(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := world{keep: time.Duration(rapid.IntRange(1, 300).Draw(rt, "keep")) * time.Second, apart: true}
		for range rapid.IntRange(1, 4).Draw(rt, "stages") {
			w.cold = append(w.cold, time.Duration(rapid.IntRange(1, 2000).Draw(rt, "cold"))*time.Millisecond)
		}
		every := time.Duration(rapid.IntRange(1, 100).Draw(rt, "gap")) * time.Second
		h := w.record(rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0)), 100, every)
		was, is := recorded(t, h), live(t, h, baseline.KeepAlive{Timeout: w.keep})
		a, b := was.Total, is.Total
		if a.Runs != 100 || a.Runs != b.Runs || a.Invocations != b.Invocations || a.ColdStarts != b.ColdStarts || a.Violations != b.Violations {
			rt.Fatalf("recorded %+v, replayed %+v", a, b)
		}
		for _, d := range []time.Duration{a.P50 - b.P50, a.P95 - b.P95, a.P99 - b.P99} {
			if d.Abs() > time.Microsecond {
				rt.Fatalf("latencies differ by %v: recorded %+v, replayed %+v", d, a, b)
			}
		}
		if d := a.BusyCost - b.BusyCost; d > 1e-9*a.BusyCost || d < -1e-9*a.BusyCost {
			rt.Fatalf("serving cost %v, replayed %v", a.BusyCost, b.BusyCost)
		}
	})
}

// TestWaitersShare: who finds every instance busy is served by whichever is free or
// ready first, as on the platform that was recorded, not by the one that is started
// for it.
func TestWaitersShare(t *testing.T) {
	const cold, service = 2 * time.Second, time.Second
	h := &replay.History{
		Functions: []replay.Function{{Name: "f", Resources: small}}, Revisions: map[string]function.Resources{"f-1": small},
	}
	// The first starts an instance, which is ready after 2 s. The second finds it at
	// work until 3 s; another would be ready at 4.5 s.
	for i, after := range []time.Duration{0, 2500 * time.Millisecond} {
		start := epoch.Add(after)
		s := run.Stage{Path: "/do/0/s", Function: "f", Revision: "f-1", Instance: "i0", Start: start, Execution: service, Outcome: function.OutcomeOK}
		if i == 0 {
			s.Cold, s.ColdStart, s.Duration = true, cold, cold+service
		} else {
			s.Queue, s.Duration = 500*time.Millisecond, 500*time.Millisecond+service
		}
		h.Runs = append(h.Runs, run.Run{
			ID: fmt.Sprint(i), Workflow: "w", Status: run.StatusCompleted, Start: start, End: start.Add(s.Duration), Stages: []run.Stage{s},
		})
	}
	was, is := recorded(t, h).Total, live(t, h, baseline.KeepAlive{Timeout: time.Minute}).Total
	if is.ColdStarts != 1 || is.P50 != was.P50 || is.P99 != was.P99 {
		t.Errorf("recorded %+v, replayed %+v", was, is)
	}
}

// TestOtherPolicy: more patience with idle instances means fewer cold starts,
// faster runs and more idle time, and one that never ends only the first.
func TestOtherPolicy(t *testing.T) {
	t.Parallel()
	w := world{keep: time.Minute, cold: []time.Duration{time.Second, 300 * time.Millisecond, 2 * time.Second}}
	h := w.record(rand.New(rand.NewPCG(7, 7)), 400, 50*time.Second)
	var last *replay.Result
	for _, keep := range []time.Duration{time.Second, 10 * time.Second, time.Minute, 10 * time.Minute, 1000 * time.Hour} {
		got := live(t, h, baseline.KeepAlive{Timeout: keep})
		if last != nil && (got.Total.ColdStarts > last.Total.ColdStarts || got.Total.Violations > last.Total.Violations || got.Idle.Cost <= last.Idle.Cost) {
			t.Errorf("with a keep-alive of %v %d cold starts, %d violations and idle time for %v, with the one before %d, %d and %v", keep,
				got.Total.ColdStarts, got.Total.Violations, got.Idle.Cost, last.Total.ColdStarts, last.Total.Violations, last.Idle.Cost)
		}
		last = got
		if most := 1200; keep == time.Second && got.Total.ColdStarts < most/2 {
			t.Errorf("%d cold starts of %d invocations with hardly any keep-alive", got.Total.ColdStarts, most)
		}
	}
	if n := last.Total.ColdStarts; n < 3 || n > 9 {
		t.Errorf("%d cold starts of three functions that never go", n)
	}
	if again := live(t, h, baseline.KeepAlive{Timeout: 1000 * time.Hour}); cmp.Compare(again.Total.P99, last.Total.P99) != 0 {
		t.Error("the same replay gives something else")
	}
}

// TestFork: a run goes on when the slower branch has ended, and a cold start on
// the faster one delays it only by what exceeds the other.
func TestFork(t *testing.T) {
	t.Parallel()
	at := func(ms int) time.Time { return epoch.Add(time.Duration(ms) * time.Millisecond) }
	stage := func(path, fn string, from, to, cold int) run.Stage {
		d := time.Duration(to-from) * time.Millisecond
		c := time.Duration(cold) * time.Millisecond
		return run.Stage{
			Path: path, Function: fn, Revision: fn + "-1", Start: at(from), Duration: d, Cold: cold > 0, ColdStart: c,
			Execution: d - c, Outcome: function.OutcomeOK,
		}
	}
	h := &replay.History{Runs: []run.Run{
		{ // everything is cold: 100 ms each
			ID: "1", Workflow: "w", Status: run.StatusCompleted, Start: at(0), End: at(460), Stages: []run.Stage{
				stage("/do/0/a", "a", 0, 150, 100),
				stage("/do/1/x/fork/branches/0/b", "b", 150, 350, 100),
				stage("/do/1/x/fork/branches/1/c/do/0/d", "c", 150, 270, 100),
				stage("/do/1/x/fork/branches/1/c/do/1/e", "e", 280, 300, 0),
				stage("/do/2/z", "z", 355, 455, 50),
			},
		},
		{ // only b is cold; e, which began after b had ended, did not wait for it
			ID: "2", Workflow: "w", Status: run.StatusCompleted, Start: at(5000), End: at(5300), Stages: []run.Stage{
				stage("/do/0/a", "a", 5000, 5050, 0),
				stage("/do/1/x/fork/branches/0/b", "b", 5050, 5150, 80),
				stage("/do/1/x/fork/branches/1/c/do/0/d", "c", 5050, 5070, 0),
				stage("/do/1/x/fork/branches/1/c/do/1/e", "e", 5160, 5180, 0),
				stage("/do/2/z", "z", 5185, 5295, 0),
			},
		},
	}}
	for _, f := range []string{"a", "b", "c", "e", "z"} {
		h.Functions = append(h.Functions, replay.Function{Name: f, Resources: small})
	}
	warm := within(t, h, replay.Config{Policy: baseline.KeepAlive{Timeout: time.Hour}, InstantStarts: true})
	// Of the first run a is 100 faster, b too; z begins 5 after b: 455-100-100-50+5.
	// The second ends as before, since e takes as long, and z waits for it.
	if got, want := warm.Total.P50, (210+300)*time.Millisecond/2; got != want {
		t.Errorf("median %v, want %v", got, want)
	}
	none := live(t, h, baseline.KeepAlive{Timeout: time.Millisecond})
	if none.Total.ColdStarts != 10 {
		t.Errorf("%d cold starts of 10 invocations", none.Total.ColdStarts)
	}
}

// TestSharedFunction: two workflows call the same function, whose instances serve
// both, and whose cold starts count where they are waited for.
func TestSharedFunction(t *testing.T) {
	t.Parallel()
	at := func(ms int) time.Time { return epoch.Add(time.Duration(ms) * time.Millisecond) }
	stage := func(n int, fn string, from, to, cold int) run.Stage {
		d, c := time.Duration(to-from)*time.Millisecond, time.Duration(cold)*time.Millisecond
		return run.Stage{
			Path: fmt.Sprintf("/do/%d/%s", n, fn), Function: fn, Revision: fn + "-1", Instance: fmt.Sprint(fn, from), Start: at(from),
			Duration: d, Cold: cold > 0, ColdStart: c, Execution: d - c, Outcome: function.OutcomeOK,
		}
	}
	h := &replay.History{Runs: []run.Run{
		{ID: "1", Workflow: "first", Status: run.StatusCompleted, Start: at(0), End: at(300), Stages: []run.Stage{
			stage(0, "a", 0, 150, 100), stage(1, "both", 150, 300, 100),
		}},
		{ID: "2", Workflow: "second", Status: run.StatusCompleted, Start: at(5000), End: at(5200), Stages: []run.Stage{
			stage(0, "c", 5000, 5150, 100), stage(1, "both", 5150, 5200, 0),
		}},
	}}
	for _, f := range []string{"a", "both", "c"} {
		h.Functions = append(h.Functions, replay.Function{Name: f, Resources: small})
	}
	for _, c := range []struct {
		keep         time.Duration
		first, cold  int // cold starts of each workflow
		secondMillis int
	}{{time.Hour, 2, 1, 200}, {time.Second, 2, 2, 300}} {
		got := live(t, h, baseline.KeepAlive{Timeout: c.keep})
		if len(got.Each) != 2 || got.Each[0].Workflow != "first" || got.Each[0].ColdStarts != c.first || got.Each[1].ColdStarts != c.cold {
			t.Fatalf("with a keep-alive of %v: %+v", c.keep, got.Each)
		}
		if d := got.Each[1].P50 - time.Duration(c.secondMillis)*time.Millisecond; d.Abs() > time.Microsecond {
			t.Errorf("with a keep-alive of %v the second takes %v, want %d ms", c.keep, got.Each[1].P50, c.secondMillis)
		}
	}
}
