// Package search finds the cheapest configuration of a workflow whose simulated
// latency keeps a limit, when it is known how the latency of each function
// depends on its resources: from a surrogate's draws, or from the truth.
//
// Cost is a sum over functions and latency a composition along a tree, so the
// problem is solved in two steps. On one effective time per option it is solved
// exactly, up to rounding of time, by min-plus dynamic programming over the tree;
// the limit is then calibrated against the simulated latency, whose percentile
// is not a composition of anything; exchanges of options between functions,
// judged by the simulation, finish.
package search

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/workflow"
	"gonum.org/v1/gonum/floats"
)

// Option is one choice for a function.
type Option struct {
	Resources function.Resources
	Cost      float64 // of all of its invocations in one run, on average
	Time      float64 // effective seconds of one invocation; guides, is not believed
}

// Front returns the options that no other beats in cost and time, ordered by
// time from fast to slow, so that cost falls.
func Front(options []Option) []Option {
	type point struct {
		time, cost float64
		of         int
	}
	points := make([]point, 0, len(options))
	for i, o := range options {
		// Many do no better than their neighbours; that saves sorting them.
		if last := len(points) - 1; last < 0 || o.Time < points[last].time || o.Cost < points[last].cost {
			points = append(points, point{o.Time, o.Cost, i})
		}
	}
	slices.SortFunc(points, func(a, b point) int {
		return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.cost, b.cost), cmp.Compare(a.of, b.of))
	})
	var front []Option
	best := math.Inf(1)
	for _, p := range points {
		if p.cost < best {
			front = append(front, options[p.of])
			best = p.cost
		}
	}
	return front
}

// Space is a search problem. It caches what it simulates and is not safe for
// concurrent use.
type Space struct {
	Graph       *workflow.Graph
	Composition *workflow.Composition
	// Variable is the index into Options of each stage's function. Stages of the
	// same function share their resources.
	Variable []int
	// Options of each variable, ordered by Time.
	Options [][]Option
	// Runs is the number of simulated runs, Uniform their decisions, one column
	// for each of Composition.Uniforms.
	Runs    int
	Uniform [][]float64
	// Input is that of each run, as in Composition.Of; nil where it makes no
	// difference.
	Input []int
	// Column writes the service times of a slot in all runs under an option of
	// its stage's variable.
	Column func(slot, option int, dst []float64)
	// Wait is how long each slot waits in each run before it is served, times Longer
	// of the option; nil is not at all.
	Wait   [][]float64
	Longer func(variable, option int) float64
	// Statistic is what the limit bounds, of the latencies of all runs. It may
	// reorder them.
	Statistic func(latency []float64) float64

	columns *workflow.Columns
	cache   map[[2]int][]float64
	service [][]float64
	latency []float64
	values  map[string]float64 // of the choices simulated, by key
	key     []byte
}

// Solution is a choice of one option for each variable.
type Solution struct {
	Choice   []int
	Cost     float64
	Value    float64 // the statistic
	Feasible bool
}

// Cost returns the cost of a choice.
func (s *Space) Cost(choice []int) float64 {
	var sum float64
	for v, i := range choice {
		sum += s.Options[v][i].Cost
	}
	return sum
}

// Latencies simulates a choice. The result is overwritten by the next call.
func (s *Space) Latencies(choice []int) []float64 {
	if s.columns == nil {
		s.columns = workflow.NewColumns(s.Composition, s.Input, s.Uniform)
		s.cache = map[[2]int][]float64{}
		s.service = make([][]float64, len(s.Composition.Slots()))
		s.latency = make([]float64, s.Runs)
	}
	for slot, stage := range s.Composition.Slots() {
		s.service[slot] = s.column(slot, choice[s.Variable[stage]])
	}
	s.columns.Latencies(s.service, s.latency)
	return s.latency
}

// ServiceTimes returns the columns of a choice, one for each slot, waiting
// included.
func (s *Space) ServiceTimes(choice []int) [][]float64 {
	s.Latencies(choice)
	return s.service
}

func (s *Space) column(slot, option int) []float64 {
	key := [2]int{slot, option}
	c, ok := s.cache[key]
	if !ok {
		c = make([]float64, s.Runs)
		s.Column(slot, option, c)
		if s.Wait != nil {
			floats.AddScaled(c, s.Longer(s.Variable[s.Composition.Slots()[slot]], option), s.Wait[slot])
		}
		s.cache[key] = c
	}
	return c
}

// Value simulates a choice and returns its statistic.
func (s *Space) Value(choice []int) float64 {
	s.key = s.key[:0]
	for _, i := range choice {
		s.key = binary.AppendUvarint(s.key, uint64(i))
	}
	v, ok := s.values[string(s.key)]
	if !ok {
		v = s.Statistic(s.Latencies(choice))
		if s.values == nil {
			s.values = map[string]float64{}
		}
		s.values[string(s.key)] = v
	}
	return v
}

func (s *Space) solution(choice []int, limit float64) Solution {
	v := s.Value(choice)
	return Solution{Choice: slices.Clone(choice), Cost: s.Cost(choice), Value: v, Feasible: v <= limit}
}

// Fastest returns the choice of the fastest option for every variable.
func (s *Space) Fastest() []int { return make([]int, len(s.Options)) }

// Better tells whether a is to be preferred: a feasible solution to one that is
// not, the cheaper of two feasible ones, otherwise the one of less value.
func Better(a, b Solution) bool {
	if a.Feasible != b.Feasible {
		return a.Feasible
	}
	if a.Feasible {
		return a.Cost < b.Cost
	}
	return a.Value < b.Value
}

// Solve returns the cheapest choice found whose statistic is at most limit. If
// there is none the solution is not feasible: then it is the cheapest found that
// comes about as close to the limit as any. Effort bounds the rounds of
// exchanges; 10 is thorough. More starts are tried besides that of the dynamic
// program.
func (s *Space) Solve(limit float64, effort int, starts ...[]int) Solution {
	best := s.solve(limit, effort, starts)
	if best.Feasible {
		return best
	}
	// Going for speed alone pays for functions that are not in the way.
	const close = 1.005
	near := s.solve(best.Value*close, effort, append(starts, best.Choice))
	near.Feasible = false
	return near
}

func (s *Space) solve(limit float64, effort int, starts [][]int) Solution {
	best := s.exchange(s.calibrate(limit), limit, effort)
	if !best.Feasible {
		starts = append(starts[:len(starts):len(starts)], s.Fastest())
	}
	for _, c := range starts {
		if sol := s.exchange(s.solution(c, limit), limit, effort); Better(sol, best) {
			best = sol
		}
	}
	return best
}

// calibrate solves the problem on effective times for a budget that is adjusted
// until the simulated statistic meets the limit.
func (s *Space) calibrate(limit float64) Solution {
	best := s.solution(s.Fastest(), limit)
	// Not from how the simulated latency of the fastest choice compares with its effective
	// times: it may be the one that is known least.
	budget := limit
	// Above, budgets that proved too generous; below, one that was kept.
	const rounds, grow = 9, 1.25
	above, below := math.Inf(1), 0.0
	var planned *Solution
	for range rounds {
		choice, ok := s.minPlus(budget)
		if !ok {
			below = budget
			if math.IsInf(above, 1) {
				budget *= grow
			} else {
				budget = (below + above) / 2
			}
			continue
		}
		sol := s.solution(choice, limit)
		if planned == nil || Better(sol, *planned) {
			planned = &sol
		}
		ratio := limit / sol.Value
		if sol.Feasible {
			below = math.Max(below, budget)
		} else {
			above = math.Min(above, budget)
		}
		if !(ratio > 0.05 && ratio < 20) || sol.Feasible && ratio < 1.002 {
			break
		}
		next := budget * ratio
		if next >= above || next <= below {
			next = (below + above) / 2
		}
		if math.Abs(next/budget-1) < 1e-4 {
			break
		}
		budget = next
	}
	// The fastest choice is a far worse place to start from than a plan that
	// almost keeps the limit.
	if planned != nil && (planned.Feasible || !best.Feasible || planned.Value < 1.1*limit) {
		return *planned
	}
	return best
}
