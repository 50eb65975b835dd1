package experiment

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/pool/baseline"
	"github.com/aquatope/aquatope/run"
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
	// What happened before Middle is learnt from; what happened from then until
	// End is compared.
	Middle, End time.Time
	// IdleCost is that of idle instances from Middle to End.
	IdleCost float64
}

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

// Validate learns service and start times from the first half of a live run,
// simulates the arrivals of all of it, and compares the second half.
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

// figures are those of the live run's second half: p50 and p95 of the latency in
// milliseconds, invocations that waited for a start, and the cost of instances
// that served, started for an invocation or were idle.
func (l *ValidateLive) figures() ([4]float64, error) {
	var latencies []float64
	var cold int
	cost := l.IdleCost
	resources := l.resources()
	for i := range l.Runs {
		r := &l.Runs[i]
		if r.Start.Before(l.Middle) {
			continue
		}
		if r.Status != run.StatusCompleted {
			return [4]float64{}, fmt.Errorf("run %s did not complete: %s", r.ID, r.Status)
		}
		latencies = append(latencies, 1000*r.Latency().Seconds())
		for k := range r.Stages {
			s := &r.Stages[k]
			if s.Cold {
				cold++
			}
			cost += l.Price.Invocation(resources[s.Function], s.Duration-s.Queue)
		}
	}
	if len(latencies) < fewestValidated || cold == 0 {
		return [4]float64{}, fmt.Errorf("%d runs with %d cold starts in the second half are too few to compare: run for longer", len(latencies), cold)
	}
	q := stats.Quantiles(latencies, 0.5, 0.95)
	return [4]float64{q[0], q[1], float64(cold), cost}, nil
}

// fewestValidated is how many runs each half must have.
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
	begin := l.Runs[0].Start
	var latencies []float64
	s := flow.New([]flow.Workflow{w}, baseline.KeepAlive{Timeout: l.KeepAlive}, flow.Config{
		Window: time.Minute, From: l.Middle.Sub(begin), Until: l.End.Sub(begin), Price: l.Price, Seed: seed,
		OnRun: func(r flow.Run) {
			if r.At >= l.Middle.Sub(begin) {
				latencies = append(latencies, 1000*r.Latency.Seconds())
			}
		},
	})
	for i := range l.Runs {
		r := &l.Runs[i]
		s.Feed([]flow.Arrival{{At: r.Start.Sub(begin), Input: 1 + l.Inputs[r.ID]}})
	}
	r := s.Finish().Workflows[0]
	q := stats.Quantiles(latencies, 0.5, 0.95)
	return [4]float64{q[0], q[1], float64(r.ColdStarts + r.Joined), r.Cost()}
}
