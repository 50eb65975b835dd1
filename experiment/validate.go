package experiment

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/pool/baseline"
	"github.com/aquatope/aquatope/run"
	"github.com/aquatope/aquatope/sim/fleet"
	"github.com/aquatope/aquatope/sim/flow"
	"github.com/aquatope/aquatope/stats"
	"github.com/aquatope/aquatope/workflow"
)

// ValidateWithin is how far a simulated figure may be off the live one.
const ValidateWithin = 0.15

// validateSeeds is how many simulations a simulated figure is the mean of.
const validateSeeds = 20

// ValidateLive is what happened when a workflow ran under a series of arrivals,
// its idle instances being kept for a fixed time.
type ValidateLive struct {
	Workflow  *workflow.Workflow
	Functions []function.Function // that the workflow calls
	Runs      []run.Run           // in order of Start
	Inputs    map[string]int      // of runs by their ids: which of the sample inputs
	Weights   []float64           // of the sample inputs
	KeepAlive time.Duration
	Price     function.Price
	// From Begin to End the time is cut into blocks. In turn, one is learnt from
	// and the next compared, so that what changes on the machine meanwhile is in
	// both.
	Begin, End time.Time
	Block      time.Duration
	// IdleCost is that of idle instances in the blocks that are compared.
	IdleCost float64
}

// compared says whether what begins at a moment is compared rather than learnt from.
func (l *ValidateLive) compared(t time.Time) bool { return t.Sub(l.Begin)/l.Block%2 == 1 }

// ValidateResult is one figure of a live run and its simulation.
type ValidateResult struct {
	Workflow  string  `json:"workflow"`
	Figure    string  `json:"figure"`
	Live      float64 `json:"live"`
	Simulated float64 `json:"simulated"` // mean over simulations
	// Lowest and Highest are those of single simulations.
	Lowest  float64 `json:"lowest"`
	Highest float64 `json:"highest"`
	Ratio   float64 `json:"ratio"` // of simulated to live
	Within  bool    `json:"within"`
}

// Validate learns service and start times from every other block of a live run,
// simulates the arrivals of all of it, and compares the other blocks.
func Validate(l *ValidateLive, seed uint64) ([]ValidateResult, error) {
	w, err := l.learn()
	if err != nil {
		return nil, fmt.Errorf("validating the simulator: workflow %s: %w", l.Workflow.Name, err)
	}
	live, err := l.figures()
	if err != nil {
		return nil, fmt.Errorf("validating the simulator: workflow %s: %w", l.Workflow.Name, err)
	}
	simulated := make([][]float64, len(live))
	for i := range validateSeeds {
		for k, v := range l.simulate(w, seed+uint64(i)) {
			simulated[k] = append(simulated[k], v)
		}
	}
	out := make([]ValidateResult, len(live))
	for k, name := range [...]string{"p50Millis", "p95Millis", "coldStarts", "cost"} {
		mean, _ := stats.Moments(simulated[k])
		r := ValidateResult{
			Workflow: l.Workflow.Name, Figure: name, Live: live[k], Simulated: mean,
			Lowest: slices.Min(simulated[k]), Highest: slices.Max(simulated[k]), Ratio: mean / live[k],
		}
		r.Within = math.Abs(r.Ratio-1) <= ValidateWithin
		out[k] = r
	}
	return out, nil
}

// figures are those of the blocks of the live run that are compared: p50 and p95 of the latency in
// milliseconds, invocations that waited for a start, and the cost of instances
// that served, started for an invocation or were idle.
func (l *ValidateLive) figures() ([4]float64, error) {
	var latencies []float64
	var cold int
	cost := l.IdleCost
	resources := l.resources()
	for i := range l.Runs {
		r := &l.Runs[i]
		if r.Status != run.StatusCompleted {
			return [4]float64{}, fmt.Errorf("run %s did not complete: %s", r.ID, r.Status)
		}
		if l.compared(r.Start) {
			latencies = append(latencies, 1000*r.Latency().Seconds())
		}
		for k := range r.Stages {
			s := &r.Stages[k]
			if !l.compared(s.Start) {
				continue
			}
			if s.Cold {
				cold++
			}
			cost += l.Price.Invocation(resources[s.Function], s.Duration-s.Queue)
		}
	}
	if len(latencies) < fewestValidated || cold == 0 {
		return [4]float64{}, fmt.Errorf("%d runs with %d cold starts in the blocks to compare are too few: run for longer", len(latencies), cold)
	}
	q := stats.Quantiles(latencies, 0.5, 0.95)
	return [4]float64{q[0], q[1], float64(cold), cost}, nil
}

// fewestValidated is how many runs must be learnt from and compared, each.
const fewestValidated = 20

func (l *ValidateLive) resources() map[string]function.Resources {
	out := map[string]function.Resources{}
	for _, f := range l.Functions {
		out[f.Name] = f.Resources
	}
	return out
}

// simulate returns the figures of one simulation.
func (l *ValidateLive) simulate(w flow.Workflow, seed uint64) [4]float64 {
	var latencies []float64
	cold, cost := 0, 0.0
	s := flow.New([]flow.Workflow{w}, baseline.KeepAlive{Timeout: l.KeepAlive}, flow.Config{
		Window: time.Minute, Until: l.End.Sub(l.Begin), Price: l.Price, Seed: seed,
		OnRun: func(r flow.Run) {
			if l.compared(l.Begin.Add(r.At)) {
				latencies = append(latencies, 1000*r.Latency.Seconds())
			}
		},
		OnStage: func(x flow.Stage) {
			if (x.How == fleet.Cold || x.How == fleet.Joined) && l.compared(l.Begin.Add(x.At)) {
				cold++
			}
		},
	})
	next := 0
	for at := l.Begin; at.Before(l.End); at = at.Add(l.Block) {
		end := at.Add(l.Block)
		before := s.Result().Workflows[0].Cost()
		for ; next < len(l.Runs) && l.Runs[next].Start.Before(end); next++ {
			r := &l.Runs[next]
			s.Feed([]flow.Arrival{{At: r.Start.Sub(l.Begin), Input: 1 + l.Inputs[r.ID]}})
		}
		s.Advance(end.Sub(l.Begin) - 1)
		if l.compared(at) {
			cost += s.Result().Workflows[0].Cost() - before
		}
	}
	s.Finish()
	q := stats.Quantiles(latencies, 0.5, 0.95)
	return [4]float64{q[0], q[1], float64(cold), cost}
}
