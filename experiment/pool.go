package experiment

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/pool"
	"github.com/aquatope/aquatope/sim"
	"github.com/aquatope/aquatope/stats"
	"github.com/aquatope/aquatope/trace"
)

// PoolConfig describes a comparison of pool policies.
type PoolConfig struct {
	// Trace gives the arrivals; what it lacks is drawn (trace.Complete).
	Trace *trace.Trace
	// Judged is the part that counts; what lies before it within the covered
	// part trains and warms up. Zero means the second half of what is covered.
	Judged trace.Span
	// Policies by name; empty means all.
	Policies []string
	// Seeds is the number of repetitions with other draws; 0 means 1.
	Seeds int
	// Concurrency is how many invocations an instance serves at once; 0 means
	// DefaultConcurrency.
	Concurrency int
	// Workflows lays the arrivals of the trace on workflows.
	Workflows bool
	// Spread places the invocations of a minute; the zero value as measured.
	Spread sim.Spread
	// Workers is the number of runs at once; 0 means one for each processor.
	Workers int
	// Progress, unless nil, is told how many of the total minutes of all runs have been
	// simulated. It may be called from several goroutines.
	Progress func(done, total int64, note string)
}

// DefaultConcurrency is that of OpenWhisk, which the paper's policies were made
// for, and of functions here that declare none. Instances of Azure Functions,
// where the public traces come from, take many invocations at once: see what 100 does.
const DefaultConcurrency = 1

// PoolResult is one policy with one value of its knob, mean over seeds.
type PoolResult struct {
	Policy    string  `json:"policy"`
	Knob      string  `json:"knob"` // what the parameter is, with its unit
	Parameter float64 `json:"parameter"`

	Invocations     int64   `json:"invocations"`
	ColdStarts      float64 `json:"coldStarts"`
	ColdStartRate   float64 `json:"coldStartRate"`
	P50StartMillis  float64 `json:"p50StartMillis"`
	P99StartMillis  float64 `json:"p99StartMillis"`
	MemoryGBSeconds float64 `json:"memoryGBSeconds"`
	// IdleMemoryGBSeconds is the memory of all instances at every instant at
	// which they serve nothing; QuietMemoryGBSeconds the part of it in minutes
	// in which the function is not called at all, which does not depend on how
	// invocations are spread within their minutes.
	IdleMemoryGBSeconds  float64 `json:"idleMemoryGBSeconds"`
	QuietMemoryGBSeconds float64 `json:"quietMemoryGBSeconds"`
	// StartedAhead are instances that no invocation waited for, Rejected
	// invocations that found no memory.
	StartedAhead float64 `json:"startedAhead"`
	Rejected     float64 `json:"rejected"`
	// DecisionSeconds is the time spent in the policy's code, training and
	// forecasts that several parameters share included once; TrainSeconds
	// is the time to train.
	DecisionSeconds float64 `json:"decisionSeconds"`
	TrainSeconds    float64 `json:"trainSeconds"`
}

// PoolReport is the outcome of a comparison.
type PoolReport struct {
	Functions int          `json:"functions"`
	Judged    trace.Span   `json:"judgedMinutes"`
	Seeds     int          `json:"seeds"`
	Results   []PoolResult `json:"results"`
	// Savings compare idle memory at equal cold starts, QuietSavings that in
	// minutes without a call.
	Savings      []Saving `json:"savings"`
	QuietSavings []Saving `json:"quietSavings"`
	Notes        []string `json:"notes"`

	seeds [][]PoolResult // results of each seed
}

// Pool runs every policy with every value of its knob over the trace. When ctx
// ends early, the policies that were through with all seeds come with the error.
func Pool(ctx context.Context, c PoolConfig) (*PoolReport, error) {
	contenders, err := choose(c.Policies)
	if err != nil {
		return nil, err
	}
	if err := c.complete(); err != nil {
		return nil, err
	}
	var total int64
	for _, k := range contenders {
		total += int64(c.Judged.To-c.Trace.Covered.From) * int64(len(k.values)*c.Seeds)
	}
	meter := newMeter(total, c.Progress)

	groups := make([]*group, 0, len(contenders)*c.Seeds)
	for seed := range c.Seeds {
		make := newWorld
		if c.Workflows {
			make = newWorkflowWorld
		}
		w, err := make(c, uint64(seed+1))
		if err != nil {
			return nil, err
		}
		for _, k := range contenders {
			groups = append(groups, &group{contender: k, world: w, meter: meter})
		}
	}
	// The longest first, so that no worker is left with it at the end.
	order := slices.Clone(groups)
	slices.SortStableFunc(order, func(a, b *group) int { return b.weight - a.weight })
	run, runCtx := errgroup.WithContext(ctx)
	run.SetLimit(c.Workers)
	for _, g := range order {
		run.Go(func() error {
			err := g.run(runCtx)
			g.done = err == nil
			return err
		})
	}
	runErr := run.Wait()
	notes := append(slices.Clone(c.Trace.Notes), groups[0].world.notes...)
	if runErr != nil {
		all := len(contenders)
		contenders, groups = through(contenders, groups)
		if !interrupted(ctx, runErr, len(contenders)) {
			return nil, runErr
		}
		notes = append(notes, interruptedNote(len(contenders), all, "policies"))
	}
	r := &PoolReport{
		Functions: len(groups[0].world.functions), Judged: c.Judged, Seeds: c.Seeds,
		Results: mean(groups), Notes: notes,
	}
	for seed := range c.Seeds {
		r.seeds = append(r.seeds, mean(groups[seed*len(contenders):(seed+1)*len(contenders)]))
	}
	r.Savings = overSeeds(savings(r.Results), r.seeds)
	r.QuietSavings = overSeeds(savings(quiet(r.Results)), r.quietSeeds())
	return r, runErr
}

// through are the contenders that are through with all seeds, and their groups,
// which are in order of seed and contender.
func through(contenders []contender, groups []*group) (left []contender, kept []*group) {
	n := len(contenders)
	unfinished := make([]bool, n)
	for i, g := range groups {
		unfinished[i%n] = unfinished[i%n] || !g.done
	}
	for i, g := range groups {
		if !unfinished[i%n] {
			kept = append(kept, g)
		}
	}
	for i, k := range contenders {
		if !unfinished[i] {
			left = append(left, k)
		}
	}
	return left, kept
}

func (c *PoolConfig) complete() error {
	covered := c.Trace.Covered
	if c.Judged == (trace.Span{}) {
		_, c.Judged = c.Trace.Halves()
	}
	switch {
	case len(c.Trace.Functions) == 0:
		return fmt.Errorf("comparing policies: the trace has no functions")
	case c.Judged.From < covered.From || c.Judged.To > covered.To || c.Judged.Len() <= 0:
		return fmt.Errorf("comparing policies: minutes %d to %d are to be judged, the trace covers %d to %d",
			c.Judged.From, c.Judged.To, covered.From, covered.To)
	case c.Trace.Invocations(c.Judged) == 0:
		return fmt.Errorf("comparing policies: no invocation in minutes %d to %d, which are to be judged", c.Judged.From, c.Judged.To)
	}
	c.Seeds = max(1, c.Seeds)
	if c.Concurrency <= 0 {
		c.Concurrency = DefaultConcurrency
	}
	if c.Workers <= 0 {
		c.Workers = runtime.GOMAXPROCS(0)
	}
	return nil
}

// world is what all policies of one seed share.
type world struct {
	PoolConfig
	seed      uint64
	trace     *trace.Trace // with everything that was missing drawn
	functions []pool.Function
	notes     []string
	// newSource returns the arrivals from their beginning.
	newSource func() source
	// successors are the stages that follow an entry, by its function.
	successors map[int][]pool.Successor
}

// source gives arrivals by the minute, in order.
type source interface {
	Next() (batch []sim.Arrival, minute int, ok bool)
}

// simulated are the minutes that every policy lives through.
func (w *world) simulated() trace.Span {
	return trace.Span{From: w.trace.Covered.From, To: w.Judged.To}
}

// Cold-start times are not in any public trace with counts; they are drawn
// log-normal around a second, which is where the platforms of the time were.
const (
	coldMedian = 1.0 // s
	coldSigma  = 0.5
	minCold    = 0.1
	maxCold    = 10.0
)

func newWorld(c PoolConfig, seed uint64) (*world, error) {
	t := *c.Trace
	t.Functions, t.Notes = slices.Clone(t.Functions), nil
	t.Complete(stats.Stream(seed, "experiment/complete"))
	w := &world{PoolConfig: c, seed: seed, trace: &t, functions: make([]pool.Function, len(t.Functions))}
	r := stats.Stream(seed, "experiment/cold-start")
	for i, f := range t.Functions {
		mb := f.Memory.Mean
		if !(mb > 0) {
			return nil, fmt.Errorf("comparing policies: function %s has %v MB of memory", f.ID, mb)
		}
		app := f.ID
		app.Function = ""
		w.functions[i] = pool.Function{
			Name: f.ID.String(), App: app.String(), Memory: function.Bytes(mb * 1e6),
			ColdStart: drawCold(r), Service: time.Duration(f.Duration.Mean * float64(time.Millisecond)),
			Concurrency: c.Concurrency,
		}
	}
	w.newSource = func() source { return sim.NewArrivals(w.trace, w.simulated(), c.Spread, seed) }
	w.notes = append(t.Notes, c.Spread.Describe(), coldNote(), concurrencyNote(c.Concurrency))
	return w, nil
}

func drawCold(r *rand.Rand) time.Duration {
	s := math.Min(math.Max(coldMedian*math.Exp(coldSigma*r.NormFloat64()), minCold), maxCold)
	return time.Duration(s * float64(time.Second))
}

func coldNote() string {
	return fmt.Sprintf("Cold-start times were drawn: log-normal, median %g s, sigma %g, within [%g, %g] s.", coldMedian, coldSigma, minCold, maxCold)
}

func concurrencyNote(n int) string {
	return fmt.Sprintf("An instance serves up to %d invocations at once.", n)
}

// config is the simulator's configuration for a policy.
func (w *world) config(window, lead time.Duration, capacityGB float64) sim.Config {
	return sim.Config{
		Window: window, Lead: lead, Capacity: int64(capacityGB * 1e9),
		From: instant(w.Judged.From), Until: instant(w.Judged.To),
	}
}

func instant(minute int) time.Duration { return time.Duration(minute) * time.Minute }
