package control

import "math"

// Spending is the running account of an error budget: how many runs may still
// break the promise, and how far what rehearsals expect is from what comes. What
// it allows is for Joint.Budget when a plan in force is adjusted, so that budget
// that caution did not need is spent, and what chance took is saved again.
type Spending struct {
	// Budget is the share of runs that may break the promise, in (0, 1).
	Budget float64
	// Ahead is how many runs are planned for at least, such as those that come in
	// half a day, between 60 and 200: the more, the less is set aside for chance.
	Ahead int

	runs, violations, expected float64
}

const (
	// spendingLeastAhead and spendingMostAhead bound Ahead. Later it is as many
	// runs as there have been.
	spendingLeastAhead, spendingMostAhead = 60, 200
	// spendingMargin is how many standard deviations of counting the runs ahead
	// are kept from the end of the budget: what chance takes can be saved later, and
	// where starts are slow a plan with half the violations costs twice as much.
	spendingMargin = 1.0
	// spendingPrior is how many violations it takes until experience counts for
	// as much as rehearsals.
	spendingPrior = 0.5
	// spendingBias is the least that rehearsals' expectations are multiplied by: for
	// another plan than those that served they may be right.
	spendingBias = 1. / 3
	// spendingLeast and spendingMost bound what is allowed, in budgets: however
	// much was spent there is a plan to be made, and what was saved for long is not
	// spent at once, as far as experience tells what that takes.
	spendingLeast, spendingMost = 0.1, 1.5
)

// Add accounts for runs of which a share was expected to break the promise and
// some did.
func (s *Spending) Add(runs, violations int, expected float64) {
	s.runs += float64(runs)
	s.violations += float64(violations)
	s.expected += expected * float64(runs)
}

// Runs is how many were accounted for.
func (s *Spending) Runs() int { return int(s.runs) }

// Doubt, in (0, 1], is how much of the uncertainty of predictions is left: it
// falls with the runs that were seen.
func (s *Spending) Doubt() float64 {
	return math.Sqrt(spendingLeastAhead / (spendingLeastAhead + s.runs))
}

// Allowance returns the share of runs that the next plan may be expected to break
// the promise for, as rehearsals count. With it the runs of the past and as many
// again stay within the budget together, a margin for counting from
// its end.
func (s *Spending) Allowance() float64 {
	ahead := max(float64(min(max(s.Ahead, spendingLeastAhead), spendingMostAhead)), s.runs)
	room := max(0, s.Budget*(s.runs+ahead)-s.violations)
	// x expected and margin*sqrt(x) for chance fill the room.
	root := (math.Sqrt(spendingMargin*spendingMargin+4*room) - spendingMargin) / 2
	share := root * root / ahead
	bias := (s.violations + spendingPrior) / (s.expected + spendingPrior)
	return max(min(share, spendingMost*s.Budget)/max(bias, spendingBias), spendingLeast*s.Budget)
}
