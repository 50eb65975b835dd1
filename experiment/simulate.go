package experiment

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aquatope/aquatope/forecast/prior"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/sim"
	"github.com/aquatope/aquatope/sim/fleet"
	"github.com/aquatope/aquatope/stats"
	"github.com/aquatope/aquatope/trace"
)

// SimulateConfig describes a cluster and what is asked of it.
type SimulateConfig struct {
	// Trace is what is invoked; what it lacks is drawn. Without one a synthetic
	// trace is made by Synthetic while it is simulated.
	Trace     *trace.Trace
	Synthetic trace.Generator
	Policies  []PolicyChoice
	// Nodes are the machines; none is room for everything.
	Nodes []fleet.Node
	Price function.Price
	Seed  uint64
	// Progress, unless nil, is told of every minute that was simulated.
	Progress func(done, total int, note string)
}

// SimulationReport is what a cluster did under several policies.
type SimulationReport struct {
	Functions int    `json:"functions"`
	Minutes   int    `json:"minutes"`
	Nodes     int    `json:"nodes"` // 0 for room for everything
	Seed      uint64 `json:"seed"`
	Price     string `json:"price"`

	Results []Simulation `json:"results"`
	Notes   []string     `json:"notes"`
}

// Simulation is what a cluster did under one policy.
type Simulation struct {
	Policy string `json:"policy"`

	Invocations   int64   `json:"invocations"`
	ColdStarts    int64   `json:"coldStarts"` // invocations that waited for a start
	ColdStartRate float64 `json:"coldStartRate"`
	// Wait is from the arrival of an invocation until an instance serves it,
	// Latency until its end.
	Wait    Quantiles `json:"waitMillis"`
	Latency Quantiles `json:"latencyMillis"`

	BusyGBSeconds float64 `json:"busyGBSeconds"`
	IdleGBSeconds float64 `json:"idleGBSeconds"`
	BusyCost      float64 `json:"busyCost"`
	IdleCost      float64 `json:"idleCost"`
	TotalCost     float64 `json:"totalCost"`
	StartedAhead  int64   `json:"startedAhead"`
	Evicted       int64   `json:"evicted"`
	// Queued are invocations that waited for room and were served, Rejected those
	// that were not, by reason. Open had neither at the end.
	Queued   int64            `json:"queued"`
	Rejected map[string]int64 `json:"rejected"`
	Open     int64            `json:"open"`

	// Process is what the simulation took, which differs from run to run.
	Process ProcessUse `json:"process"`
}

// Quantiles are in milliseconds.
type Quantiles struct {
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
	P99 float64 `json:"p99"`
}

// ProcessUse is what a simulation took of the machine that it ran on.
type ProcessUse struct {
	Seconds              float64 `json:"seconds"`
	ProcessorSeconds     float64 `json:"processorSeconds"`
	InvocationsPerSecond float64 `json:"invocationsPerSecond"`
	// Steps are the decisions for all functions together, their mean and longest
	// time; ReactionSeconds what was decided between them.
	Steps           int     `json:"steps"`
	StepMeanSeconds float64 `json:"stepMeanSeconds"`
	StepMaxSeconds  float64 `json:"stepMaxSeconds"`
	DecisionSeconds float64 `json:"decisionSeconds"` // of all steps and reactions
	PeakMemoryBytes int64   `json:"peakMemoryBytes"` // of the whole process so far
}

// overbook is how many times a node's CPU is given out: as the local platform
// does by default.
const overbook = 4

// Simulate runs a trace on a cluster under every policy. All but Process is the
// same for equal arguments. When ctx ends early, what there is of the policies that
// were simulated comes with the error.
func Simulate(ctx context.Context, c SimulateConfig) (*SimulationReport, error) {
	out := &SimulationReport{Nodes: len(c.Nodes), Seed: c.Seed, Price: c.Price.Name}
	for i, p := range c.Policies {
		if p.Name == oraclePolicy {
			return nil, errors.New("the oracle has no place in this simulation, which makes invocations as it goes: leave it out")
		}
		t, arrivals, err := c.arrivals()
		if err != nil {
			return nil, err
		}
		progress := func(minute int, invocations int64) {
			if c.Progress != nil {
				n := t.Covered.Len()
				c.Progress(i*n+minute, len(c.Policies)*n, fmt.Sprintf("%s: minute %d of %d, %d invocations", p, minute, n, invocations))
			}
		}
		r, err := c.under(ctx, p, t, arrivals, progress)
		switch {
		case interrupted(ctx, err, i):
			out.Notes = append(out.Notes, interruptedNote(i, len(c.Policies), "policies"))
			return out, err
		case err != nil:
			return nil, fmt.Errorf("simulating %s: %w", p, err)
		}
		out.Functions, out.Minutes = len(t.Functions), t.Covered.Len()
		out.Results = append(out.Results, *r)
		if i == 0 {
			out.Notes = append(t.Notes, sim.Measured.Describe(), coldNote(), cpuNote)
		}
	}
	return out, nil
}

// under simulates one policy.
func (c SimulateConfig) under(ctx context.Context, p PolicyChoice, t *trace.Trace, arrivals *sim.Arrivals, progress func(int, int64)) (*Simulation, error) {
	begin, used := time.Now(), processorTime()
	model, err := prior.Load()
	if err != nil {
		return nil, fmt.Errorf("loading the forecasting model: %w", err)
	}
	h := newSingles(t, c.Seed)
	h.price, h.out.Policy = c.Price, p.String()
	cast, err := p.cast(stage{
		functions: h.views, window: time.Minute, week: int64(t.Start), from: instant(t.Covered.From), forecaster: model.New(),
	})
	if err != nil {
		return nil, err
	}
	clock := newClocked(cast.policy)
	h.fleet = fleet.New(h.functions, clock.asPolicy(), h, fleet.Config{
		Window: cast.window, Lead: cast.lead, From: instant(t.Covered.From), Until: instant(t.Covered.To),
		Nodes: p.nodes(c.Nodes), Overbook: overbook, Patience: patience,
	})
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		batch, minute, ok := arrivals.Next()
		if !ok {
			break
		}
		h.feed(batch)
		h.fleet.RunTo(instant(minute + 1))
		progress(minute+1-t.Covered.From, h.out.Invocations)
	}
	out := h.finish()
	out.Process = clock.use(time.Since(begin), processorTime()-used, out.Invocations)
	return out, nil
}

// arrivals completes the trace and spreads its invocations.
func (c SimulateConfig) arrivals() (*trace.Trace, *sim.Arrivals, error) {
	if c.Trace == nil {
		s, err := c.Synthetic.Stream(c.Seed)
		if err != nil {
			return nil, nil, err
		}
		return s.Trace, sim.NewStreamArrivals(s, sim.Measured, c.Seed), nil
	}
	t := *c.Trace
	t.Functions, t.Notes = slices.Clone(t.Functions), slices.Clone(t.Notes)
	t.Complete(stats.Stream(c.Seed, "experiment/complete"))
	return &t, sim.NewArrivals(&t, t.Covered, sim.Measured, c.Seed), nil
}

// use is what was measured of a simulation that took that long, and so much of
// a processor.
func (c *clocked) use(took, processor time.Duration, invocations int64) ProcessUse {
	u := ProcessUse{
		Seconds: took.Seconds(), ProcessorSeconds: processor.Seconds(), Steps: c.steps, StepMaxSeconds: c.longest.Seconds(), DecisionSeconds: c.spent().Seconds(),
		InvocationsPerSecond: float64(invocations) / took.Seconds(), PeakMemoryBytes: peakMemory(),
	}
	if c.steps > 0 {
		u.StepMeanSeconds = c.plans.Seconds() / float64(c.steps)
	}
	return u
}
