package control

import (
	"cmp"
	"errors"
	"math"
	"slices"

	"github.com/aquatope/aquatope/tuner"
)

type jointSearch struct {
	Joint
	seen       []jointTry
	configured []configured
}

type jointTry struct {
	JointDecision
	share float64
}

type configured struct {
	serving tuner.Serving
	all     []tuner.Configuration
}

// rounds bounds how often configurations are asked for anew.
const rounds = 3

// halving says on which share of what there is how many plans are tried: the best
// of each share go on to the next.
var halving = []struct {
	share float64
	best  int
}{{1. / 8, 4}, {1. / 2, 2}, {1, 1}}

func (s *jointSearch) solve(alone bool) (JointDecision, error) {
	var best JointDecision
	var serving tuner.Serving
	for range rounds {
		all, err := s.configure(serving)
		if err != nil {
			return JointDecision{}, err
		}
		before := best
		if best, err = s.halve(best, all, alone); err != nil {
			return JointDecision{}, err
		}
		if before.Configuration != nil && s.outlay(best) > 0.995*s.outlay(before) {
			break
		}
		serving = best.Serving // starting counts: it is paid and waited for where nothing is kept, too
	}
	return best, nil
}

func (s *jointSearch) configure(serving tuner.Serving) ([]tuner.Configuration, error) {
	for _, c := range s.configured {
		if c.serving.Equal(serving) {
			return c.all, nil
		}
	}
	all, err := s.Configure(serving)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, errors.New("deciding jointly: there is no configuration to choose from")
	}
	s.configured = append(s.configured, configured{serving, all})
	return all, nil
}

// halve returns the best plan that is found with some configurations, or the
// best so far.
func (s *jointSearch) halve(best JointDecision, all []tuner.Configuration, alone bool) (JointDecision, error) {
	starts := s.starts(best, all, alone)
	for _, level := range halving {
		if level.share == 1 {
			for _, p := range s.Starts {
				if p.Alone == alone {
					starts = append(starts, p)
				}
			}
			if best.Configuration != nil {
				starts = append(starts, best.JointPlan)
			}
		}
		var found []JointDecision
		for _, p := range starts {
			d, err := s.descend(p, all, level.share, deep)
			if err != nil {
				return best, err
			}
			if !slices.ContainsFunc(found, func(x JointDecision) bool { return x.Equal(d.JointPlan) }) {
				found = append(found, d)
			}
		}
		slices.SortStableFunc(found, func(a, b JointDecision) int {
			switch {
			case s.better(a, b):
				return -1
			case s.better(b, a):
				return 1
			}
			return 0
		})
		starts = nil
		for _, d := range found[:min(level.best, len(found))] {
			starts = append(starts, d.JointPlan)
		}
		if level.share == 1 {
			return found[0], nil
		}
	}
	panic("BUG: control: plans are not tried in full")
}

// starts are the best plan so far with the configuration asked for last that is
// nearest to its own; in the beginning nothing kept, the slowest to start, half of
// the functions, and all.
func (s *jointSearch) starts(best JointDecision, all []tuner.Configuration, alone bool) []JointPlan {
	if best.Configuration != nil {
		p := best.JointPlan
		p.Configuration = nearest(all, p.Configuration)
		return []JointPlan{p}
	}
	n := len(s.ColdStarts)
	slowest := make([]int, n)
	for f := range slowest {
		slowest[f] = f
	}
	slices.SortStableFunc(slowest, func(a, b int) int { return cmp.Compare(s.ColdStarts[b], s.ColdStarts[a]) })
	var out []JointPlan
	for _, kept := range slices.Compact([]int{0, min(1, n-1), n / 2, n}) {
		p := JointPlan{Configuration: all[len(all)/2], Price: s.Prices[len(s.Prices)/2], OnDemand: make([]bool, n), Alone: alone}
		for _, f := range slowest[kept:] {
			p.OnDemand[f] = true
		}
		switch kept { // from where the promise is kept, if anywhere
		case 0:
			p.Configuration, p.Price = all[len(all)-1], s.Prices[0]
		case n:
			p.Configuration, p.Price = all[len(all)-1], s.Prices[len(s.Prices)-1]
		}
		out = append(out, p)
	}
	return out
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

// deep is how many times each part of a plan is moved at most when it is searched for.
const deep = 4

// descend moves one part of the plan at a time while that helps, each so many times
// at most: anywhere when that is cheap to try, else not far.
func (s *jointSearch) descend(start JointPlan, all []tuner.Configuration, share float64, times int) (JointDecision, error) {
	best, err := s.predict(start, share)
	if err != nil {
		return JointDecision{}, err
	}
	far := near
	if share <= halving[0].share {
		far = max(len(all), len(s.Prices))
	}
	for range times {
		before := best
		for _, moves := range []func(JointPlan) []JointPlan{
			func(p JointPlan) []JointPlan {
				var out []JointPlan
				for _, c := range about(all, slices.IndexFunc(all, func(c tuner.Configuration) bool { return slices.Equal(c, p.Configuration) }), far) {
					q := p
					q.Configuration = c
					out = append(out, q)
				}
				return out
			},
			func(p JointPlan) []JointPlan {
				var out []JointPlan
				for _, price := range about(s.Prices, slices.Index(s.Prices, p.Price), far) {
					q := p
					q.Price = price
					out = append(out, q)
				}
				return out
			},
			s.toggles,
		} {
			for _, p := range moves(best.JointPlan) {
				d, err := s.predict(p, share)
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

// near is how many prices and configurations further is not far.
const near = 2

// about returns the elements that are so far from one, all where it is unknown.
func about[T any](all []T, at, far int) []T {
	if at < 0 {
		return all
	}
	return all[max(0, at-far):min(len(all), at+far+1)]
}

// toggles change whether one function is kept, or keep all. As nothing is kept at a
// price below what a start takes, the price of what becomes kept is at least that.
func (s *jointSearch) toggles(p JointPlan) []JointPlan {
	var out []JointPlan
	keep := func(q *JointPlan, f int) {
		q.OnDemand[f] = false
		if i := slices.IndexFunc(s.Prices, func(price float64) bool { return price > s.ColdStarts[f] }); i >= 0 {
			q.Price = max(q.Price, s.Prices[i])
		}
	}
	all := p
	all.OnDemand = slices.Clone(p.OnDemand)
	for f := range p.OnDemand {
		keep(&all, f)
		q := p
		q.OnDemand = slices.Clone(p.OnDemand)
		if q.OnDemand[f] = true; p.OnDemand[f] {
			keep(&q, f)
		}
		out = append(out, q)
	}
	return append(out, all)
}

// predict asks for a plan once.
func (s *jointSearch) predict(p JointPlan, share float64) (JointDecision, error) {
	for _, d := range s.seen {
		if d.share == share && d.Equal(p) {
			return d.JointDecision, nil
		}
	}
	x, err := s.Predict(p, share)
	if err != nil {
		return JointDecision{}, err
	}
	d := JointDecision{JointPlan: p, JointPrediction: x, Feasible: s.used(x) <= s.Budget}
	s.seen = append(s.seen, jointTry{d, share})
	return d, nil
}

// full are the plans that were predicted in full.
func (s *jointSearch) full() []JointDecision {
	var out []JointDecision
	for _, d := range s.seen {
		if d.share == 1 {
			out = append(out, d.JointDecision)
		}
	}
	return out
}

func frontier(all []JointDecision) []JointDecision {
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

func (s *jointSearch) used(x JointPrediction) float64 { return x.Used(s.Caution) }

// better prefers what keeps the budget, then the smaller outlay. Where nothing keeps
// it, fewer violations are worth money, but not any money.
func (s *jointSearch) better(a, b JointDecision) bool {
	if a.Feasible != b.Feasible {
		return a.Feasible
	}
	if !a.Feasible {
		return s.regret(a) < s.regret(b)
	}
	return s.outlay(a) < s.outlay(b)
}

// outlay is the cost of a run with what is lost by those that break the promise.
func (s *jointSearch) outlay(d JointDecision) float64 {
	return d.Cost * (1 + s.Loss*s.used(d.JointPrediction))
}

// worth is by how many percent more may be spent for one percent fewer violations
// where the budget cannot be kept.
const worth = 4

func (s *jointSearch) regret(d JointDecision) float64 {
	return worth*math.Log(math.Max(s.used(d.JointPrediction), 1e-6)) + math.Log(math.Max(d.Cost, 1e-300))
}
