package tuner

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/aquatope/aquatope/bayesopt"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/stats"
	"github.com/aquatope/aquatope/tuner/search"
	"gonum.org/v1/gonum/stat/distuv"
)

// menu is the candidates of one variable with what is believed of them.
type menu struct {
	resources []function.Resources
	mean, sd  []float64   // of the log time, noise not included
	noise     []float64   // standard deviation of the noise of the log time
	noises    [][]float64 // the same, for each explanation
	shares    [][]portion // of outliers, for each explanation
	draws     [][]float64 // of the log time, for each draw
	of        []int       // the explanation that each draw follows
	first     int         // the first draw's of what functions have in common
}

const (
	cpuChoices    = 48 // values of CPU looked at
	memoryChoices = 14
	maxCandidates = 90 // options of a function that are drawn jointly
)

// axis returns at most n values of a range from floor up, evenly spread in the
// logarithm, the ends included.
func axis(r function.Range, floor int64, n int) []int64 {
	lo := r.SnapUp(floor)
	count := int((r.Max-lo)/r.Step) + 1
	var out []int64
	if count <= n {
		for v := lo; v <= r.Max; v += r.Step {
			out = append(out, v)
		}
		return out
	}
	for i := range n {
		t := float64(i) / float64(n-1)
		out = append(out, r.Snap(int64(math.Round(float64(lo)*math.Pow(float64(r.Max)/float64(lo), t)))))
	}
	return slices.Compact(out)
}

// guidance returns the effective time of an option: the tail of its noise counts
// as far as it adds up along the graph, its uncertainty as far as asked.
func (b *belief) guidance(mean, sd, noise, doubt float64) float64 {
	return math.Exp(mean + noise*noise/2 + b.tail*noise + doubt*sd)
}

// tailOf returns how many standard deviations of a function's noise the promised
// percentile is about away.
func tailOf(p *Problem) float64 {
	if p.Target.Percentile == 0 {
		return 0
	}
	z := distuv.UnitNormal.Quantile(math.Max(p.Target.Percentile/100, 0.5))
	return z / math.Sqrt(math.Min(4, float64(len(p.Graph.Stages))))
}

// slowness returns by which factor outliers of a share count in the effective time
// of an option: hardly while the error budget has room for them, and then as much
// as they are slower. Without it an option that is slow now and then would drive
// out one that costs a little more and never is.
func (b *belief) slowness(v int, share portion) float64 {
	n := &b.noise[v]
	if b.p.Target.Percentile == 0 {
		return n.excess(share)
	}
	total := share.total()
	if total == 0 {
		return 1
	}
	used := math.Min(total/(1-b.p.Target.Percentile/100), 1)
	for k := range share {
		share[k] /= total
	}
	// A geometric mean: with a mean, one in a hundred that takes fifty times as long
	// would count for more than twice the CPU.
	return math.Pow(n.excess(share), used*used)
}

// menuOf returns the candidates of a variable that could be efficient under some
// degree of doubt, and draws their times n times.
func (b *belief) menuOf(v, first, n int, rng *rand.Rand) (*menu, error) {
	s := b.surfaces[v]
	m := &menu{first: first}
	switch {
	case v >= len(b.p.Functions):
		m.resources = []function.Resources{{}}
	case b.only != nil:
		m.resources = []function.Resources{b.only[v]}
	case s == nil:
		m.resources = []function.Resources{b.p.Functions[v].Space.Largest()}
	default:
		m.resources = b.efficient(v)
	}
	if s == nil {
		m.mean, m.sd, m.noise = []float64{math.Inf(-1)}, []float64{0}, []float64{0}
		m.noises = slices.Repeat([][]float64{m.noise}, explanations)
		m.shares = slices.Repeat([][]portion{{{}}}, explanations)
		for range n {
			m.draws, m.of = append(m.draws, []float64{math.Inf(-1)}), append(m.of, first)
		}
		return m, nil
	}
	xs := make([][]float64, len(m.resources))
	for i, r := range m.resources {
		xs[i] = s.input(r)
	}
	m.mean, m.sd, m.noise = s.predict(xs)
	z := normals(len(xs), n, rng)
	for len(m.of) < n {
		m.of = append(m.of, rng.Perm(explanations)...)
	}
	m.of = m.of[:n]
	m.draws = make([][]float64, n)
	m.noises, m.shares = make([][]float64, explanations), make([][]portion, explanations)
	for e := range explanations {
		for i := range m.resources {
			m.shares[e] = append(m.shares[e], b.noise[v].share(b.logCPU(v, m.resources[i]), e))
		}
		var rows [][]float64
		var at []int
		for d := range z {
			if m.of[d] == e {
				rows, at = append(rows, z[d]), append(at, d)
			}
		}
		if rows == nil {
			continue
		}
		post := s.others[e]
		draws, err := post.Draws(xs, rows)
		if err != nil {
			return nil, fmt.Errorf("drawing %s: %w", b.name(v), err)
		}
		for k, d := range at {
			m.draws[d] = draws[k]
		}
		for _, x := range xs {
			m.noises[e] = append(m.noises[e], math.Sqrt(post.NoiseVariance(x)))
		}
	}
	return m, nil
}

// normals returns n evenly spread standard normal vectors in an order of chance:
// that of the sequence would tie a draw's values to its number, and so those of
// one function to another's and to the explanation that the draw follows.
func normals(dim, n int, rng *rand.Rand) [][]float64 {
	z := bayesopt.NewSobol(min(dim, bayesopt.MaxSobolDim)).Scrambled(rng.Uint64()).Normals(n)
	rng.Shuffle(n, func(i, j int) { z[i], z[j] = z[j], z[i] })
	return z
}

// efficient returns the resources that are on the front of cost and time for an
// optimist, a realist or a pessimist.
func (b *belief) efficient(v int) []function.Resources {
	s, n, space := b.surfaces[v], &b.noise[v], b.p.Functions[v].Space
	floor := int64(b.evidence[v].floor)
	type candidate struct {
		r               function.Resources
		mean, sd, noise float64
		share           portion
	}
	cpus, memories := axis(space.CPU, space.CPU.Min, cpuChoices), axis(space.Memory, floor, memoryChoices)
	all := make([]candidate, 0, len(cpus)*len(memories))
	xs := make([][]float64, 0, cap(all))
	for _, cpu := range cpus {
		share := n.mean(math.Log(function.MilliCPU(cpu).Cores()))
		for _, mem := range memories {
			r := function.Resources{CPU: function.MilliCPU(cpu), Memory: function.Bytes(mem)}
			xs = append(xs, s.input(r))
			all = append(all, candidate{r: r, share: share})
		}
	}
	mean, sd, noise := s.predict(xs)
	for i := range all {
		all[i].mean, all[i].sd, all[i].noise = mean[i], sd[i], noise[i]
	}
	seen := map[function.Resources]bool{}
	var found []search.Option
	add := func(options []search.Option) {
		for _, o := range options {
			if !seen[o.Resources] {
				seen[o.Resources] = true
				found = append(found, o)
			}
		}
	}
	wary, plain := make([]search.Option, len(all)), make([]search.Option, len(all))
	for _, doubt := range [...]float64{0, 1.5, -1.5} {
		var every []search.Option // the cheapest for each CPU
		for i, c := range all {
			t := b.guidance(c.mean, c.sd, math.Hypot(c.noise, b.inputSpread(v, c.r)), doubt)
			cost := b.visits[v]*b.p.rate(c.r)*t*n.excess(c.share) + b.p.StandingCost(v, c.r)
			wary[i] = search.Option{Resources: c.r, Time: t * b.slowness(v, c.share), Cost: cost}
			// Tails are known least: what they say may not leave out what is faster.
			plain[i] = search.Option{Resources: c.r, Time: math.Exp(c.mean + doubt*c.sd), Cost: cost}
			switch last := len(every) - 1; {
			case last < 0 || every[last].Resources.CPU != c.r.CPU:
				every = append(every, plain[i])
			case cost < every[last].Cost:
				every[last] = plain[i]
			}
		}
		add(search.Front(wary))
		add(search.Front(plain))
		if doubt == 0 {
			add(every)
		}
	}
	// Of too many some are left out everywhere, not the slow end.
	slices.SortStableFunc(found, func(a, b search.Option) int { return cmp.Compare(a.Time, b.Time) })
	count := min(len(found), maxCandidates)
	out := make([]function.Resources, count)
	for i := range out {
		out[i] = found[i*(len(found)-1)/max(count-1, 1)].Resources
	}
	return out
}

// scenario is one set of simulated runs over drawn surfaces.
type scenario struct {
	b        *belief
	menus    []*menu
	draws    []int       // which draws of the menus are used
	first    int         // the explanation of the first draw of the menus
	runs     int         // simulated runs for each draw
	luck     [][]float64 // of each slot and run: the uniform number that the noise follows from
	overhead []float64
	uniform  [][]float64
	input    []int       // of each run, -1 where there is but one
	wait     [][]float64 // of each slot, in the runs of all draws; nil for none

	factors [explanations][explanations][]float64 // memory of column
}

// newScenario draws the noise of runs simulated runs.
func (b *belief) newScenario(menus []*menu, draws []int, runs int, rng *rand.Rand) *scenario {
	sc := &scenario{b: b, menus: menus, first: menus[0].first, draws: draws, runs: runs}
	slots := b.comp.Slots()
	dims := len(slots) + b.comp.Uniforms() + 2
	var share []float64
	if len(b.p.Inputs) > 1 {
		share = inputShares(b.p)
		dims++
	}
	seq := bayesopt.NewSobol(min(dims, bayesopt.MaxSobolDim)).Scrambled(rng.Uint64())
	sc.luck = make([][]float64, len(slots))
	sc.uniform = make([][]float64, b.comp.Uniforms())
	for run := range runs {
		u := seq.Point(uint32(run))
		for len(u) < dims {
			u = append(u, rng.Float64())
		}
		for k, stage := range slots {
			v := b.of[stage]
			own := u[len(u)-1-k]
			if c := b.common[v]; c > 0 {
				shared := distuv.UnitNormal.Quantile(u[len(sc.uniform)+1])
				own = distuv.UnitNormal.CDF(c*shared + math.Sqrt(1-c*c)*distuv.UnitNormal.Quantile(own))
			}
			sc.luck[k] = append(sc.luck[k], own)
		}
		for k := range sc.uniform {
			sc.uniform[k] = append(sc.uniform[k], u[k])
		}
		hop := 0.0
		if len(b.overhead) > 0 {
			hop = stats.Quantile(u[len(sc.uniform)], b.overhead)
		}
		sc.overhead = append(sc.overhead, hop)
		input := -1
		if share != nil {
			input = inputOf(share, u[len(sc.uniform)+2])
		}
		sc.input = append(sc.input, input)
	}
	sc.wait = b.p.Waits(slots, runs, rng)
	if len(draws) > 1 { // decisions and waiting repeat for every draw
		for _, columns := range [][][]float64{sc.uniform, sc.wait} {
			for k := range columns {
				columns[k] = slices.Repeat(columns[k], len(draws))
			}
		}
	}
	return sc
}

// explanation returns which one draw d of the menus follows in what functions
// have in common.
func (sc *scenario) explanation(d int) int { return (sc.first + d) % explanations }

// space returns the search over the scenario. The statistic of each draw is the
// promised one; over draws it is their mean plus caution standard deviations, in
// the logarithm.
func (sc *scenario) space(caution float64) *search.Space {
	b := sc.b
	sp := &search.Space{
		Graph: b.p.Graph, Composition: b.comp, Variable: b.of,
		Runs: sc.runs * len(sc.draws), Uniform: sc.uniform, Input: slices.Repeat(sc.input, len(sc.draws)), Wait: sc.wait,
	}
	index := make([][]int, len(sc.menus)) // of each option in its menu
	for v, m := range sc.menus {
		var options []search.Option
		where := map[function.Resources]int{}
		for i, r := range m.resources {
			where[r] = i
			options = append(options, search.Option{Resources: r, Time: sc.guide(v, i), Cost: sc.cost(v, i)})
		}
		if len(sc.draws) == 1 {
			options = search.Front(options)
		} else {
			slices.SortStableFunc(options, func(a, b search.Option) int { return cmp.Compare(a.Time, b.Time) })
		}
		sp.Options = append(sp.Options, options)
		for _, o := range options {
			index[v] = append(index[v], where[o.Resources])
		}
	}
	sp.Column = func(slot, option int, dst []float64) {
		v := b.of[b.comp.Slots()[slot]]
		sc.column(slot, v, index[v][option], dst)
	}
	sp.Longer = func(v, option int) float64 { return b.p.LongerWait(v, sp.Options[v][option].Resources) }
	perDraw := make([]float64, len(sc.draws))
	sp.Statistic = func(latency []float64) float64 {
		for d := range sc.draws {
			part := latency[d*sc.runs : (d+1)*sc.runs]
			for i, o := range sc.overhead {
				part[i] += o
			}
			perDraw[d] = math.Log(b.p.Target.Of(part))
		}
		mean, sd := stats.Moments(perDraw)
		return math.Exp(mean + caution*sd)
	}
	return sp
}

// guide is the effective time of an option: of the draw, if there is only one.
func (sc *scenario) guide(v, i int) float64 {
	b, m := sc.b, sc.menus[v]
	spread := math.Hypot(m.noise[i], b.inputSpread(v, m.resources[i]))
	if len(sc.draws) == 1 {
		d := sc.draws[0]
		return b.guidance(m.draws[d][i], 0, spread, 0) * b.slowness(v, m.shares[sc.explanation(d)][i])
	}
	return b.guidance(m.mean[i], m.sd[i], spread, 0.5) * b.slowness(v, b.noise[v].mean(b.logCPU(v, m.resources[i])))
}

// cost is the mean cost of an option in one run.
func (sc *scenario) cost(v, i int) float64 {
	b, m := sc.b, sc.menus[v]
	if v >= len(b.p.Functions) || b.surfaces[v] == nil {
		return 0
	}
	t := m.mean[i] + m.sd[i]*m.sd[i]/2
	if len(sc.draws) == 1 {
		t = m.draws[sc.draws[0]][i]
	}
	n := &b.noise[v]
	t = math.Exp(t) * b.excess(v, m.resources[i], m.noise[i]) * n.excess(n.mean(b.logCPU(v, m.resources[i])))
	return b.visits[v]*(b.p.rate(m.resources[i])*t+b.p.Price.PerInvocation) + b.p.StandingCost(v, m.resources[i])
}

// column simulates the service times of a slot.
func (sc *scenario) column(slot, v, i int, dst []float64) {
	m, n := sc.menus[v], &sc.b.noise[v]
	effect, cpu := sc.b.evidence[v].effect, sc.b.logCPU(v, m.resources[i])
	var done [explanations][explanations]bool
	for d, draw := range sc.draws {
		e, own := sc.explanation(draw), m.of[draw]
		f := sc.factors[e][own]
		if f == nil {
			f = make([]float64, sc.runs)
			sc.factors[e][own] = f
		}
		if !done[e][own] {
			done[e][own] = true
			share := m.shares[e][i]
			rest := 1 - share.total()
			for r, u := range sc.luck[slot] {
				off, size := 0.0, 1.0
				if k := sc.input[r]; k >= 0 {
					off, size = effect.under(e, k, cpu), effect.size[k]
				}
				if u >= rest {
					f[r] = math.Exp(off + n.draw((u-rest)/(1-rest), share, e))
				} else {
					f[r] = math.Exp(off + size*m.noises[own][i]*n.deviation(u/rest))
				}
			}
		}
		t := math.Exp(m.draws[draw][i])
		for r, x := range f {
			dst[d*sc.runs+r] = t * x
		}
	}
}

// Of returns the promised statistic of latencies, which it may reorder.
func (t Target) Of(latency []float64) float64 {
	if t.Percentile == 0 {
		var sum float64
		for _, l := range latency {
			sum += l
		}
		return sum / float64(len(latency))
	}
	return search.Percentile(t.Percentile/100, latency)
}
