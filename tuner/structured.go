package tuner

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/aquatope/aquatope/stats"
	"github.com/aquatope/aquatope/tuner/search"
)

// Structured models the service time of every function by itself and composes
// the latency of the workflow along its graph. Every invocation of every run is
// an observation; the tail of the latency follows from the learned noise; cost
// follows from service times and needs no model of its own.
//
// The zero value is ready for use and safe for concurrent use.
type Structured struct{ memory memory }

// Name implements [Strategy].
func (*Structured) Name() string { return "structured" }

var errNoObservation = errors.New("no invocation worked")

// giveUp is the number of runs after which a function that never worked is
// believed to be broken.
const giveUp = 6

const (
	thompsonRuns = 512 // simulated runs of one drawn world
	coarseDraws  = 16  // worlds that a recommendation is searched in
	coarseRuns   = 256
	fineDraws    = 64 // worlds that it is checked in
	fineRuns     = 1024
	effort       = 8 // rounds of exchanges
)

// What follows was chosen by measurement, on generated profiles and seeds other
// than those the strategy is judged on.
const (
	// caution is how many standard deviations of the posterior the promise is
	// kept above the mean: the guard band that shrinks as more is learnt.
	caution = 1.65
	// leastCaution is what is made do with where nothing is that sure: else what is
	// recommended would be about the most expensive there is.
	leastCaution = 0.8
	// doubt is how many standard deviations the functions' log times are taken to be
	// slower together, shared out as errors that average out. Each function is given
	// the option that looks best, so each looks better than it is.
	doubt = 0.5
	// incumbentFrom is the number of runs from which on all but every third one
	// try what would be recommended, so that it is not recommended for luck. Near
	// the optimum cost is flat and the promise is not: what is left to learn is
	// mostly whether it is kept. Where most functions are of stairs it is every third
	// one, as edges have to be found.
	incumbentFrom, explorePeriod = 9, 3
)

// Next implements [Strategy]: the designed start, then the best configuration of
// a world drawn from the posterior (Thompson sampling), which tries what might be
// best as often as it might be, in turns with what would be recommended.
func (s *Structured) Next(p *Problem, history []Run, n, left int, rng *rand.Rand) ([]Configuration, error) {
	if err := check(p, history); err != nil {
		return nil, err
	}
	n = min(n, left)
	var out []Configuration
	all := gather(p, history)
	seed := rng.Uint64()
	broken := blocked(p, all) != ""
	if broken && len(history) >= giveUp {
		return nil, nil
	}
	for k := len(history); len(out) < n && (k < designRuns || broken); k++ {
		// The levels of one start belong together whatever the batches are.
		out = append(out, design(p, all, k, stats.Stream(designSeed, "design")))
	}
	if len(out) == n || broken {
		return out, nil
	}
	if len(history) < designRuns {
		return out, nil // the model begins with the whole start
	}
	b, err := believe(p, history, &s.memory)
	if err != nil {
		return nil, err
	}
	rng = rand.New(rand.NewPCG(seed, 1))
	if b.retries(len(history)) {
		c, feasible, err := b.incumbent(rng)
		if err != nil {
			return nil, err
		}
		if !feasible && !tried(history, p.Largest()) {
			c = p.Largest()
		}
		out = append(out, c)
		if len(out) == n {
			return out, nil
		}
		n--
	}
	more, err := b.propose(n, rng)
	return append(out, more...), err
}

// retries reports whether what would be recommended is tried after so many runs.
func (b *belief) retries(runs int) bool {
	flat := 0
	for _, s := range b.surfaces {
		if s != nil && s.post.pieces != nil {
			flat++
		}
	}
	stairs := 2*flat >= len(b.surfaces)
	return runs >= incumbentFrom && (runs%explorePeriod == 0) == stairs
}

// designSeed fixes the orders of levels of the designed start.
const designSeed = 20230325

func check(p *Problem, history []Run) error {
	if err := p.Check(); err != nil {
		return err
	}
	return p.CheckHistory(history)
}

// blocked returns the name of a visited function that was tried and never worked.
func blocked(p *Problem, all []evidence) string {
	for v, visits := range p.visits(-1)[:len(p.Functions)] {
		if visits > 0 && all[v].ok == 0 && all[v].bad > 0 {
			return p.Functions[v].Name
		}
	}
	return ""
}

// propose solves n drawn worlds.
func (b *belief) propose(n int, rng *rand.Rand) ([]Configuration, error) {
	menus, err := b.menus(n, rng)
	if err != nil {
		return nil, err
	}
	var out []Configuration
	for d := range n {
		sp := b.newScenario(menus, []int{d}, thompsonRuns, rng).space(0)
		out = append(out, b.configuration(sp, sp.Solve(b.p.Target.Seconds, effort/2).Choice))
	}
	return out, nil
}

// menus draws every variable's candidates jointly, n times.
func (b *belief) menus(n int, rng *rand.Rand) ([]*menu, error) {
	menus := make([]*menu, len(b.surfaces))
	first := rng.IntN(explanations)
	for v := range menus {
		var err error
		menus[v], err = b.menuOf(v, first, n, rng)
		if err != nil {
			return nil, err
		}
	}
	return menus, nil
}

func (b *belief) configuration(sp *search.Space, choice []int) Configuration {
	c := make(Configuration, len(b.p.Functions))
	for f := range c {
		c[f] = sp.Options[f][choice[f]].Resources
	}
	return c
}

// Recommend implements [Strategy]: the cheapest configuration whose promised
// statistic stays within the target with a guard band that comes from the
// remaining uncertainty.
func (s *Structured) Recommend(p *Problem, history []Run, rng *rand.Rand) (Result, error) {
	if err := check(p, history); err != nil {
		return Result{}, err
	}
	if name := blocked(p, gather(p, history)); name != "" {
		return Result{
			Configuration: p.Largest(), Blocker: name,
			Reason: fmt.Sprintf("function %q failed in every invocation: look at its logs", name),
		}, nil
	}
	b, err := believe(p, history, &s.memory)
	if errors.Is(err, errNoObservation) {
		return Result{Configuration: p.Largest(), Reason: "too few runs to say anything: the largest configuration"}, nil
	}
	if err != nil {
		return Result{}, err
	}
	return b.recommend(rng)
}

// incumbent is about what would be recommended, found with less effort. Every
// function has all of the doubt: runs a little on the safe side of what would do
// were measured to leave a better recommendation than runs at its edge.
// It may not keep the promise, which feasible tells.
func (b *belief) incumbent(rng *rand.Rand) (c Configuration, feasible bool, err error) {
	menus, err := b.doubtfulMenus(coarseDraws, doubt, rng)
	if err != nil {
		return nil, false, err
	}
	sp := b.newScenario(menus, upTo(coarseDraws), coarseRuns/2, rng).space(caution)
	sol := sp.Solve(b.p.Target.Seconds, effort/4)
	return b.configuration(sp, b.roomier(sp, sol)), sol.Feasible, nil
}

// tried reports whether a configuration has been run.
func tried(history []Run, c Configuration) bool {
	return slices.ContainsFunc(history, func(r Run) bool { return slices.Equal(r.Configuration, c) })
}

// doubtfulMenus are menus in which every option is slower by so many of its own
// standard deviations.
func (b *belief) doubtfulMenus(n int, doubt float64, rng *rand.Rand) ([]*menu, error) {
	menus, err := b.menus(n, rng)
	if err != nil {
		return nil, err
	}
	for _, m := range menus {
		for _, draw := range m.draws {
			for i := range draw {
				draw[i] += doubt * m.sd[i]
			}
		}
	}
	return menus, nil
}

func (b *belief) recommend(rng *rand.Rand) (Result, error) {
	// The fewer there are the more does the doubt about each matter.
	menus, err := b.doubtfulMenus(fineDraws, doubt/math.Sqrt(float64(len(b.p.Functions))), rng)
	if err != nil {
		return Result{}, err
	}
	coarse := b.newScenario(menus, upTo(coarseDraws), coarseRuns, rng)
	fine := b.newScenario(menus, upTo(fineDraws), fineRuns, rng)
	var r Result
	for _, care := range [...]float64{caution, leastCaution} {
		if r = b.cheapest(coarse, fine, care); r.Feasible {
			break
		}
	}
	return r, nil
}

// cheapest is the cheapest configuration that keeps the promise with so many
// standard deviations to spare. The coarse simulation is searched, the fine one
// decides: its verdict moves the limit of the search until both agree.
func (b *belief) cheapest(coarseScenario, fineScenario *scenario, care float64) Result {
	coarse, fine := coarseScenario.space(care), fineScenario.space(care)
	const rounds, close = 5, 0.002
	target := b.p.Target.Seconds
	limit := target
	var best search.Solution
	for range rounds {
		sol := coarse.Solve(limit, effort)
		sol.Value = fine.Value(sol.Choice) // both order options alike
		sol.Feasible = sol.Value <= target
		if best.Choice == nil || search.Better(sol, best) {
			best = sol
		}
		ratio := target / sol.Value
		if sol.Feasible && ratio < 1+close {
			break
		}
		if !sol.Feasible {
			ratio *= 1 - close/2
		}
		limit *= ratio
	}
	best.Choice = b.roomier(fine, best)
	r := b.result(fineScenario, fine, best.Choice, fine.Value(best.Choice))
	if r.Feasible {
		r.Reason = fmt.Sprintf("cheapest that keeps %s with %.1f standard deviations to spare", b.p.Target, care)
	}
	return r
}

func upTo(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// result describes a choice.
func (b *belief) result(sc *scenario, sp *search.Space, choice []int, value float64) Result {
	r := Result{Configuration: b.configuration(sp, choice), Feasible: value <= b.p.Target.Seconds*(1+1e-9)}
	levels := []float64{0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99}
	perLevel := make([][]float64, len(levels))
	var promised, costs []float64
	latency := append([]float64(nil), sp.Latencies(choice)...)
	for d := range sc.draws {
		part := latency[d*sc.runs : (d+1)*sc.runs]
		for i, o := range sc.overhead {
			part[i] += o
		}
		promised = append(promised, b.p.Target.Of(part))
		for i, q := range stats.Quantiles(part, levels...) {
			perLevel[i] = append(perLevel[i], q)
		}
		costs = append(costs, sc.drawnCost(sp, choice, d))
	}
	for i, l := range levels {
		r.Latency = append(r.Latency, Quantile{l, bandOf(perLevel[i])})
	}
	r.Promised, r.Cost = bandOf(promised), bandOf(costs)
	r.Shares = b.shares(sc, sp, choice)
	if !r.Feasible {
		r.Blocker = blocker(r.Shares)
		r.Reason = fmt.Sprintf("no configuration keeps %s: this one comes closest, and %q takes most of its time", b.p.Target, r.Blocker)
	}
	return r
}

// drawnCost is the cost of a choice in one drawn world.
func (sc *scenario) drawnCost(sp *search.Space, choice []int, d int) float64 {
	one := *sc
	one.draws = sc.draws[d : d+1]
	var sum float64
	for v := range sc.b.p.Functions {
		res := sp.Options[v][choice[v]].Resources
		for i, r := range sc.menus[v].resources {
			if r == res {
				sum += one.cost(v, i)
			}
		}
	}
	return sum
}

// shares attributes latency, along the critical path of simulated runs, and cost.
func (b *belief) shares(sc *scenario, sp *search.Space, choice []int) []Share {
	service := sp.ServiceTimes(choice)
	slots := b.comp.Slots()
	time := make([]float64, len(b.surfaces))
	var total, cost float64
	row, uniform := make([]float64, len(slots)), make([]float64, len(sc.uniform))
	var path []int
	for run := 0; run < sp.Runs; run += max(1, sp.Runs/256) {
		for k := range slots {
			row[k] = service[k][run]
		}
		for k := range uniform {
			uniform[k] = sc.uniform[k][run]
		}
		path = b.comp.Of(sc.input[run%sc.runs]).CriticalPath(row, uniform, path[:0])
		for _, k := range path {
			time[b.of[slots[k]]] += row[k]
			total += row[k]
		}
	}
	out := make([]Share, len(b.p.Functions))
	for f := range out {
		cost += sp.Options[f][choice[f]].Cost
	}
	for f := range out {
		out[f] = Share{Function: b.p.Functions[f].Name}
		if total > 0 {
			out[f].Latency = time[f] / total
		}
		if cost > 0 {
			out[f].Cost = sp.Options[f][choice[f]].Cost / cost
		}
	}
	return out
}

// blocker is the function with the largest share of the latency.
func blocker(shares []Share) string {
	name, most := "", math.Inf(-1)
	for _, s := range shares {
		if s.Latency > most {
			name, most = s.Function, s.Latency
		}
	}
	return name
}

func bandOf(x []float64) Band {
	var mean float64
	for _, v := range x {
		mean += v / float64(len(x))
	}
	q := stats.Quantiles(x, 0.05, 0.95)
	return Band{Low: q[0], Mean: mean, High: q[1]}
}
