package control

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/tuner"
)

// Verdict is what a session came to.
type Verdict string

// The verdicts.
const (
	VerdictFeasible   Verdict = "feasible"   // the recommendation keeps the promise
	VerdictInfeasible Verdict = "infeasible" // no configuration keeps it
	VerdictUnknown    Verdict = "unknown"    // too few runs to have found one that does
)

// TuningOutcome is a recommendation with what is predicted of it.
type TuningOutcome struct {
	tuner.Result
	Verdict  Verdict
	Runs     int
	Frontier []tuner.FrontierPoint
}

// Incumbent returns the recommendation as it stands, without the frontier.
func (t *Tuning) Incumbent() (TuningOutcome, error) {
	return t.outcome(t.problem.Target)
}

func (t *Tuning) outcome(target tuner.Target) (TuningOutcome, error) {
	if len(t.history) == 0 {
		return TuningOutcome{}, ErrNoTrial
	}
	p := t.problem
	p.Target = target
	res, err := t.c.Strategy.Recommend(&p, t.history, t.stream("recommendation"))
	if err != nil {
		return TuningOutcome{}, fmt.Errorf("recommending a configuration: %w", err)
	}
	if !res.Feasible {
		if res, err = t.noStepBack(&p, res); err != nil {
			return TuningOutcome{}, err
		}
	}
	out := TuningOutcome{Result: res, Runs: len(t.history), Verdict: VerdictFeasible}
	if !res.Feasible {
		out.Verdict = VerdictUnknown
		// What comes closest is believed to miss the target beyond doubt.
		if res.Promised.Low > target.Seconds || len(res.Latency) == 0 && res.Blocker != "" {
			out.Verdict = VerdictInfeasible
		} else if res.Blocker != "" {
			out.Reason = fmt.Sprintf("too little is known to say that any configuration keeps %s: this one comes closest, and %q takes most of its time", target, res.Blocker)
		}
	}
	return out, nil
}

// noStepBack gives every function of a configuration that comes closest to a promise
// at least what it is deployed with. What comes closest is the least of many
// estimates, so it looks faster than it is, the more so the less the runs told, and
// may be slower than what serves. Nothing is slower for having more.
func (t *Tuning) noStepBack(p *tuner.Problem, res tuner.Result) (tuner.Result, error) {
	predict, ok := t.c.Strategy.(Predictor)
	if !ok || len(res.Latency) == 0 || len(res.Configuration) != len(p.Functions) {
		return res, nil
	}
	c := slices.Clone(res.Configuration)
	for i, f := range t.c.Functions {
		most := p.Functions[i].Space.Largest()
		c[i].CPU = max(c[i].CPU, min(f.Resources.CPU, most.CPU))
		c[i].Memory = max(c[i].Memory, min(f.Resources.Memory, most.Memory))
	}
	if slices.Equal(c, res.Configuration) {
		return res, nil
	}
	out, err := predict.Predict(p, t.history, c, t.stream("recommendation"))
	if err != nil {
		return res, fmt.Errorf("predicting what comes closest: %w", err)
	}
	out.Feasible = false // no search found anything that is
	if out.Blocker == "" {
		out.Blocker, out.Reason = res.Blocker, res.Reason
	}
	return out, nil
}

// Explain answers for any target what the session would recommend, from what is
// known, with the frontier of cost over latency around it.
func (t *Tuning) Explain(target tuner.Target) (TuningOutcome, error) {
	out, err := t.outcome(target)
	if err != nil || len(out.Latency) == 0 {
		return out, err
	}
	for i := range frontierPoints {
		at := target
		at.Seconds *= math.Pow(2, 2*float64(i)/(frontierPoints-1)-1)
		res, err := t.outcome(at)
		if err != nil {
			return out, err
		}
		out.Frontier = append(out.Frontier, tuner.FrontierPoint{
			Seconds: at.Seconds, Cost: res.Cost, Configuration: res.Configuration, Feasible: res.Feasible,
		})
	}
	return out, nil
}

// frontierPoints are the targets of a frontier, from half to twice the one asked
// for.
const frontierPoints = 13

// Conclude ends the session with its recommendation, journalled.
func (t *Tuning) Conclude(ctx context.Context, now time.Time) (TuningOutcome, error) {
	out, err := t.Explain(t.problem.Target)
	if err != nil {
		return out, err
	}
	return out, t.c.Journal.DecideTuning(ctx, TuningDecision{
		Time: now, Workflow: t.c.Workflow.Name, Kind: "recommendation", Reason: out.Reason, Data: t.Resources(out.Configuration),
	})
}

// Resources names the functions of a configuration.
func (t *Tuning) Resources(c tuner.Configuration) map[string]function.Resources {
	out := map[string]function.Resources{}
	for i, f := range t.problem.Functions {
		if i < len(c) {
			out[f.Name] = c[i]
		}
	}
	return out
}
