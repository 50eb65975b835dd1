package experiment

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"gonum.org/v1/gonum/floats"

	"github.com/aquatope/aquatope/control"
	"github.com/aquatope/aquatope/forecast"
	"github.com/aquatope/aquatope/forecast/prior"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/pool"
	"github.com/aquatope/aquatope/profile"
	"github.com/aquatope/aquatope/sim/fleet"
	"github.com/aquatope/aquatope/sim/flow"
	"github.com/aquatope/aquatope/sim/rehearsal"
	"github.com/aquatope/aquatope/stats"
	"github.com/aquatope/aquatope/trace"
	"github.com/aquatope/aquatope/tuner"
)

// endWorld is one workflow under one series of arrivals: what all systems of one
// seed share.
type endWorld struct {
	*tuneWorld
	seed     uint64
	trace    *trace.Trace
	entry    *trace.Function
	all      trace.Span // the period
	judged   trace.Span // its second part
	arrivals []flow.Arrival
	widths   []int // instances of each function that one run needs at once
	// foreseen are the forecasts of runs, made once for all that ask.
	foreseen func() (*foreseen, error)
	// network is the paper's, trained once for all workflows of the seed.
	network func() (forecast.Model, error)

	mu       sync.Mutex
	sessions map[tuning]func() (session, error)

	hindsightOnce sync.Once
	hindsightPlan control.JointDecision
	hindsightErr  error
}

// hindsight returns the plan that would have been best, found once.
func (w *endWorld) hindsight(ctx context.Context) (control.JointDecision, error) {
	w.hindsightOnce.Do(func() {
		o, err := newOracleSearch(ctx, w)
		if err == nil {
			w.hindsightPlan, err = o.solve()
		}
		w.hindsightErr = err
	})
	return w.hindsightPlan, w.hindsightErr
}

// newEndWorlds makes the worlds in order of workflow and seed.
func newEndWorlds(ctx context.Context, opt EndToEndOptions) ([]*endWorld, error) {
	var out []*endWorld
	n := len(opt.Profiles)
	bySeed := make([][]*endWorld, opt.Seeds)
	for k := range opt.Seeds {
		seed := uint64(opt.FirstSeed + k)
		chosen, err := chooseSeries(opt.Trace, n, seed)
		if err != nil {
			return nil, err
		}
		lesson := sync.OnceValues(func() (forecast.Model, error) { return learnForecasts(ctx, opt.Trace, chosen, seed) })
		for i, m := range opt.Profiles {
			w, err := newEndWorld(m, opt, chosen[i], seed, lesson)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", m.Name, err)
			}
			bySeed[k] = append(bySeed[k], w)
		}
		network := sync.OnceValues(func() (forecast.Model, error) { return learnPaper(ctx, bySeed[k], seed) })
		for _, w := range bySeed[k] {
			w.network = network
		}
	}
	for i := range n {
		for k := range opt.Seeds {
			out = append(out, bySeed[k][i])
		}
	}
	return out, nil
}

func newEndWorld(m *profile.Model, opt EndToEndOptions, f *trace.Function, seed uint64, lesson func() (forecast.Model, error)) (*endWorld, error) {
	base, err := newTuneWorld(withColdStarts(m, opt.ColdStart.Seconds()), tuner.PromiseOf(m.QoS), opt.Price)
	if err != nil {
		return nil, err
	}
	w := &endWorld{tuneWorld: base, seed: seed, trace: opt.Trace, entry: f, sessions: map[tuning]func() (session, error){}}
	w.all, w.judged = period(opt.Trace)
	w.arrivals = arrivalsOf(opt.Trace, f, w.all, seed)
	w.widths = make([]int, len(w.tables))
	for stage, n := range m.Graph.Widths() {
		w.widths[w.function(stage)] += n
	}
	w.foreseen = sync.OnceValues(func() (*foreseen, error) {
		model, err := lesson()
		if err != nil {
			return nil, err
		}
		return w.foresee(model), nil
	})
	return w, nil
}

// withColdStarts draws the cold starts that a profile lacks, as in the comparison
// of pools, and scales all to a median in seconds if that is positive.
func withColdStarts(m *profile.Model, median float64) *profile.Model {
	out := *m
	out.Functions = slices.Clone(m.Functions)
	for i, t := range m.Functions {
		r := stats.Stream(1, "experiment/endtoend/cold-start/"+t.Name)
		starts := slices.Clone(t.ColdStart)
		if len(starts) == 0 {
			for range 100 {
				starts = append(starts, drawCold(r).Seconds())
			}
		}
		switch was := stats.Quantile(0.5, slices.Sorted(slices.Values(starts))); {
		case median > 0 && was > 0:
			floats.Scale(median/was, starts)
		case len(t.ColdStart) > 0:
			continue // as measured, which may depend on size
		}
		out.Functions[i] = t.WithColdStarts(starts)
	}
	return &out
}

// forecastRows and forecastSeries bound what the forecaster learns from.
const (
	forecastSeries = 300
	forecastRows   = 100_000
)

// learnForecasts trains the project's forecaster on the training part of other
// series of the trace than those that are laid on workflows, so that what it
// says of these in the training part is as good as what it will say later.
func learnForecasts(ctx context.Context, t *trace.Trace, chosen []*trace.Function, seed uint64) (forecast.Model, error) {
	all, judged := period(t)
	var others []*trace.Function
	for i := range t.Functions {
		if f := &t.Functions[i]; !slices.Contains(chosen, f) {
			others = append(others, f)
		}
	}
	r := stats.Stream(seed, "experiment/endtoend/forecast")
	r.Shuffle(len(others), func(i, j int) { others[i], others[j] = others[j], others[i] })
	if len(others) == 0 {
		others = chosen // better than nothing
	}
	var data []*forecast.History
	for _, f := range others[:min(len(others), forecastSeries)] {
		data = append(data, forecast.FromTrace(t, f, trace.Span{From: all.From, To: judged.From}))
	}
	budget := forecast.Budget{Continue: func() bool { return ctx.Err() == nil }}
	learner := prior.Learner()
	learner.Rows = forecastRows
	model, err := learner.Train(data, budget, r)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return model, err
}

// foreseen are the forecasts of a workflow's functions, from its runs.
type foreseen struct {
	*rehearsal.Foreseen
	model forecast.Model // for who forecasts functions by themselves
}

func (w *endWorld) foresee(model forecast.Model) *foreseen {
	known, _ := rehearsal.Foresee(model.New(), &rehearsal.Workflow{
		Name: w.model.Name, Problem: w.problem, Week: int64(w.trace.Start), Window: rehearsal.Window, Lead: rehearsal.Lead,
	}, rehearsal.Past{
		Arrivals: w.arrivals, From: instant(w.all.From), Until: instant(w.all.To),
	}, w.visits, func() bool { return true })
	return &foreseen{known, model}
}

// playback is one simulation of arrivals.
type playback struct {
	workflow flow.Workflow
	policy   pool.Policy
	window   time.Duration
	lead     time.Duration
	memory   function.Bytes // of the one machine that there is; 0 is no limit
	from     int            // first minute of arrivals
	counted  trace.Span     // minutes that count
	onStage  func(flow.Stage)
}

// measured is what a simulation measured of the one workflow in it.
type measured struct{ flow.WorkflowResult }

// manyCPUs is more than any workflow here uses: where memory is what limits.
const manyCPUs = function.MilliCPU(1_000_000_000)

func (w *endWorld) play(ctx context.Context, r playback) (*measured, error) {
	cfg := flow.Config{
		Window: r.window, Lead: r.lead, From: instant(r.counted.From), Until: instant(r.counted.To),
		Price: w.problem.Price, Seed: w.seed, OnStage: r.onStage,
	}
	if r.memory > 0 {
		cfg.Nodes = []fleet.Node{{CPU: manyCPUs, Memory: r.memory}}
	}
	s := flow.New([]flow.Workflow{r.workflow}, r.policy, cfg)
	for hour := r.from; hour < r.counted.To; hour += hourMinutes {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s.Feed(within(w.arrivals, trace.Span{From: hour, To: min(hour+hourMinutes, r.counted.To)}))
	}
	return &measured{s.Finish().Workflows[0]}, nil
}

const hourMinutes = 60

// training are the minutes before those that are judged.
func (w *endWorld) training() trace.Span {
	return trace.Span{From: w.all.From, To: w.judged.From}
}

// truly returns the workflow as it is.
func (w *endWorld) truly(c tuner.Configuration) flow.Workflow { return flow.FromModel(w.model, c) }

func (w *endWorld) series() EndToEndSeries {
	return EndToEndSeries{
		Workflow: w.model.Name, Seed: int(w.seed), Function: w.entry.ID.String(),
		RunsPerMinute: float64(len(w.arrivals)) / float64(w.all.Len()), Training: w.training(), Judged: w.judged,
	}
}

// lackingColdStarts says which start-ups are not measured.
func lackingColdStarts(profiles []*profile.Model) []string {
	var out []string
	for _, m := range profiles {
		for _, t := range m.Functions {
			if len(t.ColdStart) == 0 {
				out = append(out, fmt.Sprintf("The profile of %s has no cold starts of %s. %s", m.Name, t.Name, coldNote()))
			}
		}
	}
	return out
}

func endToEndNotes(opt EndToEndOptions, worlds []*endWorld) []string {
	out := slices.Clone(opt.Trace.Notes)
	out = append(out, seriesRule(len(opt.Profiles)))
	out = append(out, lackingColdStarts(opt.Profiles)...)
	if opt.ColdStart > 0 {
		out = append(out, fmt.Sprintf("Start-ups were not taken as measured: those of each function were scaled to a median of %v.", opt.ColdStart))
	}
	return append(out, fmt.Sprintf("A violation is a run that fails or takes longer than the latency promised. "+
		"Idle instances cost what price list %q says; so does the time in which instances start. There is room for every instance, but for faascache, whose knob is the memory.", opt.Price.Name))
}
