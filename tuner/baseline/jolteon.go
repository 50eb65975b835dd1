package baseline

import (
	"math"
	"math/rand/v2"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/stats"
	"github.com/aquatope/aquatope/tuner"
	"github.com/aquatope/aquatope/tuner/search"
	"gonum.org/v1/gonum/mat"
)

// Jolteon is the method of Zhang et al., Jolteon: Unleashing the promise of
// serverless for serverless workflows (NSDI 2024): a stochastic model of each
// stage's time, here for one function with x vCPU a/x + b·ln(x)/x + c/x² + d,
// fitted to profiling runs, and a chance constraint by sampled residuals with
// the promised risk (0.05 for p95). Its gradient search and rounding are
// replaced by our exact search over sizes, which can only help it.
type Jolteon struct{}

// Name implements [tuner.Strategy].
func (Jolteon) Name() string { return "jolteon" }

// Next implements [tuner.Strategy]: profiling, until the budget is used.
func (Jolteon) Next(p *tuner.Problem, history []tuner.Run, n, left int, rng *rand.Rand) ([]tuner.Configuration, error) {
	return Orion{}.Next(p, history, n, left, rng)
}

// Recommend implements [tuner.Strategy].
func (Jolteon) Recommend(p *tuner.Problem, history []tuner.Run, rng *rand.Rand) (tuner.Result, error) {
	if err := check(p, history); err != nil {
		return tuner.Result{}, err
	}
	models := make([]stageModel, len(p.Functions))
	for f, s := range samples(p, history) {
		if len(s) == 0 {
			return tuner.Result{Configuration: p.Largest(), Reason: "a function has no measurement: the largest configuration"}, nil
		}
		models[f] = fitStage(s)
	}
	const levels = 60
	need := memoryNeeds(p, history)
	sim, err := newSimulation(p, 1024, rng, func(f int, r function.Resources, u float64) float64 {
		return models[f].at(r.CPU.Cores()) * stats.Quantile(u, models[f].ratios)
	})
	if err != nil {
		return tuner.Result{}, err
	}
	sizes := make([][]function.Resources, len(p.Functions))
	for f, fn := range p.Functions {
		sizes[f] = ladder(fn.Space, need[f], levels)
	}
	sol, c := sim.cheapest(sizes, func(f int, r function.Resources) float64 {
		return models[f].at(r.CPU.Cores()) * models[f].meanRatio
	})
	return tuner.Result{
		Configuration: c, Feasible: sol.Feasible,
		Promised: tuner.Band{Low: sol.Value, Mean: sol.Value, High: sol.Value},
		Reason:   "cheapest sizes that keep the chance constraint on sampled stage models",
	}, nil
}

// stageModel is a fitted time over vCPU, with the ratios of observed to fitted.
type stageModel struct {
	coef      [4]float64
	ratios    []float64 // ascending
	meanRatio float64
	floor     float64 // the fit is not believed below half the least time seen
}

func stageFeatures(x float64) [4]float64 {
	return [4]float64{1 / x, math.Log(x) / x, 1 / (x * x), 1}
}

// fitStage fits by least squares on relative errors, with a little ridge so that
// few sizes suffice.
func fitStage(s []sample) stageModel {
	var m stageModel
	least := math.Inf(1)
	a, b := mat.NewSymDense(4, nil), mat.NewVecDense(4, nil)
	for _, v := range s {
		least = math.Min(least, v.seconds)
		f := stageFeatures(v.cores)
		for i := range f {
			for j := i; j < 4; j++ {
				a.SetSym(i, j, a.At(i, j)+f[i]*f[j]/(v.seconds*v.seconds))
			}
			b.SetVec(i, b.AtVec(i)+f[i]/v.seconds)
		}
	}
	for i := range 4 {
		a.SetSym(i, i, a.At(i, i)*(1+1e-6)+1e-12)
	}
	var chol mat.Cholesky
	x := mat.NewVecDense(4, nil)
	if chol.Factorize(a) && chol.SolveVecTo(x, b) == nil {
		for i := range m.coef {
			m.coef[i] = x.AtVec(i)
		}
	}
	m.floor = least / 2
	for _, v := range s {
		m.ratios = append(m.ratios, v.seconds/m.at(v.cores))
		m.meanRatio += v.seconds / m.at(v.cores) / float64(len(s))
	}
	m.ratios = stats.Quantiles(m.ratios, evenLevels(len(m.ratios))...)
	return m
}

// evenLevels returns the levels at which quantiles are the order statistics.
func evenLevels(n int) []float64 {
	l := make([]float64, n)
	for i := range l {
		l[i] = float64(i) / math.Max(1, float64(n-1))
	}
	return l
}

func (m stageModel) at(cores float64) float64 {
	var t float64
	for i, f := range stageFeatures(cores) {
		t += m.coef[i] * f
	}
	return math.Max(t, m.floor)
}

// cheapest searches the sizes for the least cost that keeps the target.
func (s *simulation) cheapest(sizes [][]function.Resources, mean func(f int, r function.Resources) float64) (search.Solution, tuner.Configuration) {
	p := s.p
	sp := &search.Space{
		Graph: p.Graph, Composition: s.comp, Runs: len(s.latency), Uniform: s.uniform, Statistic: p.Target.Of,
	}
	visits := make([]float64, len(p.Functions)+1)
	outside := len(p.Functions)
	for stage, v := range p.Graph.VisitRatios() {
		f := variable(p, stage)
		if f < 0 {
			f = outside
		}
		sp.Variable = append(sp.Variable, f)
		visits[f] += v
	}
	for f := range p.Functions {
		var options []search.Option
		for _, r := range sizes[f] {
			t := mean(f, r)
			options = append(options, search.Option{Resources: r, Time: t, Cost: visits[f] * (p.Price.Busy(r, 1e9)*t + p.Price.PerInvocation)})
		}
		sp.Options = append(sp.Options, search.Front(options))
	}
	sp.Options = append(sp.Options, []search.Option{{}})
	sp.Column = func(slot, option int, dst []float64) {
		copy(dst, s.column(slot, sp.Options[sp.Variable[s.comp.Slots()[slot]]][option].Resources))
	}
	sol := sp.Solve(p.Target.Seconds, 10)
	c := make(tuner.Configuration, len(p.Functions))
	for f := range c {
		c[f] = sp.Options[f][sol.Choice[f]].Resources
	}
	return sol, c
}
