package experiment

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/aquatope/aquatope/sim/rehearsal"
	"github.com/aquatope/aquatope/stats"
	"github.com/aquatope/aquatope/tuner"
)

// session is what a tuner found, and what that cost.
type session struct {
	strategy      tuner.Strategy
	problem       *tuner.Problem // with the target that the strategy was given
	history       []tuner.Run
	cold          [][]rehearsal.Start // that trials saw, by function
	cost          float64             // of all trials, the start-ups of their instances included
	configuration tuner.Configuration
	feasible      bool
}

// budgets are the workflow runs of each strategy: what its authors give it, else
// what the project's own gets.
var budgets = map[string]int{
	"structured": 50,
	"blackbox":   70, // 10 random, 20 batches of 3
	"clite":      30,
	"orion":      70, // its profiling is offline, by hundreds of invocations
	"parrotfish": 50,
	"autoscale":  50,
}

// judgesByOne are the strategies that run each configuration once and compare
// the one latency that they see with the target.
var judgesByOne = map[string]bool{"clite": true, "blackbox": true}

// calibrationRuns tell those how much slower than the median the promised
// percentile is.
const calibrationRuns = 10

// tuning is how a session tunes: with a strategy, for the mean instead of a
// percentile, and knowing in its second half how the functions will be served.
type tuning struct {
	strategy      string
	mean, serving bool
}

// session tunes the workflow, once for all systems that tune alike.
func (w *endWorld) session(ctx context.Context, key tuning) (session, error) {
	w.mu.Lock()
	once, ok := w.sessions[key]
	if !ok {
		once = sync.OnceValues(func() (session, error) { return w.tune(ctx, key) })
		w.sessions[key] = once
	}
	w.mu.Unlock()
	return once()
}

func (w *endWorld) tune(ctx context.Context, key tuning) (session, error) {
	name, mean := key.strategy, key.mean
	strategy, err := newStrategy(name)
	if err != nil {
		return session{}, err
	}
	p := *w.problem
	if mean {
		p.Target.Percentile = 0
	}
	s := session{strategy: strategy, problem: &p, cold: make([][]rehearsal.Start, len(w.tables))}
	rng := stats.Stream(w.seed, "experiment/endtoend/trials of "+w.model.Name)
	budget := budgets[name]
	if judgesByOne[name] && !mean {
		// One latency says nothing of a percentile: their target is tightened by
		// how far the promised percentile is above the median, as measured. Those
		// runs are paid for and do not count for their budget.
		var logs []float64
		var calibration []tuner.Run
		for range calibrationRuns {
			r, err := w.trial(&s, &p, calibration, p.Largest(), rng)
			if err != nil {
				return session{}, err
			}
			calibration = append(calibration, r)
			if !r.Failed {
				logs = append(logs, math.Log(r.Latency))
			}
		}
		if len(logs) > 1 {
			p.Target.Seconds /= math.Exp(distuv.UnitNormal.Quantile(p.Target.Percentile/100) * stat.StdDev(logs, nil))
		}
	}
	for len(s.history) < budget {
		if err := ctx.Err(); err != nil {
			return session{}, err
		}
		if key.serving && len(s.history) == budget/2 {
			// What is cheapest depends on what the pool will do, and that on what was
			// learnt: decide now, and look further where the decision is.
			r, err := w.rehearse(ctx, jointOptions{strategy: name, mean: mean}, s)
			if err != nil {
				return session{}, err
			}
			d, err := r.decide()
			if err != nil {
				return session{}, err
			}
			p.Serving = d.Serving
		}
		batch, err := strategy.Next(&p, s.history, batchOf(name), budget-len(s.history),
			stats.Stream(w.seed, fmt.Sprintf("decision %d of %s", len(s.history), w.model.Name)))
		if err != nil {
			return session{}, fmt.Errorf("tuning with %s: %w", name, err)
		}
		if len(batch) == 0 {
			break
		}
		for _, c := range batch {
			r, err := w.trial(&s, &p, s.history, c, rng)
			if err != nil {
				return session{}, err
			}
			s.history = append(s.history, r)
		}
	}
	res, err := strategy.Recommend(&p, s.history, stats.Stream(w.seed, "recommendation of "+w.model.Name))
	if err != nil {
		return session{}, fmt.Errorf("tuning with %s: %w", name, err)
	}
	s.configuration, s.feasible = res.Configuration, res.Feasible
	return s, nil
}

// trial runs the workflow once more than in a history with a configuration: on
// instances of its own, each of which has to start first.
func (w *endWorld) trial(s *session, p *tuner.Problem, history []tuner.Run, c tuner.Configuration, rng *rand.Rand) (tuner.Run, error) {
	input, err := tuner.NextInput(s.strategy, p, history, c, stats.Stream(w.seed, fmt.Sprintf("input %d of %s", len(history), w.model.Name)))
	if err != nil {
		return tuner.Run{}, fmt.Errorf("tuning with %s: choosing an input: %w", s.strategy.Name(), err)
	}
	r := w.run(c, input, rng)
	s.cost += w.problem.Cost(r)
	for f, t := range w.tables {
		for range w.widths[f] {
			starts := t.ColdStarts(c[f])
			cold := starts[rng.IntN(len(starts))]
			s.cold[f] = append(s.cold[f], rehearsal.Start{CPU: c[f].CPU, Seconds: cold})
			s.cost += cold * w.problem.Price.Idle(c[f], time.Second)
		}
	}
	return r, nil
}
