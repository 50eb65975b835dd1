package pool

import (
	"time"

	"github.com/aquatope/aquatope/workflow"
)

// Foreseer is a policy that looks ahead along a workflow: the start of a run
// tells which functions will be needed and when.
type Foreseer interface {
	// Foresee is called after Arrive, and returns what to have ready because of
	// that invocation. The slice is valid until the next call.
	Foresee(e Event) []Ahead
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
	// Probability that a run reaches it.
	Probability float64
	// Early and Late bound when, from the start of the run.
	Early, Late time.Duration
}

// The quantiles of a stage's lag between which it is expected.
const earlyLag, lateLag = 0.02, 0.98

// Successors returns what follows the entry of a workflow, from the lags of its
// stages (workflow.Composition.Lags) and the functions that the stages call. A
// stage that starts with the run is an entry itself and left out.
func Successors(lags []workflow.Lag, function []int) []Successor {
	var out []Successor
	for _, l := range lags {
		if l.Reached == 0 || l.Quantile(lateLag) <= 0 {
			continue
		}
		out = append(out, Successor{
			Function: function[l.Stage], Probability: l.Reached,
			Early: secondsOf(l.Quantile(earlyLag)), Late: secondsOf(l.Quantile(lateLag)),
		})
	}
	return out
}

func secondsOf(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// lookahead is what the project's policy does with successors: those that can
// be started in time when a run starts are not kept warm between runs.
type lookahead struct {
	of       map[int][]Ahead // by entry
	followed []bool          // by function
	restart  []float64       // GB-seconds to have one ready just in time, by function
}

func newLookahead(functions []Function, successors map[int][]Successor, price float64) lookahead {
	l := lookahead{of: map[int][]Ahead{}, followed: make([]bool, len(functions)), restart: make([]float64, len(functions))}
	for entry, all := range successors {
		for _, s := range all {
			f := functions[s.Function]
			// Ready when the earliest runs arrive, kept until the latest have.
			after := s.Early - f.ColdStart
			idle := f.GB() * (s.Late - s.Early + f.ColdStart).Seconds()
			if after < 0 || idle > price*s.Probability {
				continue // too late to start with the run, or dearer than the cold start
			}
			l.followed[s.Function] = true
			l.restart[s.Function] = idle
			l.of[entry] = append(l.of[entry], Ahead{Function: s.Function, After: after, Hold: s.Late - s.Early + lookaheadSlack})
		}
	}
	return l
}

// lookaheadSlack is how much longer than its latest lag a stage is waited for.
const lookaheadSlack = time.Second
