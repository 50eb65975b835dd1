package experiment_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/aquatope/aquatope/experiment"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/profile"
	"github.com/aquatope/aquatope/sim/fleet"
	"github.com/aquatope/aquatope/sim/flow"
	"github.com/aquatope/aquatope/trace"
)

func shippedModel(t *testing.T, name string) *profile.Model {
	t.Helper()
	m, err := experiment.NamedProfile(name)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func simulatedWorkflows(t *testing.T, c experiment.SimulateWorkflowsConfig) *experiment.WorkflowSimulationReport {
	t.Helper()
	r, err := experiment.SimulateWorkflows(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// chainOnNodes is a day of chain, busy enough that instances of its four functions
// share nodes.
func chainOnNodes(t *testing.T) experiment.SimulateWorkflowsConfig {
	return experiment.SimulateWorkflowsConfig{
		Profiles: []*profile.Model{shippedModel(t, "chain")}, Rate: 10, Days: 1, Seed: 4,
		Policies: []experiment.PolicyChoice{choice(t, "keepalive=10m")},
		Nodes:    []fleet.Node{{CPU: 4000, Memory: 16 * function.GiB}, {CPU: 4000, Memory: 16 * function.GiB}},
	}
}

// TestSimulateWorkflows: equal seeds give equal reports, all policies face the same
// runs, every run is accounted for, and patience buys cold starts.
func TestSimulateWorkflows(t *testing.T) {
	t.Parallel()
	c := experiment.SimulateWorkflowsConfig{
		Profiles: []*profile.Model{shippedModel(t, "chain"), shippedModel(t, "video-processing")}, Rate: 0.5, Days: 1, Seed: 3,
		Policies: []experiment.PolicyChoice{choice(t, "keepalive=1m"), choice(t, "keepalive=1h"), choice(t, "aquatope")},
	}
	var err error
	if c.Price, err = function.LookupPrice("cloud-run"); err != nil {
		t.Fatal(err)
	}
	r := simulatedWorkflows(t, c)
	if d := cmp.Diff(r, simulatedWorkflows(t, c), cmpopts.IgnoreFields(experiment.PolicySimulation{}, "Process")); d != "" {
		t.Errorf("the same simulation gives something else: %s", d)
	}
	if len(r.Results) != 6 || r.Minutes != 1440 {
		t.Fatalf("%d results of %d minutes", len(r.Results), r.Minutes)
	}
	for i, x := range r.Results {
		if first := r.Results[i%2]; x.Runs != first.Runs || x.Workflow != first.Workflow || x.Runs < 600 || x.Runs > 840 || x.Ended["completed"] != x.Runs {
			t.Errorf("%s under %s: %d runs where others have %d (wanted are about 720), ended %v", x.Workflow, x.Policy, x.Runs, first.Runs, x.Ended)
		}
		if x.TotalCost != x.BusyCost+x.IdleCost || x.BusyCost <= 0 || x.P50Millis <= 0 || x.P99Millis < x.P95Millis {
			t.Errorf("%+v", x)
		}
	}
	if short, long := r.Results[0], r.Results[2]; short.ColdStarts <= long.ColdStarts || short.IdleCost >= long.IdleCost {
		t.Errorf("with a keep-alive of a minute %d cold starts and %g idle, of an hour %d and %g", short.ColdStarts, short.IdleCost, long.ColdStarts, long.IdleCost)
	}
}

// TestSimulateWorkflowsScenarios: everything that the world may add shows.
func TestSimulateWorkflowsScenarios(t *testing.T) {
	t.Parallel()
	plain := simulatedWorkflows(t, chainOnNodes(t)).Results[0]
	with := func(change func(c *experiment.SimulateWorkflowsConfig)) (experiment.WorkflowSimulation, experiment.PolicySimulation) {
		c := chainOnNodes(t)
		change(&c)
		r := simulatedWorkflows(t, c)
		return r.Results[0], r.Policies[0]
	}
	if x, _ := with(func(c *experiment.SimulateWorkflowsConfig) { c.Scenario.Interference = 3 }); x.P50Millis < 1.1*plain.P50Millis || x.Runs != plain.Runs {
		t.Errorf("neighbours that interfere: a median of %.1f ms, %.1f without", x.P50Millis, plain.P50Millis)
	}
	if x, _ := with(func(c *experiment.SimulateWorkflowsConfig) {
		c.Scenario.Outliers = flow.Outliers{Share: 0.02, Factor: 20}
	}); x.P99Millis < 2*plain.P99Millis || x.P50Millis > 1.1*plain.P50Millis {
		t.Errorf("one invocation in fifty slow: %.1f and %.1f ms, %.1f and %.1f without", x.P50Millis, x.P99Millis, plain.P50Millis, plain.P99Millis)
	}
	if x, _ := with(func(c *experiment.SimulateWorkflowsConfig) { c.Scenario.Drift = 3 }); x.P50Millis < 1.7*plain.P50Millis || x.P50Millis > 2.3*plain.P50Millis {
		t.Errorf("a drift to three times the service times: a median of %.1f ms, %.1f without; twice is wanted", x.P50Millis, plain.P50Millis)
	}
	if x, _ := with(func(c *experiment.SimulateWorkflowsConfig) { c.Scenario.InputSpread = 1 }); x.P99Millis < 1.5*plain.P99Millis || x.P50Millis > plain.P50Millis {
		t.Errorf("inputs of all sizes: %.1f and %.1f ms, %.1f and %.1f without", x.P50Millis, x.P99Millis, plain.P50Millis, plain.P99Millis)
	}
	x, p := with(func(c *experiment.SimulateWorkflowsConfig) {
		c.Scenario.Losses = []flow.Loss{{Node: 0, At: 6 * time.Hour, Back: 7 * time.Hour}, {Node: 1, At: 6*time.Hour + time.Minute, Back: 7 * time.Hour}}
	})
	if p.Lost == 0 || x.Ended["rejected"] < 300 || x.Ended["completed"]+x.Ended["rejected"]+x.Ended["lost"] != x.Runs {
		t.Errorf("an hour without any node: %d instances lost, runs ended %v of %d", p.Lost, x.Ended, x.Runs)
	}
	if x, _ := with(func(c *experiment.SimulateWorkflowsConfig) { c.Nodes = []fleet.Node{{CPU: 100, Memory: function.MiB}} }); x.Ended["too-large"] != x.Runs {
		t.Errorf("on a node that is too small: %v of %d", x.Ended, x.Runs)
	}
	least := shippedModel(t, "chain").Functions[0]
	if x, _ := with(func(c *experiment.SimulateWorkflowsConfig) {
		c.Resources = map[string]function.Resources{least.Name: least.Space.Smallest()}
	}); x.P50Millis <= plain.P50Millis {
		t.Errorf("with the least resources for %s: a median of %.1f ms, with the most %.1f", least.Name, x.P50Millis, plain.P50Millis)
	}
}

// TestSimulateWorkflowsOfTrace: functions of a trace start runs, in order where
// there are as many, and a trace that has none that is fit is refused.
func TestSimulateWorkflowsOfTrace(t *testing.T) {
	t.Parallel()
	s := trace.Span{To: trace.MinutesPerDay}
	tr := &trace.Trace{Minutes: s.To, Covered: s, Functions: []trace.Function{{ID: trace.ID{Function: "often"}}, {ID: trace.ID{Function: "once"}}}}
	for m := range s.To {
		tr.Functions[0].Counts.Append(m, 2)
	}
	tr.Functions[1].Counts.Append(700, 1)
	c := experiment.SimulateWorkflowsConfig{
		Profiles: []*profile.Model{shippedModel(t, "chain"), shippedModel(t, "video-processing")}, Trace: tr, Seed: 3,
		Policies: []experiment.PolicyChoice{choice(t, "keepalive")},
	}
	if r := simulatedWorkflows(t, c).Results; r[0].Runs != 2880 || r[1].Runs != 1 {
		t.Errorf("%d and %d runs, want 2880 and 1", r[0].Runs, r[1].Runs)
	}
	tr.Functions = append(tr.Functions, tr.Functions[1])
	if _, err := experiment.SimulateWorkflows(context.Background(), c); err == nil {
		t.Error("a trace of which only one function is called often enough is laid on two workflows")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	c.Trace, c.Rate, c.Days = nil, 1, 1
	if _, err := experiment.SimulateWorkflows(ctx, c); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
}
