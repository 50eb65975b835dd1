package control

import (
	"cmp"
	"errors"
	"math"
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
// predicting. The search is deterministic.
type Joint struct {
	// Budget is the share of runs that may break the promise, in (0, 1).
	Budget float64
	// Thrift is how much more than the cheapest a plan may cost, as a share,
	// where that buys fewer violations.
	Thrift float64
	// Caution is how many standard deviations of the prediction the budget is
	// kept above its mean.
	Caution float64
	// Functions is their number.
	Functions int
	// Prices of a cold start to choose from, ascending.
	Prices []float64
	// Configure returns configurations, from the cheapest to the fastest, when
	// instances of each function stand for so many seconds in each run; nil as
	// long as that is not known.
	Configure func(standing []float64) ([]tuner.Configuration, error)
	// Predict returns what a plan would do.
	Predict func(JointPlan) (JointPrediction, error)
}

// JointPlan is what Joint decides.
type JointPlan struct {
	Configuration tuner.Configuration
	// Price of a cold start in seconds of idle instances.
	Price float64
	// OnDemand tells of each function whether it is not kept between runs.
	OnDemand []bool
}

// JointPrediction is what a plan is expected to do.
type JointPrediction struct {
	Violations float64   // share of runs
	Deviation  float64   // standard deviation of that, over what is not known
	Cost       float64   // of a run, idle time included
	Standing   []float64 // seconds of each function's instances in each run that serve nothing
}

// JointDecision is a plan with what is expected of it.
type JointDecision struct {
	JointPlan
	JointPrediction
	Feasible bool // the budget is expected to be kept
	Tried    int  // plans that were predicted
	// Frontier are the plans that were predicted of which no other costs less and
	// breaks the promise less often, from the cheapest on.
	Frontier []JointDecision
}

// rounds bounds how often configurations are asked for anew.
const rounds = 3

// Solve searches by turns: the price, each function's being kept, the
// configuration, until none of them helps; then once more with configurations
// that know for how long instances stand.
func (j Joint) Solve() (JointDecision, error) {
	if !(j.Budget > 0 && j.Budget < 1) || len(j.Prices) == 0 {
		return JointDecision{}, errors.New("deciding jointly: there is no error budget or no price")
	}
	s := &jointSearch{Joint: j}
	var best JointDecision
	var standing []float64
	for range rounds {
		all, err := j.Configure(standing)
		if err != nil {
			return JointDecision{}, err
		}
		if len(all) == 0 {
			return JointDecision{}, errors.New("deciding jointly: there is no configuration to choose from")
		}
		before := best
		for _, start := range s.starts(best, all) {
			d, err := s.descend(start, all)
			if err != nil {
				return JointDecision{}, err
			}
			if best.Configuration == nil || s.better(d, best) {
				best = d
			}
		}
		if before.Configuration != nil && best.Cost > 0.995*before.Cost {
			break
		}
		standing = best.Standing
	}
	best = s.thrifty(best)
	best.Tried, best.Frontier = len(s.seen), s.frontier()
	return best, nil
}

func (s *jointSearch) frontier() []JointDecision {
	all := slices.Clone(s.seen)
	slices.SortStableFunc(all, func(a, b JointDecision) int {
		return cmp.Or(cmp.Compare(a.Cost, b.Cost), cmp.Compare(a.Violations, b.Violations))
	})
	var out []JointDecision
	for _, d := range all {
		if len(out) == 0 || d.Violations < out[len(out)-1].Violations {
			out = append(out, d)
		}
	}
	return out
}

type jointSearch struct {
	Joint
	seen []JointDecision
}

// starts are the best plan so far with the configurations asked for last, or in
// the beginning both ends: everything kept, and nothing.
func (s *jointSearch) starts(best JointDecision, all []tuner.Configuration) []JointPlan {
	if best.Configuration != nil {
		p := best.JointPlan
		p.Configuration = nearest(all, p.Configuration)
		return []JointPlan{p}
	}
	kept, free := make([]bool, s.Functions), make([]bool, s.Functions)
	for f := range free {
		free[f] = true
	}
	return []JointPlan{
		{Configuration: all[len(all)/2], Price: s.Prices[len(s.Prices)-1], OnDemand: kept},
		{Configuration: all[len(all)-1], Price: s.Prices[0], OnDemand: free},
	}
}

// nearest returns the configuration that gives about as much CPU in all as c.
func nearest(all []tuner.Configuration, c tuner.Configuration) tuner.Configuration {
	size := func(c tuner.Configuration) (sum float64) {
		for _, r := range c {
			sum += math.Log(r.CPU.Cores())
		}
		return sum
	}
	want := size(c)
	return slices.MinFunc(all, func(a, b tuner.Configuration) int {
		if math.Abs(size(a)-want) < math.Abs(size(b)-want) {
			return -1
		}
		return 1
	})
}

// descend moves one part of the plan at a time while that helps.
func (s *jointSearch) descend(start JointPlan, all []tuner.Configuration) (JointDecision, error) {
	best, err := s.predict(start)
	if err != nil {
		return JointDecision{}, err
	}
	for range 4 {
		before := best
		for _, moves := range []func(JointPlan) []JointPlan{
			func(p JointPlan) []JointPlan {
				var out []JointPlan
				for _, c := range all {
					q := p
					q.Configuration = c
					out = append(out, q)
				}
				return out
			},
			func(p JointPlan) []JointPlan {
				var out []JointPlan
				for _, price := range s.Prices {
					q := p
					q.Price = price
					out = append(out, q)
				}
				return out
			},
			s.toggles,
		} {
			for _, p := range moves(best.JointPlan) {
				d, err := s.predict(p)
				if err != nil {
					return JointDecision{}, err
				}
				if s.better(d, best) {
					best = d
				}
			}
		}
		if !s.better(best, before) {
			break
		}
	}
	return best, nil
}

// toggles change whether one function is kept.
func (s *jointSearch) toggles(p JointPlan) []JointPlan {
	var out []JointPlan
	for f := range p.OnDemand {
		q := p
		q.OnDemand = slices.Clone(p.OnDemand)
		q.OnDemand[f] = !q.OnDemand[f]
		out = append(out, q)
	}
	return out
}

// predict asks for a plan once.
func (s *jointSearch) predict(p JointPlan) (JointDecision, error) {
	for _, d := range s.seen {
		if d.Price == p.Price && slices.Equal(d.OnDemand, p.OnDemand) && slices.Equal(d.Configuration, p.Configuration) {
			return d, nil
		}
	}
	x, err := s.Predict(p)
	if err != nil {
		return JointDecision{}, err
	}
	d := JointDecision{JointPlan: p, JointPrediction: x, Feasible: s.used(x) <= s.Budget}
	s.seen = append(s.seen, d)
	return d, nil
}

// used is the share of runs that is expected to break the promise, with caution.
func (s *jointSearch) used(x JointPrediction) float64 { return x.Violations + s.Caution*x.Deviation }

// better prefers what keeps the budget, then what costs less. Where nothing keeps
// it, fewer violations are worth money, but not any money.
func (s *jointSearch) better(a, b JointDecision) bool {
	if a.Feasible != b.Feasible {
		return a.Feasible
	}
	if !a.Feasible {
		return s.regret(a) < s.regret(b)
	}
	return a.Cost < b.Cost
}

// worth is by how many percent more may be spent for one percent fewer violations
// where the budget cannot be kept.
const worth = 4

func (s *jointSearch) regret(d JointDecision) float64 {
	return worth*math.Log(math.Max(s.used(d.JointPrediction), 1e-6)) + math.Log(math.Max(d.Cost, 1e-300))
}

// thrifty returns the plan of fewest violations among those that cost little
// more than the best.
func (s *jointSearch) thrifty(best JointDecision) JointDecision {
	if !best.Feasible {
		return best
	}
	limit := best.Cost * (1 + s.Thrift)
	for _, d := range s.seen {
		if d.Feasible && d.Cost <= limit && s.used(d.JointPrediction) < s.used(best.JointPrediction) {
			best = d
		}
	}
	return best
}
