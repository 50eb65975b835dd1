package rehearsal_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aquatope/aquatope/control"
	"github.com/aquatope/aquatope/forecast"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/sim/flow"
	"github.com/aquatope/aquatope/sim/rehearsal"
	"github.com/aquatope/aquatope/stats"
	"github.com/aquatope/aquatope/tuner"
	"github.com/aquatope/aquatope/workflow"
)

// fewRuns foretells one or two runs in most windows.
type fewRuns struct{}

func (fewRuns) Forecast(h []*forecast.History, _ int) [][]forecast.Distribution {
	out := make([][]forecast.Distribution, len(h))
	for i := range out {
		out[i] = []forecast.Distribution{forecast.NewEmpirical([]float64{0, 0, 1, 1, 2, 2, 3, 4})}
	}
	return out
}

// newRehearsal is of a chain of two functions that take 0.1 s of one CPU each, the
// first 2 s to start and the second 10 ms; runs come every 40 s by chance, and may take 0.4 s.
func newRehearsal(t *testing.T) *rehearsal.Rehearsal {
	t.Helper()
	return newRehearsalStarting(t, []rehearsal.Start{{CPU: 1000, Seconds: 2}}, []rehearsal.Start{{CPU: 1000, Seconds: 0.01}})
}

// newRehearsalStarting is newRehearsal with other start-ups.
func newRehearsalStarting(t *testing.T, starts ...[]rehearsal.Start) *rehearsal.Rehearsal {
	t.Helper()
	g := &workflow.Graph{
		Stages: []workflow.Stage{{Name: "a", Function: "a"}, {Name: "b", Function: "b"}},
		Root: &workflow.Node{Kind: workflow.KindSeries, Children: []*workflow.Node{
			{Kind: workflow.KindStage, Stage: 0}, {Kind: workflow.KindStage, Stage: 1},
		}},
	}
	price, err := function.LookupPrice("paper")
	if err != nil {
		t.Fatal(err)
	}
	space := function.Space{CPU: function.Range{Min: 500, Max: 2000, Step: 500}, Memory: function.Range{Min: int64(function.GiB), Max: int64(function.GiB), Step: int64(function.GiB)}}
	p := &tuner.Problem{
		Graph: g, Target: tuner.Target{Seconds: 0.4, Percentile: 95}, Price: price,
		Functions: []tuner.Function{{Name: "a", Space: space}, {Name: "b", Space: space}},
	}
	rng := stats.Stream(1, "rehearsal test")
	var history []tuner.Run
	for i := range 12 {
		r := function.Resources{CPU: function.MilliCPU(500 * (1 + i%4)), Memory: function.GiB}
		run := tuner.Run{Configuration: tuner.Configuration{r, r}}
		for stage := range 2 {
			s := 0.1 / r.CPU.Cores() * math.Exp(0.05*rng.NormFloat64())
			run.Invocations = append(run.Invocations, tuner.Invocation{Stage: stage, Seconds: s, Outcome: function.OutcomeOK})
			run.Latency += s
		}
		history = append(history, run)
	}
	past := rehearsal.Past{Until: 2 * time.Hour}
	next := func() time.Duration { return time.Duration(40 * rng.ExpFloat64() * float64(time.Second)) }
	for at := next(); at < past.Until; at += next() {
		past.Arrivals = append(past.Arrivals, flow.Arrival{At: at})
	}
	r, err := rehearsal.New(rehearsal.Workflow{
		Name: "w", QoS: workflow.QoS{Latency: 400 * time.Millisecond, Percentile: 95}, Problem: p, History: history,
		Structured: &tuner.Structured{}, ColdStarts: starts, Forecaster: fewRuns{}, Seed: 1,
	}, past)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRehearsesWhatAPlanDoes(t *testing.T) {
	t.Parallel()
	r := newRehearsal(t)
	c := tuner.Configuration{{CPU: 1000, Memory: function.GiB}, {CPU: 1000, Memory: function.GiB}}
	rehearse := func(p control.JointPlan, share float64) rehearsal.Outcome {
		t.Helper()
		o, err := r.Rehearse(context.Background(), p, share)
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	none := rehearse(control.JointPlan{Configuration: c, Price: 0.001, OnDemand: []bool{true, true}}, 1)
	if none.Runs != int64(len(r.Past.Arrivals)) || none.Violations < 0.98 || none.ColdRuns < 0.98 {
		t.Errorf("nothing kept: %+v, want each of %d runs to wait 2 s", none, len(r.Past.Arrivals))
	}
	kept := rehearse(control.JointPlan{Configuration: c, Price: 1000, OnDemand: []bool{false, true}}, 1)
	if kept.Violations > 0.05 || kept.Cost < 5*none.Cost || kept.Standing[0] < 20 || kept.Standing[1] > 2 {
		t.Errorf("the first kept: %+v, want few violations and much more cost", kept)
	}
	for name, x := range map[string]struct {
		o               rehearsal.Outcome
		at, least, most float64
	}{
		"nothing kept": {none, 0.1, 2, 2}, "the first kept": {kept, 0.9, 0, 0}, "and now and then not": {kept, 1, 0.001, 2},
	} {
		if got := stats.Quantile(x.at, x.o.Waiting[0]); got < x.least || got > x.most {
			t.Errorf("%s: the %v-quantile of waiting for the first is %v s, want %v to %v", name, x.at, got, x.least, x.most)
		}
	}
	part := rehearse(control.JointPlan{Configuration: c, Price: 1000, OnDemand: []bool{false, true}}, 1./8)
	if part.Runs != none.Runs/8 || math.Abs(part.Cost/kept.Cost-1) > 0.4 {
		t.Errorf("on an eighth: %+v, on all %+v", part, kept)
	}
	if got := r.Past.Latest(50); len(got.Within(got.Counted, got.Until)) != 50 || got.From != got.Counted-time.Hour {
		t.Errorf("the latest 50 arrivals: from %v, counted from %v", got.From, got.Counted)
	}
}

// Where all arrivals count, those that a pool without experience meets first do not.
func TestLatestWarmsUp(t *testing.T) {
	t.Parallel()
	past := rehearsal.Past{Until: 10 * time.Hour}
	for m := 30; m < 600; m += 10 {
		past.Arrivals = append(past.Arrivals, flow.Arrival{At: time.Duration(m) * time.Minute})
	}
	if got := past.Latest(1000); got.From != 0 || got.Counted != 90*time.Minute {
		t.Errorf("57 runs in 10 hours count from %v on, want an hour after the first", got.Counted)
	}
	past.Arrivals = past.Arrivals[:12]
	if got := past.Latest(1000); len(got.Within(got.Counted, got.Until)) != 9 {
		t.Errorf("of 12 runs in 2 hours those from %v on count, want three quarters of them", got.Counted)
	}
}

// Plans for slow starts that keep little and much cost within a factor of two of
// each other, so that a budget is spent by more than half.
func TestPricesAreClose(t *testing.T) {
	t.Parallel()
	for i, p := range rehearsal.Prices[1:] {
		if before := rehearsal.Prices[i]; p >= 10 && p > 2*before {
			t.Errorf("%v follows %v", p, before)
		}
	}
}

func TestSolvesJointly(t *testing.T) {
	t.Parallel()
	r := newRehearsal(t)
	j := control.Joint{Budget: 0.05, Caution: 1, ColdStarts: r.Starts(), Prices: []float64{0.01, 1, 10, 40, 160, 640}, Configure: r.Configure, Predict: r.Predict}
	all, err := j.Solve()
	if err != nil {
		t.Fatal(err)
	}
	if !all.Feasible || all.OnDemand[0] || !all.OnDemand[1] {
		t.Errorf("%+v, want the slow one kept only", all)
	}
	j.Alone = true
	alone, err := j.Solve()
	if err != nil {
		t.Fatal(err)
	}
	if all.Cost > alone.Cost {
		t.Errorf("with look-ahead %v a run, without %v", all.Cost, alone.Cost)
	}
}

// A stage that calls something elsewhere has no service times that a rehearsal
// could use: it is refused, not found out by a panic in a server.
func TestRefusesAStageThatIsNoFunction(t *testing.T) {
	t.Parallel()
	r := newRehearsal(t)
	g := *r.Problem.Graph
	g.Stages = append(slices.Clone(g.Stages), workflow.Stage{Name: "partner"})
	g.Root = &workflow.Node{Kind: workflow.KindSeries, Children: append(slices.Clone(g.Root.Children), &workflow.Node{Kind: workflow.KindStage, Stage: 2})}
	w := r.Workflow
	p := *w.Problem
	p.Graph, w.Problem = &g, &p
	if _, err := rehearsal.New(w, r.Past); !errors.Is(err, rehearsal.ErrElsewhere) || !strings.Contains(err.Error(), "partner") {
		t.Errorf("%v", err)
	}
}
