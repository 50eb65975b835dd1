package experiment

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/profile"
	"github.com/aquatope/aquatope/trace"
)

// EndToEndOptions say what to compare.
type EndToEndOptions struct {
	Profiles []*profile.Model
	// Trace gives the arrivals of runs.
	Trace   *trace.Trace
	Systems []string // of EndToEndSystems and EndToEndAblations
	Seeds   int
	// FirstSeed is the first of them.
	FirstSeed int
	Price     function.Price
	// ColdStart, if positive, is what the measured start-ups of every function are
	// scaled to have as their median.
	ColdStart time.Duration
	// Progress, if not nil, is called after each system on each workflow, from
	// one goroutine at a time.
	Progress func(done, all int, what string)
}

// EndToEndResult is what one system did with one workflow in the judged part of
// the period.
type EndToEndResult struct {
	Workflow string `json:"workflow"`
	System   string `json:"system"`
	Seed     int    `json:"seed"`
	Runs     int64  `json:"runs"`
	// Violations are runs that failed or took longer than QoSMillis.
	Violations    int64   `json:"violations"`
	ViolationRate float64 `json:"violationRate"`
	P50Millis     float64 `json:"p50Millis"`
	P95Millis     float64 `json:"p95Millis"`
	P99Millis     float64 `json:"p99Millis"`
	QoSMillis     float64 `json:"qosMillis"`
	// ErrorBudget is the share of runs that may violate the promise.
	ErrorBudget float64 `json:"errorBudget"`
	// BusyCost is paid for instances that serve or start for an invocation that
	// waits, IdleCost for those that wait or start ahead, TrialCost for tuning.
	BusyCost   float64 `json:"busyCost"`
	IdleCost   float64 `json:"idleCost"`
	TrialCost  float64 `json:"trialCost"`
	TotalCost  float64 `json:"totalCost"`
	ColdStarts int64   `json:"coldStarts"`
	// QoSMet says whether the share of violations is within the error budget.
	QoSMet bool `json:"qosMet"`
	// Configuration is what the functions were given, Decision how the pool was
	// set and what was expected of it.
	Configuration string `json:"configuration"`
	Decision      string `json:"decision"`
	// Expected is the trade-off that the project's system chose from, by what it
	// expected, from the cheapest plan on.
	Expected []EndToEndExpectation `json:"expected,omitempty"`
}

// EndToEndExpectation is what a plan was expected to do.
type EndToEndExpectation struct {
	ViolationRate float64 `json:"violationRate"`
	CostPerRun    float64 `json:"costPerRun"`
}

// EndToEndSeries is the series of the trace that was laid on a workflow.
type EndToEndSeries struct {
	Workflow string `json:"workflow"`
	Seed     int    `json:"seed"`
	Function string `json:"function"`
	// RunsPerMinute is the mean over the whole period.
	RunsPerMinute float64    `json:"runsPerMinute"`
	Training      trace.Span `json:"trainingMinutes"`
	Judged        trace.Span `json:"judgedMinutes"`
}

// EndToEndExperiment is the outcome of a comparison.
type EndToEndExperiment struct {
	Price   string            `json:"price"`
	Series  []EndToEndSeries  `json:"series"`
	Results []EndToEndResult  `json:"results"`
	Summary []EndToEndSummary `json:"summary"`
	Notes   []string          `json:"notes"`
}

// EndToEnd runs every system on every workflow with every seed, in parallel. The
// results are in order of workflow, system and seed, and the same however they
// were scheduled. When ctx ends early, those that there are come with the error,
// without a summary.
func EndToEnd(ctx context.Context, opt EndToEndOptions) (*EndToEndExperiment, error) {
	if opt.Seeds < 1 || len(opt.Profiles) == 0 || len(opt.Systems) == 0 || opt.Trace == nil {
		return nil, errors.New("an experiment needs workflows, systems, seeds and a trace")
	}
	var systems []system
	for _, name := range opt.Systems {
		s, err := systemCalled(name)
		if err != nil {
			return nil, err
		}
		systems = append(systems, s)
	}
	worlds, err := newEndWorlds(ctx, opt)
	if err != nil {
		return nil, err
	}
	type job struct{ world, system int }
	var jobs []job
	for w := range worlds {
		for s := range systems {
			jobs = append(jobs, job{w, s})
		}
	}
	results := make([]EndToEndResult, len(jobs))
	var mu sync.Mutex
	done := 0
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, j := range jobs {
		group.Go(func() error {
			w, s := worlds[j.world], systems[j.system]
			r, err := s.judge(groupCtx, w)
			if err != nil {
				return fmt.Errorf("%s on %s with seed %d: %w", s.name, w.model.Name, w.seed, err)
			}
			r.System = s.name
			results[i] = r
			mu.Lock()
			defer mu.Unlock()
			done++
			if opt.Progress != nil {
				opt.Progress(done, len(jobs), fmt.Sprintf("%s, %s, seed %d", w.model.Name, s.name, w.seed))
			}
			return nil
		})
	}
	err = group.Wait()
	if err != nil && !interrupted(ctx, err, done) {
		return nil, err
	}
	results = slices.DeleteFunc(results, func(r EndToEndResult) bool { return r.System == "" })
	ex := &EndToEndExperiment{Price: opt.Price.Name, Results: results, Notes: endToEndNotes(opt, worlds)}
	for _, w := range worlds {
		ex.Series = append(ex.Series, w.series())
	}
	order := func(name string) int { return slices.Index(opt.Systems, name) }
	slices.SortStableFunc(ex.Results, func(a, b EndToEndResult) int {
		if a.Workflow != b.Workflow {
			return 0 // worlds are in order of workflows
		}
		return order(a.System) - order(b.System)
	})
	if err != nil {
		ex.Notes = append(ex.Notes, interruptedNote(done, len(jobs), "systems on workflows"))
		return ex, err
	}
	ex.Summary = ex.Summaries()
	return ex, nil
}

// result describes what was measured of a system in a world.
func (w *endWorld) result(m *measured, c session) EndToEndResult {
	r := &m.WorkflowResult
	ms := func(p float64) float64 { return 1000 * r.Latency(p).Seconds() }
	out := EndToEndResult{
		Workflow: w.model.Name, Seed: int(w.seed), Runs: r.Runs, Violations: r.Violations, ViolationRate: r.ViolationRate(),
		P50Millis: ms(0.50), P95Millis: ms(0.95), P99Millis: ms(0.99), QoSMillis: 1000 * w.problem.Target.Seconds, ErrorBudget: w.model.QoS.ErrorBudget(),
		BusyCost: r.Busy.Cost, IdleCost: r.Idle.Cost, TrialCost: c.cost, ColdStarts: r.ColdStarts,
		QoSMet: w.model.QoS.Kept(int(r.Runs), int(r.Violations)),
	}
	out.TotalCost = out.BusyCost + out.IdleCost + out.TrialCost
	var parts []string
	for f, res := range c.configuration {
		parts = append(parts, w.problem.Functions[f].Name+" "+res.String())
	}
	out.Configuration = strings.Join(parts, ", ")
	return out
}
