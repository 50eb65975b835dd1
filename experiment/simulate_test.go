package experiment_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/aquatope/aquatope/experiment"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/sim/fleet"
	"github.com/aquatope/aquatope/trace"
)

func choice(t *testing.T, text string) experiment.PolicyChoice {
	t.Helper()
	p, err := experiment.ParsePolicy(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func simulated(t *testing.T, c experiment.SimulateConfig) *experiment.SimulationReport {
	t.Helper()
	r, err := experiment.Simulate(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestSimulate: equal seeds give equal reports, every invocation is accounted
// for, and patience with idle instances buys cold starts.
func TestSimulate(t *testing.T) {
	t.Parallel()
	g := trace.Generator{Functions: 40, Days: 1}
	c := experiment.SimulateConfig{
		Synthetic: g, Seed: 3, Policies: []experiment.PolicyChoice{choice(t, "keepalive=1m"), choice(t, "keepalive=1h"), choice(t, "hist")},
	}
	r := simulated(t, c)
	if d := cmp.Diff(r, simulated(t, c), cmpopts.IgnoreFields(experiment.Simulation{}, "Process")); d != "" {
		t.Errorf("the same simulation gives something else: %s", d)
	}
	s, err := g.Stream(c.Seed)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range r.Results {
		if x.Invocations != s.Invocations || x.Open != 0 || len(x.Rejected) > 0 || x.Process.Steps != 1440 {
			t.Errorf("%s: %d of %d invocations, %d open, rejected %v, %d steps", x.Policy, x.Invocations, s.Invocations, x.Open, x.Rejected, x.Process.Steps)
		}
	}
	if short, long := r.Results[0], r.Results[1]; short.ColdStarts <= long.ColdStarts || short.IdleGBSeconds >= long.IdleGBSeconds {
		t.Errorf("with a keep-alive of a minute %d cold starts and %g GB-s idle, of an hour %d and %g",
			short.ColdStarts, short.IdleGBSeconds, long.ColdStarts, long.IdleGBSeconds)
	}
}

// TestSimulateTooSmall: what finds no room is counted with its reason.
func TestSimulateTooSmall(t *testing.T) {
	t.Parallel()
	c := experiment.SimulateConfig{
		Synthetic: trace.Generator{Functions: 60, Days: 1}, Seed: 5, Policies: []experiment.PolicyChoice{choice(t, "keepalive=1h")},
		Nodes: []fleet.Node{{CPU: 100, Memory: 200 * function.MiB}, {CPU: 100, Memory: 300 * function.MiB}},
	}
	x := simulated(t, c).Results[0]
	if x.Rejected["no room within 30 s"] == 0 || x.Rejected["larger than any node"] == 0 || x.Evicted == 0 || x.Queued+x.ColdStarts == 0 {
		t.Errorf("on two small nodes: %+v", x)
	}
}

// TestControlSteps: the step is one that decides.
func TestControlSteps(t *testing.T) {
	r, err := experiment.ControlSteps(context.Background(), experiment.StepConfig{Functions: []int{3, 30}, Steps: 2, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Results) != 2 || r.Results[1].Functions != 30 || r.Results[1].Median <= 0 || !(r.Results[1].Called > r.Results[0].Called) {
		t.Errorf("%+v", r.Results)
	}
}
