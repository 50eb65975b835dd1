package flow_test

import (
	"math"
	"testing"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/pool"
	"github.com/aquatope/aquatope/pool/baseline"
	"github.com/aquatope/aquatope/sim/fleet"
	"github.com/aquatope/aquatope/sim/flow"
	"github.com/aquatope/aquatope/workflow"
)

// starts are equally likely ones whatever the resources.
func starts(seconds ...float64) func(function.Resources) []float64 {
	return func(function.Resources) []float64 { return seconds }
}

// constant is a function that serves for a second with one CPU, whatever the
// luck, and starts within two.
func constant(name string) flow.Function {
	return flow.Function{
		Name: name, Resources: function.Resources{CPU: 1000, Memory: function.GiB}, ColdStart: starts(2),
		Service: func(_ int, r function.Resources) func(float64) float64 {
			return func(float64) float64 { return 1 / r.CPU.Cores() }
		},
	}
}

// by is a workflow of constant functions a, b, c, each called by the stage of
// its name.
func by(root *workflow.Node) flow.Workflow {
	w := flow.Workflow{Name: "w", Graph: &workflow.Graph{Root: root}}
	for _, name := range []string{"a", "b", "c"} {
		w.Graph.Stages = append(w.Graph.Stages, workflow.Stage{Name: name, Function: name})
		w.Functions = append(w.Functions, constant(name))
	}
	return w
}

func stage(n int) *workflow.Node { return &workflow.Node{Kind: workflow.KindStage, Stage: n} }

func all(kind workflow.Kind, children ...*workflow.Node) *workflow.Node {
	return &workflow.Node{Kind: kind, Children: children}
}

func delay(d time.Duration) *workflow.Node { return &workflow.Node{Kind: workflow.KindDelay, Delay: d} }

func keep(d time.Duration) pool.Policy { return baseline.KeepAlive{Timeout: d} }

// latencies runs single arrivals and returns what each run took, in seconds.
func latencies(t *testing.T, w flow.Workflow, p pool.Policy, cfg flow.Config, at ...time.Duration) ([]float64, flow.WorkflowResult) {
	t.Helper()
	var out []float64
	cfg.Window = time.Minute
	if cfg.Until == 0 {
		cfg.Until = time.Hour
	}
	cfg.OnRun = func(r flow.Run) { out = append(out, r.Latency.Seconds()) }
	s := flow.New([]flow.Workflow{w}, p, cfg)
	for _, x := range at {
		s.Feed([]flow.Arrival{{At: x}})
		if err := s.Check(); err != nil {
			t.Fatal(err)
		}
	}
	r := s.Finish()
	return out, r.Workflows[0]
}

func check(t *testing.T, what string, got []float64, want ...float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %v, want %v", what, got, want)
	}
	for i := range got {
		if math.Abs(got[i]-want[i]) > 1e-6 {
			t.Errorf("%s: %v, want %v", what, got, want)
			return
		}
	}
}

// A run takes a second for each of its stages, and two more for each cold start
// on its way; the second run finds everything warm.
func TestShapesByHand(t *testing.T) {
	t.Parallel()
	loop := func(count float64, width int, child *workflow.Node) *workflow.Node {
		return &workflow.Node{Kind: workflow.KindLoop, Count: count, Width: width, Children: []*workflow.Node{child}}
	}
	for _, c := range []struct {
		name       string
		root       *workflow.Node
		cold, warm float64
		starts     int64
	}{
		{"series", all(workflow.KindSeries, stage(0), stage(1), stage(2)), 9, 3, 3},
		{"a function twice", all(workflow.KindSeries, stage(0), stage(0), stage(1)), 7, 3, 2},
		{"parallel", all(workflow.KindParallel, stage(0), all(workflow.KindSeries, stage(1), stage(2))), 6, 2, 3},
		{"a function beside itself", all(workflow.KindParallel, stage(0), stage(0)), 3, 1, 2},
		{"race", all(workflow.KindSeries, all(workflow.KindRace, stage(0), delay(2500*time.Millisecond)), stage(1)), 5.5, 2, 2},
		{"race with a way that takes no time", all(workflow.KindSeries, all(workflow.KindRace, stage(0), all(workflow.KindSeries)), stage(1)), 3, 1, 2},
		{"loser goes no further", all(workflow.KindRace, stage(0), all(workflow.KindSeries, delay(4*time.Second), stage(1))), 3, 1, 1},
		{"choice", &workflow.Node{Kind: workflow.KindChoice, Children: []*workflow.Node{stage(0), stage(1)}, Probability: []float64{0, 1}}, 3, 1, 1},
		{"loop", loop(4, 1, stage(0)), 6, 4, 1},
		{"loop by two", loop(4, 2, stage(0)), 4, 2, 2},
		{"loop of loops", loop(2, 2, loop(3, 1, stage(0))), 5, 3, 2},
		{"empty loop", all(workflow.KindSeries, loop(0, 1, stage(0)), stage(1)), 3, 1, 1},
		{"delay", all(workflow.KindSeries, delay(time.Second), stage(0), delay(time.Second)), 5, 3, 1},
		{"nothing", all(workflow.KindSeries), 0, 0, 0},
	} {
		got, r := latencies(t, by(c.root), keep(pool.Forever), flow.Config{}, 0, time.Minute)
		check(t, c.name, got, c.cold, c.warm)
		if r.ColdStarts != c.starts || (r.ColdRuns == 1) != (c.starts > 0) {
			t.Errorf("%s: %d cold starts in %d runs, want %d in one", c.name, r.ColdStarts, r.ColdRuns, c.starts)
		}
	}
}

func TestUseByHand(t *testing.T) {
	t.Parallel()
	price := function.Price{PerVCPUSecond: 1, PerGiBSecond: 10, IdlePerVCPUSec: 0.1, IdlePerGiBSecond: 1, PerInvocation: 100}
	w := by(all(workflow.KindSeries, stage(0), stage(1)))
	w.QoS.Latency = 5 * time.Second
	_, r := latencies(t, w, keep(10*time.Second), flow.Config{Price: price}, 0, 8*time.Second, time.Minute)
	// Cold, warm, cold. a: busy 0-3, 8-9, 60-63, idle 3-8, 9-19, 63-73; b: busy 3-6,
	// 9-10, 63-66, idle 6-9, 10-20, 66-76.
	if r.Busy.CPUSeconds != 14 || r.Idle.CPUSeconds != 48 || r.Busy.GiBSeconds != 14 || r.Idle.GiBSeconds != 48 {
		t.Errorf("busy %+v, idle %+v; want 14 and 48 s", r.Busy, r.Idle)
	}
	if math.Abs(r.Busy.Cost-14*11-600) > 1e-9 || math.Abs(r.Idle.Cost-48*1.1) > 1e-9 {
		t.Errorf("busy costs %v, idle %v", r.Busy.Cost, r.Idle.Cost)
	}
	if r.Runs != 3 || r.Violations != 2 || r.ColdViolations != 2 || r.ColdRuns != 2 || r.Stages != 6 {
		t.Errorf("%+v", r)
	}
	if got := r.Latency(0.5).Seconds(); math.Abs(got-6) > 0.06 {
		t.Errorf("p50 %v", got)
	}
}

func TestResourcesChange(t *testing.T) {
	t.Parallel()
	w := by(all(workflow.KindSeries, stage(0), stage(1)))
	s := flow.New([]flow.Workflow{w}, keep(pool.Forever), flow.Config{Window: time.Minute, Until: time.Hour})
	s.Feed([]flow.Arrival{{At: 0}, {At: 10 * time.Second}, {At: 20 * time.Second}})
	s.Advance(20500 * time.Millisecond) // a serves the third run
	one := w.Functions[1].Resources
	s.SetResources(0, []function.Resources{{CPU: 4000, Memory: function.GiB}, one, one})
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	s.Feed([]flow.Arrival{{At: time.Minute}, {At: 70 * time.Second}})
	r := s.Finish().Workflows[0]
	// The old instance of a ends what it does; b is as it was.
	if r.ColdStarts != 3 || r.Stages != 10 {
		t.Errorf("%d cold starts of %d, want 3 of 10", r.ColdStarts, r.Stages)
	}
	// a: busy 0-3, 10-11, 20-21 with 1 CPU; 60-62.25, 70-70.25 with 4.
	if want := 1.0*5 + 4*2.5 + (3 + 4); math.Abs(r.Busy.CPUSeconds-want) > 1e-9 {
		t.Errorf("busy %v vCPU-s, want %v", r.Busy.CPUSeconds, want)
	}
}

func TestNodeLoss(t *testing.T) {
	t.Parallel()
	node := fleet.Node{CPU: 4000, Memory: 4 * function.GiB}
	w := by(stage(0))
	// The run is on the fuller node, the first of equals; it starts again on the other.
	got, r := latencies(t, w, keep(pool.Forever), flow.Config{
		Nodes: []fleet.Node{node, node}, Losses: []fleet.Loss{{Node: 0, At: 2500 * time.Millisecond}},
	}, 0)
	check(t, "retried", got, 2.5+3)
	if r.Retried != 1 || r.Violations != 0 {
		t.Errorf("%+v", r)
	}
	// Both die: it is lost.
	_, r = latencies(t, w, keep(pool.Forever), flow.Config{
		Nodes: []fleet.Node{node, node}, Losses: []fleet.Loss{{Node: 0, At: 2500 * time.Millisecond}, {Node: 1, At: 5 * time.Second}},
	}, 0)
	if r.Ended[flow.Lost] != 1 || r.Violations != 1 {
		t.Errorf("%+v", r)
	}
	// The only one comes back in time.
	got, r = latencies(t, w, keep(pool.Forever), flow.Config{
		Nodes: []fleet.Node{node}, Losses: []fleet.Loss{{Node: 0, At: time.Second, Back: 5 * time.Second}},
	}, 0)
	check(t, "waits for the node", got, 5+3)
	if r.Ended[flow.Completed] != 1 {
		t.Errorf("%+v", r)
	}
}

func TestRoomOnNodes(t *testing.T) {
	t.Parallel()
	w := by(all(workflow.KindParallel, stage(0), stage(1), stage(2)))
	// Memory for two at once: the third waits until one ends, and evicts it.
	_, r := latencies(t, w, keep(pool.Forever), flow.Config{Nodes: []fleet.Node{{Memory: 2 * function.GiB}}}, 0)
	if got := r.Latency(1).Seconds(); math.Abs(got-6) > 0.07 || r.ColdStarts != 3 {
		t.Errorf("took %v s with %d cold starts, want 6 with 3", got, r.ColdStarts)
	}
	// CPUs given out four times.
	_, r = latencies(t, w, keep(pool.Forever), flow.Config{Nodes: []fleet.Node{{CPU: 500}}}, 0)
	if got := r.Latency(1).Seconds(); got < 6 {
		t.Errorf("took %v s, want one to wait", got)
	}
	// Patience ends.
	_, r = latencies(t, w, keep(pool.Forever), flow.Config{Nodes: []fleet.Node{{Memory: 2 * function.GiB}}, Patience: time.Second}, 0)
	if r.Ended[flow.Rejected] != 1 {
		t.Errorf("%+v", r)
	}
	// No node is ever large enough.
	_, r = latencies(t, w, keep(pool.Forever), flow.Config{Nodes: []fleet.Node{{Memory: function.GiB / 2}}}, 0)
	if r.Ended[flow.TooLarge] != 1 {
		t.Errorf("%+v", r)
	}
}

func TestKilledForMemory(t *testing.T) {
	t.Parallel()
	w := by(all(workflow.KindSeries, stage(0), stage(1)))
	w.Functions[1].Floor = 2 * function.GiB
	_, r := latencies(t, w, keep(pool.Forever), flow.Config{}, 0, time.Minute)
	// The instance of b dies each time.
	if r.Ended[flow.OutOfMemory] != 2 || r.ColdStarts != 3 || r.Violations != 2 {
		t.Errorf("%+v", r)
	}
}

func TestNeighboursInterfere(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ load, interference, want float64 }{
		{0, 0.5, 1}, {0.5, 0.5, 1.25}, {1, 0.5, 1.5}, {2, 0.5, 3}, {2, 0, 2}, {0.9, 0, 1},
	} {
		if got := flow.Slowdown(c.load, c.interference); got != c.want {
			t.Errorf("Slowdown(%v, %v) = %v, want %v", c.load, c.interference, got, c.want)
		}
	}
	// Three instances of one CPU on a node of one and a half; each is slowed by
	// those that are there when it begins.
	w := by(all(workflow.KindParallel, stage(0), stage(1), stage(2)))
	for i := range w.Functions {
		w.Functions[i].ColdStart = nil
	}
	got, _ := latencies(t, w, keep(pool.Forever), flow.Config{Nodes: []fleet.Node{{CPU: 1500}}, Interference: 0.3}, 0)
	check(t, "crowded", got, 2*1.3)
}

func TestScaleDriftOutliers(t *testing.T) {
	t.Parallel()
	w := by(stage(0))
	w.Functions[0].ColdStart = nil
	cfg := flow.Config{
		Window: time.Minute, Until: 10 * time.Hour, Seed: 5, Outliers: flow.Outliers{Share: 0.25, Factor: 8},
		Drift: func(_ int, at time.Duration) float64 {
			if at >= 5*time.Hour {
				return 2
			}
			return 1
		},
	}
	count := map[float64]int{}
	cfg.OnRun = func(r flow.Run) { count[math.Round(1e6*r.Latency.Seconds())/1e6]++ }
	s := flow.New([]flow.Workflow{w}, keep(pool.Forever), cfg)
	const runs = 2000
	for i := range runs {
		s.Feed([]flow.Arrival{{At: time.Duration(i) * 10 * time.Hour / runs, Scale: 0.5}})
	}
	s.Finish()
	// Four kinds: half a second, doubled in the second half, eightfold for a quarter.
	for latency, want := range map[float64]int{0.5: 750, 4: 250, 1: 750, 8: 250} {
		if got := count[latency]; math.Abs(float64(got-want)) > 70 { // 5 standard deviations
			t.Errorf("%d runs took %v s, want about %d; all: %v", got, latency, want, count)
		}
	}
}

// Two runs come while nothing is warm. The first is served by 3 s and its
// instance could serve the second, whose own start takes until 3.5 s.
func TestWhoWaitsSharesOrIsBound(t *testing.T) {
	t.Parallel()
	w := by(stage(0))
	got, r := latencies(t, w, keep(10*time.Second), flow.Config{}, 0, 1500*time.Millisecond)
	check(t, "shared", got, 3, 2.5)
	if r.ColdStarts+r.Joined != 2 || r.Busy.CPUSeconds != 3+1+2 || r.Idle.CPUSeconds != 10+10 {
		t.Errorf("%+v", r)
	}
	got, r = latencies(t, w, keep(10*time.Second), flow.Config{Bound: true}, 0, 1500*time.Millisecond)
	check(t, "bound", got, 3, 3)
	if r.ColdStarts != 2 || r.Busy.CPUSeconds != 3+3 || r.Idle.CPUSeconds != 10+10 {
		t.Errorf("%+v", r)
	}
}
