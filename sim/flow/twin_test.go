package flow_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/pool"
	"github.com/aquatope/aquatope/pool/baseline"
	"github.com/aquatope/aquatope/sim"
	"github.com/aquatope/aquatope/sim/flow"
)

// TestOneStageIsAFunction runs workflows of one stage and the functions alone,
// with policies of every kind and too little memory.
func TestOneStageIsAFunction(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 3))
	var ws []flow.Workflow
	for range 6 {
		w := by(stage(0))
		w.Functions, w.Graph.Stages = w.Functions[:1], w.Graph.Stages[:1]
		w.Functions[0].Resources.Memory = function.Bytes(1+r.IntN(10)) * 100 * function.MiB
		w.Functions[0].Concurrency = 1 + r.IntN(2)
		ws = append(ws, w)
	}
	var runs []flow.Arrival
	var calls []sim.Arrival
	for range 2000 {
		a := flow.Arrival{At: time.Duration(r.Int64N(int64(time.Hour))), Workflow: r.IntN(len(ws)), Scale: 4 * r.Float64()}
		runs = append(runs, a)
		calls = append(calls, sim.Arrival{At: a.At, Service: time.Duration(a.Scale*1e9 + 0.5), Function: a.Workflow})
	}
	slices.SortFunc(runs, func(a, b flow.Arrival) int { return int(a.At - b.At) })
	slices.SortFunc(calls, func(a, b sim.Arrival) int { return int(a.At - b.At) })
	functions := flow.Functions(ws)
	for _, c := range []struct {
		name     string
		policy   func() pool.Policy
		capacity function.Bytes
	}{
		{"keep-alive", func() pool.Policy { return keep(20 * time.Second) }, 0},
		{"wild", func() pool.Policy { return wild{rand.New(rand.NewPCG(1, 1))} }, 0},
		{"faascache", func() pool.Policy { return baseline.NewFaasCache(functions) }, 2 * function.GiB},
		{"wild, little memory", func() pool.Policy { return wild{rand.New(rand.NewPCG(1, 1))} }, 2 * function.GiB},
		{"hist", func() pool.Policy { return baseline.NewHist(len(functions), baseline.HistConfig{}) }, 0},
	} {
		one := sim.New(functions, c.policy(), sim.Config{Window: time.Minute, Lead: time.Second, From: 10 * time.Minute, Until: time.Hour, Capacity: int64(c.capacity)})
		one.Feed(calls)
		want := one.Finish()
		cfg := flow.Config{Bound: true, Window: time.Minute, Lead: time.Second, From: 10 * time.Minute, Until: time.Hour}
		if c.capacity > 0 {
			cfg.Nodes = []flow.Node{{Memory: c.capacity}}
		}
		whole := flow.New(ws, c.policy(), cfg)
		whole.Feed(runs)
		res := whole.Finish()
		var cold, joined, waited, rejected, total int64
		var idle, busy float64
		for _, w := range res.Workflows {
			total += w.Runs
			cold += w.ColdStarts
			joined += w.Joined
			waited += w.Waited
			rejected += w.Ended[flow.Rejected]
			idle += w.Idle.GiBSeconds
			busy += w.Busy.GiBSeconds
		}
		const gb = float64(function.GiB) / 1e9
		// What waits at the end is open to the one and followed up by the other.
		between := func(n, least int64) bool { return n >= least && n <= least+want.Open }
		if !between(cold, want.Cold) || !between(joined, want.Joined) || !between(waited, want.Waited) || !between(rejected, want.Rejected) || total != want.Invocations {
			t.Errorf("%s: %d runs, %d cold, %d joined, %d waited, %d rejected, want %+v", c.name, total, cold, joined, waited, rejected, want)
		}
		if !near(idle*gb, want.IdleGBSeconds) || !near(busy*gb, want.BusyGBSeconds) {
			t.Errorf("%s: idle %v and busy %v GB-s, want %v and %v", c.name, idle*gb, busy*gb, want.IdleGBSeconds, want.BusyGBSeconds)
		}
		if cold == 0 || c.capacity > 0 && want.Evicted+want.Rejected == 0 {
			t.Errorf("%s: too tame: %+v", c.name, want)
		}
	}
}

func near(a, b float64) bool { return max(a, b)-min(a, b) < 1e-9*(1+b) }

// TestSameLuck makes sure that the service times of a run do not depend on what
// the policy does.
func TestSameLuck(t *testing.T) {
	t.Parallel()
	ws := workflows(t, 5)
	as := arrivals(rand.New(rand.NewPCG(1, 1)), len(ws), 1, time.Hour)
	served := func(p pool.Policy) map[time.Duration]int {
		out := map[time.Duration]int{}
		s := flow.New(ws, p, flow.Config{Window: time.Minute, Until: time.Hour, Seed: 8, OnStage: func(x flow.Stage) { out[x.Service]++ }})
		s.Feed(as)
		s.Finish()
		return out
	}
	never, always := served(keep(0)), served(keep(pool.Forever))
	for d, n := range never {
		if always[d] != n {
			t.Fatalf("%d services of %v with one policy, %d with the other", n, d, always[d])
		}
	}
}

// TestRoomDoesNotGrow makes sure that a longer trace takes no more memory.
func TestRoomDoesNotGrow(t *testing.T) {
	t.Parallel()
	ws := workflows(t, 5)
	s := flow.New(ws, keep(10*time.Minute), flow.Config{Window: time.Minute, Until: 10 * time.Hour, Seed: 8, Nodes: []flow.Node{{CPU: 64_000, Memory: 100 * function.GiB}}})
	var room []int
	for hour := range 10 {
		as := arrivals(rand.New(rand.NewPCG(1, uint64(hour))), len(ws), 1, time.Hour)
		for i := range as {
			as[i].At += time.Duration(hour) * time.Hour
		}
		s.Feed(as)
		room = append(room, s.Room())
	}
	if room[9] > room[2]*3/2 {
		t.Errorf("room for %v things after each hour", room)
	}
}
