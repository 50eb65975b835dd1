package experiment

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aquatope/aquatope/forecast/prior"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/pool"
	"github.com/aquatope/aquatope/pool/baseline"
	"github.com/aquatope/aquatope/sim/fleet"
	"github.com/aquatope/aquatope/sim/replay"
)

// WhatIfConfig says what to find out about a record.
type WhatIfConfig struct {
	// Since and Until bound the runs and the idle time that count; a zero Until
	// is the end of the last run.
	Since, Until time.Time
	Policies     []PolicyChoice
	Price        function.Price
	// Nodes are the machines; none is room for everything.
	Nodes []fleet.Node
	Seed  uint64
	// Progress, unless nil, is told how many runs of all replays have begun.
	Progress func(done, total int64, note string)
}

// WhatIfReport compares what happened with what would have happened.
type WhatIfReport struct {
	Since     time.Time `json:"since"`
	Until     time.Time `json:"until"`
	Functions int       `json:"functions"`
	Price     string    `json:"price"`
	// Recorded is what happened.
	Recorded *replay.Result `json:"recorded"`
	// Replays are what would have happened; the first is of the policy that was
	// in force, so that its difference from what happened is the simulator's error.
	Replays []Replayed      `json:"replays"`
	Error   SimulationError `json:"simulationError"`
	Notes   []string        `json:"notes"`
}

// Replayed is a history under a policy.
type Replayed struct {
	Policy  string `json:"policy"`
	InForce bool   `json:"inForce,omitempty"`
	*replay.Result
}

// SimulationError is by how much the replay of the policy that was in force
// differs from what happened: replayed less recorded, relative to recorded; of
// what was recorded as 0 the difference itself.
type SimulationError struct {
	ColdStarts float64 `json:"coldStarts"`
	Violations float64 `json:"violations"`
	P50        float64 `json:"p50"`
	P95        float64 `json:"p95"`
	BusyCost   float64 `json:"busyCost"`
}

// Histories that are shorter than this, in runs or in windows, are lived through
// with a warning.
const (
	fewRuns    = 100
	fewWindows = 60
)

// patience is how long an invocation waits for room in a replay: as the local
// platform lets it by default.
const patience = 30 * time.Second

// WhatIf lives a record through under the policy that was in force and under
// others.
func WhatIf(ctx context.Context, r *Record, c WhatIfConfig) (*WhatIfReport, error) {
	if len(r.Runs) > 0 && r.Runs[0].Start.After(c.Since) {
		c.Since = r.Runs[0].Start
	}
	if c.Until.IsZero() {
		c.Until = r.end()
	}
	recorded := replay.Recorded(&r.History, c.Since, c.Until, c.Price)
	if recorded.Total.Runs == 0 {
		return nil, ErrNoRuns
	}
	out := &WhatIfReport{
		Since: c.Since, Until: c.Until, Functions: len(r.Functions), Price: c.Price.Name, Recorded: recorded,
		Notes: append(slices.Clone(r.Notes), c.notes(r, recorded)...),
	}
	policies := []PolicyChoice{r.InForce}
	for _, p := range c.Policies {
		if !slices.Contains(policies, p) {
			policies = append(policies, p)
		}
	}
	for i, p := range policies {
		progress := func(begun int) {
			if c.Progress != nil {
				c.Progress(int64(i*len(r.Runs)+begun), int64(len(policies)*len(r.Runs)), p.String())
			}
		}
		got, err := c.replay(ctx, r, p, progress)
		if err != nil {
			return nil, fmt.Errorf("replaying %s: %w", p, err)
		}
		out.Replays = append(out.Replays, Replayed{Policy: p.String(), InForce: i == 0, Result: got})
	}
	out.Error = errorOf(recorded.Total, out.Replays[0].Total)
	return out, nil
}

// replay lives the record through under one policy.
func (c WhatIfConfig) replay(ctx context.Context, r *Record, p PolicyChoice, progress func(int)) (*replay.Result, error) {
	s, err := c.stage(ctx, r)
	if err != nil {
		return nil, err
	}
	cast, err := p.cast(s)
	if err != nil {
		return nil, err
	}
	return replay.Run(ctx, &r.History, replay.Config{
		Policy: cast.policy, Window: cast.window, Lead: cast.lead, From: c.Since, Until: c.Until,
		Nodes: p.nodes(c.Nodes), Patience: patience, Price: c.Price, Seed: c.Seed, Progress: progress,
	})
}

// stage is what a policy may know of the functions of a record.
func (c WhatIfConfig) stage(ctx context.Context, r *Record) (stage, error) {
	model, err := prior.Load()
	if err != nil {
		return stage{}, fmt.Errorf("loading the forecasting model: %w", err)
	}
	s := stage{
		functions: views(&r.History), window: r.Window, week: windowOfWeek(r.Begin(r.Window), r.Window),
		forecaster: model.New(),
	}
	s.successors, s.followed = successorsOf(&r.History)
	s.future = func() (baseline.Future, error) { return c.future(ctx, r) }
	return s, nil
}

// views are the functions as policies see them, with mean times of what was
// recorded.
func views(h *replay.History) []pool.Function {
	starts, services := h.Means()
	out := make([]pool.Function, len(h.Functions))
	for i, f := range h.Functions {
		out[i] = pool.Function{
			Name: f.Name, Memory: f.Resources.Memory, ColdStart: starts[i], Service: services[i],
			Concurrency: f.Concurrency, Max: f.Max,
		}
	}
	return out
}

// monday began the week that windows are numbered from.
var monday = time.Date(1970, 1, 5, 0, 0, 0, 0, time.UTC)

func windowOfWeek(t time.Time, window time.Duration) int64 { return int64(t.Sub(monday) / window) }

func errorOf(was, is replay.Outcome) SimulationError {
	rel := func(is, was float64) float64 {
		if was == 0 {
			return is
		}
		return (is - was) / was
	}
	return SimulationError{
		ColdStarts: rel(float64(is.ColdStarts), float64(was.ColdStarts)),
		Violations: rel(float64(is.Violations), float64(was.Violations)),
		P50:        rel(is.P50.Seconds(), was.P50.Seconds()),
		P95:        rel(is.P95.Seconds(), was.P95.Seconds()),
		BusyCost:   rel(is.BusyCost, was.BusyCost),
	}
}

// notes say what limits the answer.
func (c WhatIfConfig) notes(r *Record, was *replay.Result) []string {
	var out []string
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	span := c.Until.Sub(c.Since)
	if was.Total.Runs < fewRuns || span < fewWindows*r.Window {
		add("The record is short: %d runs in %s. Policies that learn from the past have hardly begun to; record %d runs over %s at least before you decide by this.",
			was.Total.Runs, shortTime(span.Round(time.Second)), fewRuns, shortTime(fewWindows*r.Window))
	}
	if was.Total.ColdStarts == 0 {
		if starts, _ := r.Means(); !slices.ContainsFunc(starts, func(d time.Duration) bool { return d > 0 }) {
			add("No cold start was recorded: %s is taken for each.", replay.UnknownStart)
		}
	}
	if !r.Journal {
		add("The journal says nothing of the pool scheduler: %s is taken to have been in force.", r.InForce)
	}
	if was.Unended > 0 {
		add("%d runs that had not ended are left out.", was.Unended)
	}
	return out
}

// Outcome is what happened to runs, or would have.
type Outcome = replay.Outcome
