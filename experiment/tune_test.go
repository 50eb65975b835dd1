package experiment_test

import (
	"bytes"
	"context"
	"math"
	"strings"
	"testing"

	"github.com/aquatope/aquatope/experiment"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/profile"
	"github.com/google/go-cmp/cmp"
)

func tuneOptions(t *testing.T) experiment.TuneOptions {
	t.Helper()
	price, err := function.LookupPrice("paper")
	if err != nil {
		t.Fatal(err)
	}
	o := experiment.TuneOptions{Strategies: []string{"structured", "random"}, Seeds: 2, Budget: 15, Price: price}
	for _, name := range []string{"chain-plateau", "random-2-steps-7"} {
		m, err := experiment.NamedProfile(name)
		if err != nil {
			t.Fatal(err)
		}
		o.Profiles = append(o.Profiles, m)
	}
	return o
}

func TestTuneIsDeterministicAndComplete(t *testing.T) {
	var results [2][]experiment.TuneResult
	var ex *experiment.TuneExperiment
	for i := range results {
		var err error
		if ex, err = experiment.Tune(context.Background(), tuneOptions(t)); err != nil {
			t.Fatal(err)
		}
		results[i] = ex.Results
		for j := range results[i] {
			results[i][j].SecondsPerDecision = 0
		}
	}
	if d := cmp.Diff(results[0], results[1]); d != "" {
		t.Errorf("two runs with the same seeds differ: %s", d)
	}
	if n := len(ex.Results); n != 2*2*2*2 { // workflows, strategies, seeds, checkpoints 10 and 15
		t.Fatalf("%d results", n)
	}
	for _, r := range ex.Results {
		if math.IsNaN(r.CostOverOracle) || r.CostOverOracle <= 0 || r.QoSMillis <= 0 {
			t.Errorf("result %+v", r)
		}
		// What keeps the promise cannot cost less than the oracle; what the oracle
		// misses by being a search is far below one percent.
		if r.Feasible && r.CostOverOracle < 0.995 {
			t.Errorf("cheaper than the oracle: %+v", r)
		}
		if r.Feasible != (r.TrueLatencyPercentileMillis != nil && *r.TrueLatencyPercentileMillis <= 1.0005*r.QoSMillis) {
			t.Errorf("feasible does not follow from the latency: %+v", r)
		}
	}
	var page bytes.Buffer
	if _, err := ex.Report().WriteTo(&page); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"chain-plateau-1000", "structured", "<svg"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the report lacks %q", want)
		}
	}
	// per workflow and for both, by strategy and checkpoint
	if n := len(ex.Summaries()); n != 3*2*2 {
		t.Errorf("%d summaries", n)
	}
}

// A search that ends before the budget does is judged at the same numbers of runs as
// others.
func TestSearchesThatEndEarly(t *testing.T) {
	o := tuneOptions(t)
	m, err := experiment.NamedProfile("random-1-plateau-7")
	if err != nil {
		t.Fatal(err)
	}
	o.Profiles, o.Strategies, o.Seeds, o.Budget = []*profile.Model{m}, []string{"clite", "random"}, 1, 12
	ex, err := experiment.Tune(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]int{}
	for _, r := range ex.Results {
		got[r.Strategy] = append(got[r.Strategy], r.Samples)
	}
	if d := cmp.Diff(map[string][]int{"clite": {10, 12}, "random": {10, 12}}, got); d != "" {
		t.Error(d)
	}
}

func TestBindingPromisesBind(t *testing.T) {
	o := tuneOptions(t)
	o.Strategies, o.Seeds, o.Budget = []string{"random"}, 1, 10
	results := func() []experiment.TuneResult {
		ex, err := experiment.Tune(context.Background(), o)
		if err != nil {
			t.Fatal(err)
		}
		return ex.Results
	}
	for _, m := range o.Profiles { // loose ones first
		m.QoS.Latency *= 100
	}
	loose := results()
	o.Binding = true
	for i, r := range results() {
		if r.QoSMillis >= loose[i].QoSMillis || r.OracleCost <= loose[i].OracleCost {
			t.Errorf("%s: %v ms for a cost of %v, the cheapest of all costs %v", r.Workflow, r.QoSMillis, r.OracleCost, loose[i].OracleCost)
		}
	}
}

func TestTuneRefusesNonsense(t *testing.T) {
	for name, spoil := range map[string]func(*experiment.TuneOptions){
		"no seeds":         func(o *experiment.TuneOptions) { o.Seeds = 0 },
		"no profile":       func(o *experiment.TuneOptions) { o.Profiles = nil },
		"unknown strategy": func(o *experiment.TuneOptions) { o.Strategies = []string{"magic"} },
		"impossible promise": func(o *experiment.TuneOptions) {
			m := *o.Profiles[0]
			m.QoS.Latency /= 100
			o.Profiles = []*profile.Model{&m}
		},
	} {
		o := tuneOptions(t)
		spoil(&o)
		if _, err := experiment.Tune(context.Background(), o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestNamedProfiles(t *testing.T) {
	for _, name := range []string{"chain", "fan-out", "ml-pipeline", "social-network", "video-processing"} {
		if m, err := experiment.NamedProfile(name); err != nil || m.Name != name {
			t.Errorf("the shipped profile of %s: %v", name, err)
		}
	}
	for _, name := range []string{"", "chains", "chain-magic", "magic-steps", "random-steps", "random-0-steps", "random-99999-steps", "chain-steps-x", "../x"} {
		if _, err := experiment.NamedProfile(name); err == nil {
			t.Errorf("%q is a profile", name)
		}
	}
}
