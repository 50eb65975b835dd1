package experiment_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/aquatope/aquatope/experiment"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/manifest"
	"github.com/aquatope/aquatope/run"
)

const twoStages = `document: {dsl: '1.0.3', namespace: default, name: two, version: '1.0.0'}
do:
  - first: {call: a}
  - second: {if: .large, call: b}
`

// staged is a live run of two stages, the second for large inputs only, that nothing
// but the drawn times and the arrivals decides, told in the words of a server. In the blocks to compare
// services take that many times as long.
func staged(t *testing.T, slower float64) *experiment.ValidateLive {
	t.Helper()
	b, err := manifest.Parse("two", []byte(twoStages))
	if err != nil {
		t.Fatal(err)
	}
	price, err := function.LookupPrice("cloud-run")
	if err != nil {
		t.Fatal(err)
	}
	const duration, keep = 10 * time.Minute, 10 * time.Second
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	l := &experiment.ValidateLive{
		Workflow: b.Workflows[0], Inputs: map[string]int{}, Weights: []float64{2, 1}, KeepAlive: keep, Price: price,
		Begin: begin, Block: 20 * time.Second, End: begin.Add(duration),
	}
	for _, name := range []string{"a", "b"} {
		l.Functions = append(l.Functions, function.Function{Name: name, Concurrency: 1, Resources: function.Resources{CPU: 1000, Memory: 128 * function.MiB}})
	}
	r := rand.New(rand.NewPCG(4, 4))
	compared := func(t time.Time) bool { return t.Sub(begin)/l.Block%2 == 1 }
	comparedTime := func(from, to time.Time) time.Duration {
		sum := time.Duration(0)
		for block := begin.Add(l.Block); block.Before(l.End); block = block.Add(2 * l.Block) {
			sum += max(0, min(to.Sub(begin), block.Add(l.Block).Sub(begin))-max(from.Sub(begin), block.Sub(begin)))
		}
		return sum
	}
	type instance struct{ free, gone time.Time }
	pools := map[string][]*instance{}
	idle := time.Duration(0)
	for i, a := range experiment.ValidateArrivals(2, duration, keep, 3, l.Weights) {
		x := run.Run{ID: fmt.Sprint(i), Workflow: "two", Status: run.StatusCompleted, Start: begin.Add(a.At)}
		l.Inputs[x.ID] = a.Input
		at := x.Start
		for k, f := range l.Functions[:1+a.Input] {
			s := run.Stage{Path: l.Workflow.Do[k].Path, Function: f.Name, Start: at, Outcome: function.OutcomeOK}
			s.Execution = time.Duration(float64(20+60*a.Input) * (1 + 0.2*r.NormFloat64()) * float64(time.Millisecond))
			if compared(x.Start) {
				s.Execution = time.Duration(slower * float64(s.Execution))
			}
			var take *instance
			for _, c := range pools[f.Name] {
				if !c.free.After(at) && c.gone.After(at) && (take == nil || c.free.After(take.free)) {
					take = c
				}
			}
			if take == nil {
				take = &instance{}
				pools[f.Name] = append(pools[f.Name], take)
				s.Cold, s.ColdStart = true, time.Duration(200+100*r.Float64())*time.Millisecond
			} else {
				idle += comparedTime(take.free, at)
			}
			s.Duration = s.ColdStart + s.Execution
			at = at.Add(s.Duration)
			take.free, take.gone = at, at.Add(keep)
			x.Stages = append(x.Stages, s)
		}
		x.End = at
		l.Runs = append(l.Runs, x)
	}
	for _, p := range pools { // what stayed idle to its end
		for _, c := range p {
			idle += comparedTime(c.free, c.gone)
		}
	}
	l.IdleCost = price.Idle(l.Functions[0].Resources, idle)
	return l
}

func TestValidateFindsTheSame(t *testing.T) {
	t.Parallel()
	results, err := experiment.Validate(staged(t, 1), 1)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range results {
		names = append(names, r.Figure)
		if !r.Within || r.Workflow != "two" || r.Lowest > r.Simulated || r.Highest < r.Simulated {
			t.Errorf("%+v", r)
		}
	}
	if got := strings.Join(names, " "); got != "p50Millis p95Millis coldStarts cost" {
		t.Errorf("figures %s", got)
	}
}

func TestValidateFindsWhatDiffers(t *testing.T) {
	t.Parallel()
	results, err := experiment.Validate(staged(t, 1.5), 1)
	if err != nil {
		t.Fatal(err)
	}
	if p50 := results[0]; p50.Within || p50.Ratio > 0.85 {
		t.Errorf("services take half as long again: %+v", p50)
	}
	l := staged(t, 1)
	l.KeepAlive = time.Minute
	if results, err = experiment.Validate(l, 1); err != nil {
		t.Fatal(err)
	}
	if cold, cost := results[2], results[3]; cold.Within || cost.Within {
		t.Errorf("instances are kept for longer: %+v, %+v", cold, cost)
	}
}

func TestValidateNeedsRuns(t *testing.T) {
	t.Parallel()
	l := staged(t, 1)
	l.Runs = l.Runs[:3]
	if _, err := experiment.Validate(l, 1); err == nil || !strings.Contains(err.Error(), "run for longer") {
		t.Errorf("learnt from three runs: %v", err)
	}
	l = staged(t, 1)
	l.Runs[len(l.Runs)-1].Status = run.StatusFaulted
	if _, err := experiment.Validate(l, 1); err == nil || !strings.Contains(err.Error(), "did not complete") {
		t.Errorf("a failed run is compared: %v", err)
	}
}
