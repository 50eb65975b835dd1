package search

import (
	"cmp"
	"slices"
)

// strides are the distances, in options, of the moves that are tried.
var strides = [...]int{1, 2, 4, 8}

// move changes one variable.
type move struct {
	variable, option int
	value            float64 // of the choice after the move
	cost             float64 // change of cost
}

// exchange improves a solution by moving one variable, or one to save and
// another to make up for it, until nothing helps or effort rounds are over. An
// infeasible start is first repaired.
func (s *Space) exchange(sol Solution, limit float64, effort int) Solution {
	sol.Choice = slices.Clone(sol.Choice)
	for range 4 * effort * max(1, len(s.Options)/8) {
		moves := s.moves(sol)
		if !sol.Feasible {
			m, ok := repair(moves, sol, limit)
			if !ok {
				return sol
			}
			s.apply(&sol, limit, m)
			continue
		}
		if !s.improve(&sol, limit, moves) {
			return sol
		}
	}
	return sol
}

// moves simulates every single move.
func (s *Space) moves(sol Solution) []move {
	var out []move
	choice := slices.Clone(sol.Choice)
	for v, at := range sol.Choice {
		for _, stride := range strides {
			for _, to := range [2]int{at - stride, at + stride} {
				if to < 0 || to >= len(s.Options[v]) {
					continue
				}
				cost := s.Options[v][to].Cost - s.Options[v][at].Cost
				// A move that costs when there is room is only of use in a pair.
				choice[v] = to
				out = append(out, move{v, to, s.Value(choice), cost})
			}
		}
		choice[v] = at
	}
	return out
}

// repair returns the move that brings most relief for its cost; one that costs
// nothing first.
func repair(moves []move, sol Solution, limit float64) (move, bool) {
	var best move
	bestRate := 0.0
	for _, m := range moves {
		relief := sol.Value - max(m.value, limit)
		if relief <= 1e-12*sol.Value {
			continue
		}
		if rate := relief / max(m.cost, 1e-9*sol.Cost); rate > bestRate {
			best, bestRate = m, rate
		}
	}
	return best, bestRate > 0
}

func (s *Space) apply(sol *Solution, limit float64, moves ...move) {
	for _, m := range moves {
		sol.Choice[m.variable] = m.option
	}
	*sol = s.solution(sol.Choice, limit)
}

// improve makes the best saving found: by one move, or by a pair whose effects
// on the statistic are first added up and then simulated.
func (s *Space) improve(sol *Solution, limit float64, moves []move) bool {
	least := -1e-9 * sol.Cost // a saving below that is rounding
	type pair struct {
		save, spend move
		cost        float64
	}
	var pairs []pair
	best := pair{cost: least}
	for _, a := range moves {
		if a.cost >= least {
			continue
		}
		if a.value <= limit && a.cost < best.cost {
			best = pair{a, a, a.cost}
		}
		for _, b := range moves {
			if b.variable == a.variable || b.value >= a.value || a.cost+b.cost >= least {
				continue
			}
			if a.value+b.value-sol.Value <= limit*1.003 {
				pairs = append(pairs, pair{a, b, a.cost + b.cost})
			}
		}
	}
	slices.SortStableFunc(pairs, func(p, q pair) int { return cmp.Compare(p.cost, q.cost) })
	choice := slices.Clone(sol.Choice)
	for _, p := range pairs[:min(len(pairs), 8+2*len(s.Options))] {
		if p.cost >= best.cost {
			break
		}
		choice[p.save.variable], choice[p.spend.variable] = p.save.option, p.spend.option
		v := s.Value(choice)
		choice[p.save.variable], choice[p.spend.variable] = sol.Choice[p.save.variable], sol.Choice[p.spend.variable]
		if v <= limit {
			best = p
			break
		}
	}
	if best.cost >= least {
		return false
	}
	s.apply(sol, limit, best.save, best.spend)
	return true
}
