package experiment

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/aquatope/aquatope/pool"
	"github.com/aquatope/aquatope/sim"
)

// group is all values of one policy's knob on one seed. They run in step, so
// that arrivals are made once and forecasts are shared.
type group struct {
	contender
	world   *world
	meter   *meter
	sims    []*sim.Sim
	clocks  []*clocked
	results []*sim.Result
	train   time.Duration
	done    bool // it ran to the end
}

func (g *group) run(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	entries, err := g.start(ctx, g.world)
	if err != nil {
		return fmt.Errorf("policy %s: %w", g.name, err)
	}
	for _, e := range entries {
		c := newClocked(e.policy)
		g.clocks = append(g.clocks, c)
		g.sims = append(g.sims, sim.New(g.world.functions, c.asPolicy(), g.world.config(g.window, g.lead, e.capacityGB)))
	}
	arrivals := g.world.newSource()
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		batch, minute, ok := arrivals.Next()
		if !ok {
			break
		}
		if minute == g.world.Judged.From-1 {
			// One window early, so that the first plan of the judged part
			// is made with what was learnt.
			for _, e := range entries {
				if e.trained == nil {
					continue
				}
				if g.train, err = e.trained(); err != nil {
					return fmt.Errorf("policy %s: %w", g.name, err)
				}
			}
		}
		for _, s := range g.sims {
			s.Feed(batch)
			s.Advance(instant(minute + 1))
		}
		g.meter.add(int64(len(g.sims)), g.name)
	}
	for _, s := range g.sims {
		g.results = append(g.results, s.Finish())
	}
	g.sims = nil
	return nil
}

// meter counts simulated minutes for all groups.
type meter struct {
	total int64
	done  atomic.Int64
	tell  func(done, total int64, note string)
}

func newMeter(total int64, tell func(done, total int64, note string)) *meter {
	if tell == nil {
		tell = func(int64, int64, string) {}
	}
	return &meter{total: max(total, 1), tell: tell}
}

func (m *meter) add(n int64, note string) { m.tell(m.done.Add(n), m.total, note) }

// mean puts the results of all seeds together.
func mean(groups []*group) []PoolResult {
	var out []PoolResult
	index := map[string]int{}
	count := map[string]float64{}
	for _, g := range groups {
		for i, r := range g.results {
			key := fmt.Sprint(g.name, " ", i)
			at, ok := index[key]
			if !ok {
				at = len(out)
				index[key] = at
				out = append(out, PoolResult{Policy: g.name, Knob: g.knob, Parameter: g.values[i]})
			}
			count[key]++
			w := 1 / count[key]
			p := &out[at]
			p.Invocations = r.Invocations // the same for all seeds: the trace's
			step := func(m *float64, x float64) { *m += w * (x - *m) }
			step(&p.ColdStarts, float64(r.Cold))
			step(&p.ColdStartRate, r.ColdRate())
			step(&p.P50StartMillis, r.StartLatency(0.50).Seconds()*1000)
			step(&p.P99StartMillis, r.StartLatency(0.99).Seconds()*1000)
			step(&p.MemoryGBSeconds, r.MemoryGBSeconds())
			step(&p.IdleMemoryGBSeconds, r.IdleGBSeconds)
			step(&p.QuietMemoryGBSeconds, r.QuietGBSeconds)
			step(&p.StartedAhead, float64(r.StartedAhead))
			step(&p.Rejected, float64(r.Rejected+r.TooLarge))
			step(&p.DecisionSeconds, g.clocks[i].spent().Seconds())
			step(&p.TrainSeconds, g.train.Seconds())
		}
	}
	return out
}

// clocked measures the time that a policy takes: all of its plans, and one in
// many of its reactions, which are too short to measure each.
type clocked struct {
	pool.Policy
	plans, reactions time.Duration
	steps            int
	longest          time.Duration // plan
	n                uint64
}

const reactionSample = 256

func newClocked(p pool.Policy) *clocked { return &clocked{Policy: p} }

func (c *clocked) spent() time.Duration { return c.plans + c.reactions }

func (c *clocked) Plan(s *pool.Snapshot) pool.Plan {
	start := time.Now()
	defer func() {
		took := time.Since(start)
		c.plans += took
		c.longest = max(c.longest, took)
		c.steps++
	}()
	return c.Policy.Plan(s)
}

func (c *clocked) Idle(e pool.Event) (pool.Retention, bool) {
	if c.n++; c.n%reactionSample != 0 {
		return c.Policy.Idle(e)
	}
	start := time.Now()
	r, ok := c.Policy.Idle(e)
	c.reactions += reactionSample * time.Since(start)
	return r, ok
}

func (c *clocked) Arrive(e pool.Event) {
	if c.n++; c.n%reactionSample != 0 {
		c.Policy.Arrive(e)
		return
	}
	start := time.Now()
	c.Policy.Arrive(e)
	c.reactions += reactionSample * time.Since(start)
}

// Foresee implements pool.Foreseer for policies that do.
func (c *clocked) Foresee(entry int) []pool.Ahead {
	if f, ok := c.Policy.(pool.Foreseer); ok {
		return f.Foresee(entry)
	}
	return nil
}

// Follow implements pool.Follower for policies that do.
func (c *clocked) Follow(function int) []pool.Ahead {
	if f, ok := c.Policy.(pool.Follower); ok {
		return f.Follow(function)
	}
	return nil
}

// asPolicy keeps the policy's own choice of victims, if it makes one.
func (c *clocked) asPolicy() pool.Policy {
	if e, ok := c.Policy.(pool.Evictor); ok {
		return struct {
			*clocked
			pool.Evictor
		}{c, e}
	}
	return c
}
