package experiment_test

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/aquatope/aquatope/experiment"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/stats"
	"github.com/aquatope/aquatope/trace"
	"github.com/google/go-cmp/cmp"
)

func endToEndOptions(t *testing.T, systems ...string) experiment.EndToEndOptions {
	t.Helper()
	price, err := function.LookupPrice("paper")
	if err != nil {
		t.Fatal(err)
	}
	m, err := experiment.NamedProfile("random-2-steps-7")
	if err != nil {
		t.Fatal(err)
	}
	o := experiment.EndToEndOptions{Systems: systems, Seeds: 1, FirstSeed: 1, Price: price}
	o.Profiles = append(o.Profiles, m)
	if o.Trace, err = (trace.Generator{Functions: 60, Days: 1}).Generate(stats.Stream(1, "endtoend test")); err != nil {
		t.Fatal(err)
	}
	o.Trace.Covered.To = 240 // enough to see that it works
	return o
}

// What any system must do, and that it does the same whenever asked.
func TestEndToEndIsSoundAndDeterministic(t *testing.T) {
	t.Parallel()
	o := endToEndOptions(t, "autoscale+parrotfish", "faascache+clite", "aquatope", "oracle")
	var told int
	o.Progress = func(done, all int, _ string) {
		if told++; done != told || all != 4 {
			t.Errorf("progress %d of %d, want %d of 4", done, all, told)
		}
	}
	ex, err := experiment.EndToEnd(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	o.Progress = nil
	o.Systems = []string{"autoscale+parrotfish", "aquatope"}
	again, err := experiment.EndToEnd(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]experiment.EndToEndResult{ex.Results[0], ex.Results[2]}, again.Results); d != "" {
		t.Errorf("with other systems beside them results differ: %s", d)
	}
	of := map[string]experiment.EndToEndResult{}
	for i, r := range ex.Results {
		if r.System != []string{"autoscale+parrotfish", "faascache+clite", "aquatope", "oracle"}[i] {
			t.Errorf("result %d is of %s", i, r.System)
		}
		of[r.System] = r
		if r.Runs != ex.Results[0].Runs || r.Runs == 0 {
			t.Errorf("%s: %d runs, %s has %d", r.System, r.Runs, ex.Results[0].System, ex.Results[0].Runs)
		}
		if r.ViolationRate != float64(r.Violations)/float64(r.Runs) || r.QoSMet != (r.ViolationRate <= r.ErrorBudget+1e-12) {
			t.Errorf("%s: %d violations of %d, rate %v, kept %v", r.System, r.Violations, r.Runs, r.ViolationRate, r.QoSMet)
		}
		if d := r.BusyCost + r.IdleCost + r.TrialCost - r.TotalCost; math.Abs(d) > 1e-12 || !(r.BusyCost > 0) || r.IdleCost < 0 {
			t.Errorf("%s: costs %v + %v + %v are %v", r.System, r.BusyCost, r.IdleCost, r.TrialCost, r.TotalCost)
		}
		if r.P50Millis > r.P95Millis || r.P95Millis > r.P99Millis || r.Configuration == "" || r.Decision == "" {
			t.Errorf("%s: %+v", r.System, r)
		}
		if (r.TrialCost > 0) != (r.System != "oracle") {
			t.Errorf("%s paid %v for trials", r.System, r.TrialCost)
		}
	}
	oracle := of["oracle"]
	if !oracle.QoSMet {
		t.Errorf("the oracle breaks the promise: %+v", oracle)
	}
	for name, r := range of {
		if r.QoSMet && r.BusyCost+r.IdleCost < 0.99*(oracle.BusyCost+oracle.IdleCost) {
			t.Errorf("%s keeps the promise for %v, the oracle for %v", name, r.BusyCost+r.IdleCost, oracle.BusyCost+oracle.IdleCost)
		}
	}
	s := ex.Series[0]
	if s.Training.To != s.Judged.From || s.Judged.To != 240 || s.RunsPerMinute <= 0 {
		t.Errorf("series %+v", s)
	}
}

// judged makes a result without simulating.
func judged(workflow, system string, violations int64, cost float64) experiment.EndToEndResult {
	return experiment.EndToEndResult{
		Workflow: workflow, System: system, Runs: 1000, Violations: violations, ViolationRate: float64(violations) / 1000,
		ErrorBudget: 0.05, BusyCost: cost, TotalCost: cost, QoSMet: violations <= 50,
	}
}

func TestEndToEndSummary(t *testing.T) {
	t.Parallel()
	ex := &experiment.EndToEndExperiment{Results: []experiment.EndToEndResult{
		judged("a", "keepalive+autoscale", 40, 10),
		judged("a", "hist+clite", 300, 1), // cheap and broken
		judged("a", "icebreaker+orion", 20, 12),
		judged("a", "aquatope", 2, 5),
		judged("a", "aquatope-mean", 500, 0.1), // no peer
		judged("a", "aquatope-strict", 1, 5.2),
		judged("a", "oracle", 50, 4),
		judged("b", "keepalive+autoscale", 100, 10),
		judged("b", "hist+clite", 60, 10),
		judged("b", "icebreaker+orion", 51, 10),
		judged("b", "aquatope", 0, 20),
		judged("b", "aquatope-mean", 0, 0.1),
		judged("b", "aquatope-strict", 0, 40),
		judged("b", "oracle", 50, 16),
	}}
	got := ex.Summaries()
	if len(got) != 3 {
		t.Fatalf("%d summaries", len(got))
	}
	value := func(p *float64) float64 {
		if p == nil {
			return math.NaN()
		}
		return *p
	}
	near := func(what string, got, want float64) {
		t.Helper()
		if !(math.Abs(got-want) < 1e-9) && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Errorf("%s is %v, want %v", what, got, want)
		}
	}
	a, b, all := got[0], got[1], got[2]
	if a.BestPeer != "keepalive+autoscale" || b.BestPeer != "" || !a.QoSMet || !b.QoSMet {
		t.Errorf("best peers %q and %q", a.BestPeer, b.BestPeer)
	}
	near("a: fewer violations", value(a.FewerViolations), 20)
	near("a: lower cost", value(a.LowerCost), 0.5)
	near("a: peers' violations", a.PeersViolationRate, 0.12)
	near("a: over the oracle", value(a.CostOverOracle), 1.25)
	near("b: fewer violations, of none", value(b.PeersFewerViolations), math.NaN())
	near("b: cost against all peers", value(b.LowerCostThanPeers), -1)
	near("all: fewer violations, where there is a best peer", value(all.FewerViolations), 20)
	near("all: lower cost", value(all.LowerCost), 0.5)
	near("all: over the oracle", value(all.CostOverOracle), 1.25)
	near("a: fewer violations when strict", value(a.Strict.FewerViolations), 40)
	near("a: lower cost when strict", value(a.Strict.LowerCost), 0.48)
	near("all: lower cost when strict", value(all.Strict.LowerCost), 0.48)
	near("all: violations when strict", all.Strict.ViolationRate, 0.0005)
	if b.Strict.LowerCost != nil || !strings.Contains(a.Text, "a tenth of the error budget: 0.10 %, that peer 40.0 times as many, cost 48 % lower than that peer's;") {
		t.Errorf("strict on b: %+v; of a %q", b.Strict, a.Text)
	}
	for _, want := range []string{"no peer keeps the promise", "missed"} {
		if !strings.Contains(b.Text, want) {
			t.Errorf("%q does not say %q", b.Text, want)
		}
	}
	if strings.Contains(a.Text, "45 %: missed") || !strings.Contains(a.Text, "5 %: missed") {
		t.Errorf("%q", a.Text)
	}
	if _, err := json.Marshal(got); err != nil {
		t.Errorf("a summary is no JSON: %v", err)
	}
	var page bytes.Buffer
	if _, err := ex.Report().WriteTo(&page); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"QoS violations", "Cost over the oracle", "<svg", "keepalive&#43;autoscale", "no peer keeps the promise"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the report lacks %q", want)
		}
	}
}

// With nobody to compare with there is nothing to say of others.
func TestEndToEndSummaryAlone(t *testing.T) {
	t.Parallel()
	ex := &experiment.EndToEndExperiment{Results: []experiment.EndToEndResult{
		judged("a", "aquatope", 2, 5), judged("b", "aquatope", 4, 5), judged("b", "aquatope-mean", 4, 5),
	}}
	for _, s := range ex.Summaries() {
		if s.FewerViolations != nil || s.LowerCost != nil || s.CostOverOracle != nil || strings.Contains(s.Text, "peer") {
			t.Errorf("%+v", s)
		}
	}
	ex.Results = ex.Results[2:]
	if s := ex.Summaries(); s != nil {
		t.Errorf("a summary of what did not take part: %+v", s)
	}
}

func TestEndToEndRefusesNonsense(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*experiment.EndToEndOptions){
		"no seeds":       func(o *experiment.EndToEndOptions) { o.Seeds = 0 },
		"no trace":       func(o *experiment.EndToEndOptions) { o.Trace = nil },
		"unknown system": func(o *experiment.EndToEndOptions) { o.Systems = []string{"magic"} },
		"rare calls only": func(o *experiment.EndToEndOptions) {
			o.Trace.Functions = nil
		},
	} {
		o := endToEndOptions(t, "keepalive+autoscale")
		spoil(&o)
		if _, err := experiment.EndToEnd(context.Background(), o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestEndToEndStopsWhenAsked(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := experiment.EndToEnd(ctx, endToEndOptions(t, "hist+clite")); err == nil {
		t.Error("goes on")
	}
}

// Trials pay for the starts of their instances, so slow starts show in what they
// cost whatever is tuned.
func TestEndToEndScalesColdStarts(t *testing.T) {
	t.Parallel()
	o := endToEndOptions(t, "keepalive+autoscale")
	measured, err := experiment.EndToEnd(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	o.ColdStart = 20 * time.Second
	slow, err := experiment.EndToEnd(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := measured.Results[0].TrialCost, slow.Results[0].TrialCost; !(b > 2*a) {
		t.Errorf("trials cost %v with starts of 20 s, %v as drawn", b, a)
	}
	if !strings.Contains(strings.Join(slow.Notes, " "), "median of 20s") {
		t.Errorf("the notes do not say that start-ups were scaled: %q", slow.Notes)
	}
}
