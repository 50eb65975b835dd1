package experiment

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/profile"
	"github.com/aquatope/aquatope/stats"
	"github.com/aquatope/aquatope/tuner"
	"github.com/aquatope/aquatope/tuner/baseline"
	"golang.org/x/sync/errgroup"
)

// TuneOptions say what to compare.
type TuneOptions struct {
	Profiles   []*profile.Model
	Strategies []string // of TuneStrategies
	Seeds      int
	FirstSeed  int
	Budget     int  // runs of each search
	Mean       bool // promise the mean instead of the profile's percentile
	// Binding promises a latency that binds instead of the profile's: the geometric
	// mean of the shortest that any configuration has and that of the cheapest.
	Binding bool
	Price   function.Price
	// Progress, if not nil, is called after each search, from one goroutine at a time.
	Progress func(done, all int, what string)
}

// TuneResult is what one search recommends after some of its runs.
type TuneResult struct {
	Workflow       string  `json:"workflow"`
	Strategy       string  `json:"strategy"`
	Seed           int     `json:"seed"`
	Samples        int     `json:"samples"`
	Cost           float64 `json:"cost"`
	OracleCost     float64 `json:"oracleCost"`
	CostOverOracle float64 `json:"costOverOracle"`
	// TrueLatencyPercentileMillis is the promised percentile (or mean) of the
	// recommended configuration's latency; absent if it does not survive.
	TrueLatencyPercentileMillis *float64 `json:"trueLatencyPercentileMillis"`
	QoSMillis                   float64  `json:"qosMillis"`
	Feasible                    bool     `json:"feasible"`
	ViolationsDuringSearch      int      `json:"violationsDuringSearch"`
	SecondsPerDecision          float64  `json:"secondsPerDecision"`
}

// TuneExperiment is the outcome of a comparison.
type TuneExperiment struct {
	Target  string       `json:"target"`
	Price   string       `json:"price"`
	Results []TuneResult `json:"results"`
}

// Checkpoints are the numbers of runs after which recommendations are judged.
var Checkpoints = []int{10, 15, 20, 25, 40, 70}

// strategies makes a fresh strategy of every kind, ours first.
var strategies = []func() tuner.Strategy{
	func() tuner.Strategy { return &tuner.Structured{} },
	func() tuner.Strategy { return &tuner.Blackbox{} },
	func() tuner.Strategy { return &tuner.Blackbox{Log: true} },
	func() tuner.Strategy { return &tuner.Blackbox{Log: true, TrustRegion: true} },
	func() tuner.Strategy { return baseline.CLITE{} },
	func() tuner.Strategy { return baseline.Jolteon{} },
	func() tuner.Strategy { return baseline.Orion{} },
	func() tuner.Strategy { return baseline.Parrotfish{} },
	func() tuner.Strategy { return baseline.Autoscale{} },
	func() tuner.Strategy { return baseline.Autoscale{Conservative: true} },
	func() tuner.Strategy { return baseline.Random{} },
}

// TuneStrategies returns the names of all strategies, ours first.
func TuneStrategies() []string {
	names := make([]string, len(strategies))
	for i, make := range strategies {
		names[i] = make().Name()
	}
	return names
}

func newStrategy(name string) (tuner.Strategy, error) {
	for _, make := range strategies {
		if s := make(); s.Name() == name {
			return s, nil
		}
	}
	return nil, fmt.Errorf("no strategy %q; the known ones are %s", name, strings.Join(TuneStrategies(), ", "))
}

// Tune runs every strategy on every profile with every seed, in parallel. The
// results are in order of workflow, strategy, seed and samples, and but for the
// times the same however they were scheduled. When ctx ends early, those that
// there are come with the error.
func Tune(ctx context.Context, opt TuneOptions) (*TuneExperiment, error) {
	if opt.Seeds < 1 || opt.Budget < 1 || len(opt.Profiles) == 0 || len(opt.Strategies) == 0 {
		return nil, errors.New("an experiment needs workflows, strategies, seeds and a budget")
	}
	for _, name := range opt.Strategies {
		if _, err := newStrategy(name); err != nil {
			return nil, err
		}
	}
	out := &TuneExperiment{Price: opt.Price.Name, Target: "promised percentile"}
	if opt.Mean {
		out.Target = "mean"
	}
	if opt.Binding {
		out.Target += ", binding"
	}
	worlds := make([]*judgedWorld, len(opt.Profiles))
	group := errgroup.Group{}
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, m := range opt.Profiles {
		group.Go(func() (err error) {
			worlds[i], err = newJudgedWorld(m, opt)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	type job struct{ world, strategy, seed int }
	var jobs []job
	for w := range worlds {
		for s := range opt.Strategies {
			for seed := range opt.Seeds {
				jobs = append(jobs, job{w, s, opt.FirstSeed + seed})
			}
		}
	}
	results := make([][]TuneResult, len(jobs))
	done := make(chan string)
	finished := make(chan struct{})
	n := 0
	go func() {
		defer close(finished)
		for what := range done {
			n++
			if opt.Progress != nil {
				opt.Progress(n, len(jobs), what)
			}
		}
	}()
	searches, searchCtx := errgroup.WithContext(ctx)
	searches.SetLimit(runtime.GOMAXPROCS(0))
	for i, j := range jobs {
		searches.Go(func() (err error) {
			name := opt.Strategies[j.strategy]
			if results[i], err = worlds[j.world].search(searchCtx, name, j.seed, opt.Budget); err != nil {
				return fmt.Errorf("%s on %s with seed %d: %w", name, worlds[j.world].model.Name, j.seed, err)
			}
			done <- fmt.Sprintf("%s, %s, seed %d", worlds[j.world].model.Name, name, j.seed)
			return nil
		})
	}
	err := searches.Wait()
	close(done)
	<-finished
	if err != nil && !interrupted(ctx, err, n) {
		return nil, err
	}
	out.Results = slices.Concat(results...)
	return out, err
}

// judgedWorld is a world with its oracle.
type judgedWorld struct {
	*tuneWorld
	oracleCost float64
}

func newJudgedWorld(m *profile.Model, opt TuneOptions) (*judgedWorld, error) {
	target := tuner.PromiseOf(m.QoS)
	if opt.Mean {
		target.Percentile = 0
	}
	w, err := newTuneWorld(m, target, opt.Price)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.Name, err)
	}
	known := w.truth(truthRuns/4, 1).known()
	if opt.Binding {
		if w.problem.Target.Seconds, err = bindingLatency(known); err != nil {
			return nil, fmt.Errorf("%s: %w", m.Name, err)
		}
	}
	_, cost, value, ok, err := baseline.Oracle(known)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.Name, err)
	}
	if !ok {
		return nil, fmt.Errorf("%s: no configuration keeps its promise, the best has %.4g s: raise latencyMillis", m.Name, value)
	}
	return &judgedWorld{tuneWorld: w, oracleCost: cost}, nil
}

// bindingLatency returns a promise, in seconds, that is neither loose nor out of
// reach: halfway, in the logarithm, between what the fastest configuration keeps and
// what the cheapest does.
func bindingLatency(t baseline.Truth) (float64, error) {
	p := *t.Problem
	t.Problem = &p
	product := 1.0
	for _, seconds := range [...]float64{1e-9, 1e9} { // nothing keeps the one, everything the other
		p.Target.Seconds = seconds
		_, _, value, _, err := baseline.Oracle(t)
		if err != nil {
			return 0, err
		}
		product *= value
	}
	return math.Sqrt(product), nil
}

// search runs one strategy and judges its recommendations at the checkpoints.
func (w *judgedWorld) search(ctx context.Context, name string, seed, budget int) ([]TuneResult, error) {
	strategy, err := newStrategy(name)
	if err != nil {
		return nil, err
	}
	var (
		history    []tuner.Run
		out        []TuneResult
		violations int
		spent      time.Duration
		decisions  int
		runs       = stats.Stream(uint64(seed), "runs of "+w.model.Name)
		judge      = w.truth(truthRuns, 2)
		finished   bool
	)
	for len(history) < budget {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		next := budget
		for _, c := range Checkpoints {
			if c > len(history) {
				next = min(next, c)
				break
			}
		}
		var batch []tuner.Configuration
		if !finished {
			began := time.Now()
			batch, err = strategy.Next(w.problem, history, min(batchOf(name), next-len(history)), budget-len(history),
				stats.Stream(uint64(seed), fmt.Sprintf("decision %d of %s", len(history), w.model.Name)))
			if err != nil {
				return nil, err
			}
			spent += time.Since(began)
			decisions++
			finished = len(batch) == 0
		}
		for _, c := range batch {
			began := time.Now()
			input, err := tuner.NextInput(strategy, w.problem, history, c, stats.Stream(uint64(seed), fmt.Sprintf("input %d of %s", len(history), w.model.Name)))
			if err != nil {
				return nil, err
			}
			spent += time.Since(began)
			r := w.run(c, input, runs)
			if r.Failed || r.Latency > w.problem.Target.Seconds {
				violations++
			}
			history = append(history, r)
		}
		if len(history) < next && !finished {
			continue
		}
		res, err := strategy.Recommend(w.problem, history, stats.Stream(uint64(seed), fmt.Sprintf("recommendation %d of %s", next, w.model.Name)))
		if err != nil {
			return nil, err
		}
		r := w.judge(judge, res)
		r.Strategy, r.Seed, r.Samples, r.ViolationsDuringSearch = name, seed, next, violations
		r.SecondsPerDecision = spent.Seconds() / float64(max(1, decisions))
		out = append(out, r)
		if finished && next >= budget {
			break
		}
		if finished { // the budget is not used up, but nothing changes any more
			for _, c := range append(slices.Clone(Checkpoints), budget) {
				if c > r.Samples && c <= budget {
					r.Samples = c
					out = append(out, r)
				}
			}
			break
		}
	}
	return out, nil
}

// batchOf is how many runs a strategy asks for at once: the paper's method
// three, all others one.
func batchOf(name string) int {
	if strings.HasPrefix(name, "blackbox") {
		return 3
	}
	return 1
}

// judge compares a recommendation with the truth. Being over the target by less
// than the error of the truth's own simulation is not held against anyone.
func (w *judgedWorld) judge(t *truth, res tuner.Result) TuneResult {
	const tolerance = 1.0005
	r := TuneResult{
		Workflow: w.model.Name, Cost: w.cost(res.Configuration), OracleCost: w.oracleCost,
		QoSMillis: 1000 * w.problem.Target.Seconds,
	}
	r.CostOverOracle = r.Cost / r.OracleCost
	if l := t.latency(res.Configuration); !math.IsInf(l, 1) {
		ms := 1000 * l
		r.TrueLatencyPercentileMillis = &ms
		r.Feasible = ms <= r.QoSMillis*tolerance
	}
	return r
}

// known presents the truth to the oracle.
func (t *truth) known() baseline.Truth {
	w := t.w
	return baseline.Truth{
		Problem: w.problem,
		Works:   func(f int, r function.Resources) bool { return w.tables[f].Works(r) },
		Mean:    w.mean,
		Quantile: func(f, input int, r function.Resources, u float64) float64 {
			s := w.tables[f].Of(input, r)
			return s.Quantile(u)
		},
		Runs: truthRuns / 4, Uniform: t.uniform, Input: t.input,
		Column: func(slot int, r function.Resources, dst []float64) { copy(dst, t.column(slot, r)) },
	}
}
