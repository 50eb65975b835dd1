package pool

import (
	"math"
	"time"

	"github.com/aquatope/aquatope/workflow"
)

// Foreseer is a policy that looks ahead along a workflow: the start of a run
// tells which functions will be needed and when.
type Foreseer interface {
	// Foresee is called when a run starts, after Arrive, and returns what to have
	// ready because of it. An entry is a way to start a run; who calls numbers
	// them as in the successors that the policy was given: the simulator by the
	// function invoked first. The slice is valid until the next call.
	Foresee(entry int) []Ahead
}

// Ahead asks for one more free instance of a function from After on, for Hold.
// An instance that is free already serves; otherwise one is started.
type Ahead struct {
	Function    int
	After, Hold time.Duration
}

// Successor is a function that a run reaches after the invocation of its entry.
type Successor struct {
	Function int
	// Lag is when, from the start of the run, and in which share of runs.
	Lag workflow.Lag
	// Instances is how many the run needs at once; 0 means 1.
	Instances int
}

// Successors returns what follows the entry of a workflow, from the lags of its
// stages (workflow.Composition.Lags) and the functions that the stages call. A
// stage that starts with the run is an entry itself and left out.
func Successors(lags []workflow.Lag, function []int) []Successor {
	var out []Successor
	for _, l := range lags {
		if l.Reached > 0 && l.Quantile(1) > 0 {
			out = append(out, Successor{Function: function[l.Stage], Lag: l})
		}
	}
	return out
}

// readyAt returns when to have an instance ready, in seconds from the start of a
// run: the time at which being late costs, in expectation, as little as it can
// together with being idle until the stage is reached. Below the earliest lag
// that was sampled the chance of an earlier one is taken to halve with every
// twentieth of it, which is slower than the tails of service times fall.
func readyAt(l workflow.Lag, gb, price float64) float64 {
	n := float64(len(l.Seconds))
	first, mean := l.Seconds[0], l.Mean()
	best, bestCost := 0.0, gb*mean
	consider := func(t, late float64) {
		if cost := price*late + gb*(mean-t); cost < bestCost {
			best, bestCost = t, cost
		}
	}
	for i, t := range l.Seconds {
		consider(t, float64(i+1)/(n+1))
	}
	for k := 1; k < 20; k++ {
		consider(first*(1-float64(k)/20), math.Exp2(-float64(k))/(n+1))
	}
	return best
}

func secondsOf(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// lookahead is what the project's policy does with successors: those that can
// be started in time when a run starts are not kept warm between runs.
type lookahead struct {
	of       map[int][]Ahead // by entry
	followed []bool          // by function: not kept between runs
	restart  []float64       // idle cost to have one ready just in time, by function
}

func newLookahead(functions []Function, successors map[int][]Successor, enough func(function int) bool, cfg Config) lookahead {
	l := lookahead{of: map[int][]Ahead{}, followed: make([]bool, len(functions)), restart: make([]float64, len(functions))}
	for i, f := range functions {
		l.followed[i] = f.OnDemand
		l.restart[i] = f.idleCost() * f.ColdStart.Seconds()
	}
	for entry, all := range successors {
		for _, s := range all {
			f := functions[s.Function]
			cost := f.idleCost()
			at, last := readyAt(s.Lag, cost, cfg.Price), s.Lag.Quantile(1)
			after := secondsOf(at) - f.ColdStart
			idle := cost * (s.Lag.Mean() - at + f.ColdStart.Seconds())
			late := after < 0
			if late && !cfg.Hurry || idle > cfg.Price*s.Lag.Reached {
				continue // too late to start with the run, or dearer than the cold start
			}
			if late {
				after, at = 0, f.ColdStart.Seconds()
			} else {
				l.followed[s.Function] = f.OnDemand || enough == nil || enough(s.Function)
			}
			l.restart[s.Function] = idle
			ahead := Ahead{Function: s.Function, After: after, Hold: secondsOf(max(0, last-at)) + lookaheadSlack}
			for range max(1, s.Instances) {
				l.of[entry] = append(l.of[entry], ahead)
			}
		}
	}
	return l
}

// lookaheadSlack is how much longer than for its latest lag a stage is waited for.
const lookaheadSlack = time.Second
