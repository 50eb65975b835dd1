package control

import (
	"errors"
	"slices"

	"github.com/aquatope/aquatope/tuner"
)

// Joint decides over the resources and the warm pool of one workflow together.
// Both spend the same error budget: a run breaks the promise because it met a
// cold start or because it was slow, so that slack bought with resources pays for
// instances that need not be kept, and the other way round. And both move each
// other's price: larger instances cost more while idle, and how long they idle
// decides which size is cheapest.
//
// Nothing here simulates: Predict says what a plan would do, with the
// uncertainty that is left, and Configure which configurations are worth
// predicting (package sim/rehearsal has both). The search is deterministic.
type Joint struct {
	// Budget is the share of runs that may break the promise, in (0, 1).
	Budget float64
	// Loss is what a run that breaks the promise loses, in costs of a run. Plans are
	// compared by their cost with that: fewer violations are bought where they are
	// cheap, even if there is budget for more.
	Loss float64
	// Inertia is the share that has to be saved for Adjust to change a plan.
	Inertia float64
	// Caution is how many standard deviations of the prediction the budget is
	// kept above its mean.
	Caution float64
	// ColdStarts are about how many seconds each function takes to start: the
	// slowest are those first tried to be kept.
	ColdStarts []float64
	// Prices of a cold start to choose from, ascending.
	Prices []float64
	// Alone leaves look-ahead out: see JointPlan.
	Alone bool
	// Starts are plans to begin with besides those that Solve thinks of, such as
	// the one in force. What is decided is expected to be no worse than any.
	Starts []JointPlan
	// Configure returns configurations, from the cheapest to the fastest, for
	// functions that are served as is known: the zero value as long as nothing is.
	Configure func(tuner.Serving) ([]tuner.Configuration, error)
	// Predict returns what a plan would do, from a share, in (0, 1], of all that
	// it can be tried on: less is faster and less certain. Plans are compared by
	// the same share, and should meet the same luck.
	Predict func(p JointPlan, share float64) (JointPrediction, error)
}

// JointPlan is what Joint decides.
type JointPlan struct {
	Configuration tuner.Configuration
	// Price of a cold start in seconds of idle instances (pool.Function.Price,
	// with an idle cost of 1).
	Price float64
	// OnDemand tells of each function whether it is not kept between runs.
	OnDemand []bool
	// Alone says that a run starts each function by itself: without look-ahead.
	Alone bool
}

// Equal reports whether both are the same plan.
func (p JointPlan) Equal(q JointPlan) bool {
	return p.Price == q.Price && p.Alone == q.Alone && slices.Equal(p.OnDemand, q.OnDemand) && slices.Equal(p.Configuration, q.Configuration)
}

// JointPrediction is what a plan is expected to do.
type JointPrediction struct {
	Violations float64 // share of runs
	Deviation  float64 // standard deviation of that, over what is not known
	Unrest     float64 // standard deviation of that from one time to another, beyond chance
	Cost       float64 // of a run, idle time included
	// Serving says for how long instances stand and invocations wait with the plan.
	tuner.Serving
}

// Used is the share of runs that is expected to break the promise, with so much
// caution for what is not known. What changes with time does not become known.
func (x JointPrediction) Used(caution float64) float64 {
	return x.Violations + caution*x.Deviation + x.Unrest
}

// JointDecision is a plan with what is expected of it.
type JointDecision struct {
	JointPlan
	JointPrediction
	Feasible bool // the budget is expected to be kept
	Tried    int  // plans that were predicted in full
	// Frontier are the plans that were predicted in full of which no other costs
	// less and breaks the promise less often, from the cheapest on.
	Frontier []JointDecision
}

// Solve searches from several starts, each with few of the functions kept or many,
// by moving one part of the plan at a time; all of them on a small share of what
// plans can be tried on, the best on more, and the last on all. Then it asks for
// configurations anew that know for how long instances stand. With look-ahead and
// without it is searched apart, so that having the choice never makes it worse.
func (j Joint) Solve() (JointDecision, error) {
	if !(j.Budget > 0 && j.Budget < 1) || len(j.Prices) == 0 {
		return JointDecision{}, errors.New("deciding jointly: there is no error budget or no price")
	}
	s := &jointSearch{Joint: j}
	best, err := s.solve(true)
	if err != nil {
		return JointDecision{}, err
	}
	if !j.Alone {
		d, err := s.solve(false)
		if err != nil {
			return JointDecision{}, err
		}
		if !s.better(best, d) {
			best = d
		}
	}
	return s.decided(best), nil
}

// Adjust searches near to Starts only, among prices, which functions are kept and
// the configurations given: little is tried, so that a plan in force can be
// adjusted often. The first of Starts is kept unless it breaks the budget or
// Inertia of what it costs can be saved: a change is not free. While it keeps the budget
// each part of it moves by a step only: what came last, such as a burst, may
// not be what comes, and the next adjustment sees what this one did.
func (j Joint) Adjust(all []tuner.Configuration) (JointDecision, error) {
	if !(j.Budget > 0 && j.Budget < 1) || len(j.Prices) == 0 || len(j.Starts) == 0 {
		return JointDecision{}, errors.New("adjusting a joint plan: there is no error budget, no price or no plan")
	}
	s := &jointSearch{Joint: j}
	before, err := s.predict(j.Starts[0], 1)
	if err != nil {
		return JointDecision{}, err
	}
	steps := 1
	if !before.Feasible {
		steps = deep
	}
	best := before
	for _, p := range j.Starts {
		d, err := s.descend(p, all, 1, steps)
		if err != nil {
			return JointDecision{}, err
		}
		if s.better(d, best) {
			best = d
		}
	}
	if before.Feasible && s.outlay(best) > (1-j.Inertia)*s.outlay(before) {
		best = before
	}
	best.Tried, best.Frontier = len(s.full()), frontier(s.full())
	return best, nil
}

// decided is the end of a search.
func (s *jointSearch) decided(best JointDecision) JointDecision {
	full := s.full()
	best.Tried, best.Frontier = len(full), frontier(full)
	return best
}
