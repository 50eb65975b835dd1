package flow_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/pool"
	"github.com/aquatope/aquatope/sim/fleet"
	"github.com/aquatope/aquatope/sim/flow"
	"github.com/aquatope/aquatope/workflow"
)

// wild is a policy whose answers are drawn.
type wild struct{ r *rand.Rand }

func (wild) Name() string      { return "wild" }
func (wild) Arrive(pool.Event) {}

func (p wild) Plan(s *pool.Snapshot) pool.Plan {
	out := make(pool.Plan, len(s.States))
	for i := range out {
		out[i] = pool.Target{Warm: p.r.IntN(3), KeepAlive: time.Duration(p.r.IntN(40e9))}
	}
	return out
}

func (p wild) Idle(pool.Event) (pool.Retention, bool) {
	switch p.r.IntN(4) {
	case 0:
		return pool.Retention{}, false
	case 1:
		return pool.Retention{PreWarm: time.Duration(1 + p.r.IntN(30e9)), KeepAlive: time.Duration(1 + p.r.IntN(30e9))}, true
	case 2:
		return pool.Retention{KeepAlive: pool.UntilPlan}, true
	}
	return pool.Retention{KeepAlive: time.Duration(p.r.IntN(60e9)), Release: p.r.IntN(2) == 0}, true
}

func (p wild) Foresee(int) []pool.Ahead {
	return []pool.Ahead{{After: time.Duration(p.r.IntN(3e9)), Hold: time.Duration(p.r.IntN(3e9))}}
}

// node draws a tree over stages that it adds to the graph.
func node(r *rand.Rand, g *workflow.Graph, functions, depth int) *workflow.Node {
	kind := workflow.KindStage
	if depth > 0 {
		kind = workflow.Kind(r.IntN(int(workflow.KindDelay) + 1))
	}
	n := &workflow.Node{Kind: kind}
	switch kind {
	case workflow.KindStage:
		n.Stage = len(g.Stages)
		g.Stages = append(g.Stages, workflow.Stage{Name: fmt.Sprintf("s%d", n.Stage), Function: fmt.Sprintf("f%d", r.IntN(functions))})
		return n
	case workflow.KindDelay:
		n.Delay = time.Duration(r.IntN(3)) * time.Second
		return n
	case workflow.KindLoop:
		n.Children = []*workflow.Node{node(r, g, functions, depth-1)}
		n.Count, n.Width = float64(r.IntN(10))/2, 1+r.IntN(3)
		return n
	}
	for range 1 + r.IntN(3) {
		n.Children = append(n.Children, node(r, g, functions, depth-1))
	}
	for range n.Children {
		n.Probability = append(n.Probability, 1/float64(len(n.Children)))
	}
	return n
}

// even is a distribution of service times that falls with CPU.
func even(mean float64) func(int, function.Resources) func(float64) float64 {
	return func(_ int, r function.Resources) func(float64) float64 {
		return func(u float64) float64 { return mean / r.CPU.Cores() * (0.1 + 2*u) }
	}
}

func resources(r *rand.Rand) function.Resources {
	return function.Resources{CPU: function.MilliCPU(100 * (1 + r.IntN(20))), Memory: function.Bytes(1+r.IntN(8)) * 128 * function.MiB}
}

func drawWorkflow(r *rand.Rand, name string) flow.Workflow {
	functions := 1 + r.IntN(4)
	w := flow.Workflow{Name: name, Graph: &workflow.Graph{}, QoS: workflow.QoS{Latency: time.Duration(1 + r.IntN(20e9)), Percentile: 95}}
	w.Graph.Root = node(r, w.Graph, functions, 3)
	for i := range functions {
		w.Functions = append(w.Functions, flow.Function{
			Name: fmt.Sprintf("f%d", i), Resources: resources(r), Concurrency: r.IntN(4), Max: max(0, r.IntN(8)-2),
			Service: even(3 * r.Float64()), Floor: 200 * function.MiB, ColdStart: starts(0.1, 1, 4),
		})
	}
	return w
}

// pressed runs a drawn scenario: small nodes that die, changes of resources in
// between, and everything else that can go wrong.
func pressed(t interface{ Fatalf(string, ...any) }, seed uint64, n int) *flow.Result {
	r := rand.New(rand.NewPCG(seed, 9))
	var ws []flow.Workflow
	for i := range 1 + r.IntN(3) {
		ws = append(ws, drawWorkflow(r, fmt.Sprintf("w%d", i)))
	}
	span := time.Duration(1+r.IntN(300)) * time.Second
	told := map[flow.Outcome]int64{}
	cfg := flow.Config{
		Bound: r.IntN(2) == 0, Window: 20 * time.Second, Lead: time.Duration(r.IntN(5e9)), From: span / 4, Until: span, Patience: time.Duration(1 + r.IntN(20e9)),
		Interference: r.Float64(), Outliers: flow.Outliers{Share: 0.1, Factor: 5}, Seed: seed,
		Drift: func(_ int, at time.Duration) float64 { return 1 + at.Hours() },
	}
	for range r.IntN(4) {
		cfg.Nodes = append(cfg.Nodes, fleet.Node{CPU: function.MilliCPU(500 * r.IntN(5)), Memory: function.Bytes(r.IntN(20)) * 128 * function.MiB})
	}
	for range r.IntN(8) {
		if len(cfg.Nodes) > 0 {
			at := time.Duration(r.Int64N(int64(span)))
			cfg.Losses = append(cfg.Losses, fleet.Loss{Node: r.IntN(len(cfg.Nodes)), At: at, Back: at + time.Duration(r.IntN(40e9)-10e9)})
		}
	}
	cfg.OnRun = func(x flow.Run) {
		if x.At >= cfg.From && x.At < cfg.Until {
			told[x.Outcome]++
		}
	}
	s := flow.New(ws, wild{rand.New(rand.NewPCG(seed, 4))}, cfg)
	var as []flow.Arrival
	for range n {
		as = append(as, flow.Arrival{At: time.Duration(r.Int64N(int64(span))), Workflow: r.IntN(len(ws)), Scale: r.Float64()})
	}
	slices.SortFunc(as, func(a, b flow.Arrival) int { return int(a.At - b.At) })
	var counted int64
	for i := range as {
		if as[i].At >= cfg.From {
			counted++
		}
		s.Feed(as[i : i+1])
		if r.IntN(20) == 0 {
			w := r.IntN(len(ws))
			var list []function.Resources
			for range ws[w].Functions {
				list = append(list, resources(r))
			}
			s.SetResources(w, list)
		}
		if err := s.Check(); err != nil {
			t.Fatalf("after arrival %d: %v", i, err)
		}
	}
	res := s.Finish()
	if err := s.CheckEmpty(); err != nil {
		t.Fatalf("at the end: %v", err)
	}
	var runs, ended int64
	for _, w := range res.Workflows {
		runs += w.Runs
		for o, n := range w.Ended {
			ended += n
			told[flow.Outcome(o)] -= n
		}
		if w.Violations > w.Runs || w.ColdViolations > min(w.Violations, w.ColdRuns) || !(w.Busy.GiBSeconds >= 0) || !(w.Idle.GiBSeconds >= 0) {
			t.Fatalf("not sound: %+v", w)
		}
	}
	if runs != counted || ended != counted {
		t.Fatalf("%d arrivals, %d runs, %d outcomes", counted, runs, ended)
	}
	for o, n := range told {
		if n != 0 {
			t.Fatalf("told of %d runs %v that were not counted", n, o)
		}
	}
	return res
}

func TestBooksBalance(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		pressed(t, rapid.Uint64().Draw(t, "seed"), rapid.IntRange(0, 100).Draw(t, "arrivals"))
	})
}

// TestPressureIsHard makes sure that the scenarios reach every outcome.
func TestPressureIsHard(t *testing.T) {
	t.Parallel()
	var ends [5]int64
	for seed := range uint64(300) {
		for _, w := range pressed(t, seed, 100).Workflows {
			for o, n := range w.Ended {
				ends[o] += n
			}
		}
	}
	for o, n := range ends {
		if n == 0 {
			t.Errorf("no run was %v", flow.Outcome(o))
		}
	}
}

func FuzzFlow(f *testing.F) {
	f.Add(uint64(1), uint8(50))
	f.Add(uint64(77), uint8(255))
	f.Fuzz(func(t *testing.T, seed uint64, n uint8) { pressed(t, seed, int(n)) })
}

func TestSameSeedSameResult(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		a, b := pressed(t, seed, 80), pressed(t, seed, 80)
		for i := range a.Workflows {
			if x, y := a.Workflows[i].Latency(0.9), b.Workflows[i].Latency(0.9); x != y {
				t.Errorf("seed %d: p90 %v and %v", seed, x, y)
			}
			a.Workflows[i].Forget()
			b.Workflows[i].Forget()
		}
		if !reflect.DeepEqual(a, b) {
			t.Errorf("seed %d: %+v and %+v", seed, a, b)
		}
	}
}
