package control_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aquatope/aquatope/control"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/stats"
	"github.com/aquatope/aquatope/tuner"
	"github.com/aquatope/aquatope/workflow"
)

// tuningWorld is a workflow of two stages whose functions are known: time is
// work over CPU, times a factor of the input, times noise; the second stage
// needs 200 MiB. It is the platform and the store of a session.
type tuningWorld struct {
	now     time.Time
	records []control.TrialRecord
	journal []control.TuningDecision
	runs    int
	failAt  int // the run that cannot be measured, from 1; 0 for none
	always  function.Outcome
	seed    uint64
	slower  float64 // factor of all times, 0 for 1
	busy    bool    // others use the machine: some runs take a multiple of their time
}

var (
	tuningInputs = []control.TrialInput{{Name: "small", Weight: 8}, {Name: "medium", Weight: 3}, {Name: "large", Weight: 1}}
	inputFactor  = []float64{1, 2, 6}
	stageWork    = []float64{0.05, 0.12} // CPU seconds with the small input
)

const stageMemory = 200 * function.MiB

// service is the time of a stage in seconds; ok is false for one that is killed.
func service(stage int, r function.Resources, input int, noise float64) (seconds float64, ok bool) {
	if stage == 1 && r.Memory < stageMemory {
		return 0.01, false
	}
	return (0.004 + stageWork[stage]*inputFactor[input]/r.CPU.Cores()) * math.Exp(0.05*noise), true
}

func (w *tuningWorld) Run(_ context.Context, t control.Trial) (control.Measurement, error) {
	w.runs++
	if w.runs == w.failAt {
		return control.Measurement{}, errors.New("the machine went away")
	}
	rng := stats.Stream(7+w.seed, t.ID)
	m := control.Measurement{Start: w.now}
	at := w.now
	for stage, path := range []string{"/do/0/first", "/do/1/second"} {
		r := t.Resources[[]string{"first", "second"}[stage]]
		s, ok := service(stage, r, t.Input, rng.NormFloat64())
		if w.slower > 0 {
			s *= w.slower
		}
		if w.busy && ok {
			s *= math.Exp(math.Abs(0.8 * rng.NormFloat64()))
		}
		o := function.Observation{
			Time: at, Stage: path, Outcome: function.OutcomeOK, Resources: r, PeakMem: 40 * function.MiB,
			Queue: 3 * time.Millisecond, Cold: true, ColdStart: 150 * time.Millisecond, Execution: time.Duration(s * float64(time.Second)),
		}
		if stage == 1 {
			o.PeakMem = min(stageMemory-10*function.MiB, r.Memory)
		}
		at = at.Add(o.Queue + o.ColdStart + o.Execution)
		if !ok {
			o.Outcome = function.OutcomeOOM
		}
		if w.always != "" {
			o.Outcome = w.always
		}
		m.Invocations = append(m.Invocations, o)
		if o.Outcome != function.OutcomeOK {
			m.Failed, m.Message = true, "function second was killed"
			break
		}
	}
	m.End = at
	w.now = at.Add(time.Second)
	return m, nil
}

func (w *tuningWorld) SaveTrial(_ context.Context, r control.TrialRecord) error {
	w.records = append(w.records, r)
	return nil
}

func (w *tuningWorld) DecideTuning(_ context.Context, d control.TuningDecision) error {
	w.journal = append(w.journal, d)
	return nil
}

// truth is the promised percentile of a configuration and its mean cost, by
// computing all inputs with many noises.
func truth(t *testing.T, c tuner.Configuration, price function.Price) (p95, cost float64) {
	t.Helper()
	rng := stats.Stream(1, "truth")
	var latency []float64
	for range 2000 {
		for i, in := range tuningInputs {
			for range int(in.Weight) {
				sum := 0.0
				for stage := range 2 {
					s, ok := service(stage, c[stage], i, rng.NormFloat64())
					if !ok {
						t.Fatalf("%v kills stage %d", c, stage)
					}
					sum += s
					cost += price.Busy(c[stage], time.Duration(s*float64(time.Second)))
				}
				latency = append(latency, sum)
			}
		}
	}
	return stats.Quantiles(latency, 0.95)[0], cost / float64(len(latency))
}

func tuningConfig(w *tuningWorld, seconds float64, budget int) control.TuningConfig {
	price, _ := function.LookupPrice("cloud-run")
	space := function.Space{
		CPU:    function.Range{Min: 100, Max: 2000, Step: 100},
		Memory: function.Range{Min: int64(64 * function.MiB), Max: int64(function.GiB), Step: int64(64 * function.MiB)},
	}
	return control.TuningConfig{
		Workflow: &workflow.Workflow{Name: "two", Do: []workflow.Task{
			{Name: "first", Path: "/do/0/first", Call: &workflow.Call{Function: "first"}},
			{Name: "second", Path: "/do/1/second", Call: &workflow.Call{Function: "second"}},
		}},
		Functions: []function.Function{{Name: "first", Space: space}, {Name: "second", Space: space}},
		Target:    tuner.Target{Seconds: seconds, Percentile: 95}, Price: price,
		Inputs: tuningInputs, Budget: budget, Code: "v1",
		Strategy: &tuner.Structured{}, Runner: w, Trials: w, Journal: w,
	}
}

func runTuning(t *testing.T, w *tuningWorld, c control.TuningConfig, steps int) *control.Tuning {
	t.Helper()
	session, err := control.NewTuning(c, w.records)
	if err != nil {
		t.Fatal(err)
	}
	for range steps {
		if session.Left() == 0 {
			break
		}
		if err := session.Step(t.Context(), w.now); err != nil {
			t.Fatal(err)
		}
	}
	return session
}

func newTuningWorld() *tuningWorld {
	return &tuningWorld{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
}

func TestTuningFindsTheCheapest(t *testing.T) {
	w := newTuningWorld()
	c := tuningConfig(w, 1.2, 25)
	session := runTuning(t, w, c, 100)
	if w.runs != 25 {
		t.Errorf("%d runs were made with a budget of 25", w.runs)
	}
	out, err := session.Conclude(t.Context(), w.now)
	if err != nil {
		t.Fatal(err)
	}
	if out.Verdict != control.VerdictFeasible {
		t.Fatalf("verdict %s: %s", out.Verdict, out.Reason)
	}
	p95, cost := truth(t, out.Configuration, c.Price)
	if p95 > 1.2*1.02 {
		t.Errorf("%v is recommended, whose p95 is %.3f s", out.Configuration, p95)
	}
	best := math.Inf(1)
	for a := range 20 {
		for b := range 20 {
			conf := tuner.Configuration{
				{CPU: function.MilliCPU(100 * (a + 1)), Memory: 64 * function.MiB},
				{CPU: function.MilliCPU(100 * (b + 1)), Memory: 256 * function.MiB},
			}
			if p, k := truth(t, conf, c.Price); p <= 1.2 {
				best = min(best, k)
			}
		}
	}
	if cost > 1.15*best {
		t.Errorf("%v costs %.3g, the oracle %.3g", out.Configuration, cost, best)
	}
	if len(out.Frontier) == 0 || len(w.journal) != 26 || w.journal[25].Kind != "recommendation" {
		t.Errorf("frontier of %d points, journal of %d entries", len(out.Frontier), len(w.journal))
	}
}

// Cold starts and queues are no property of resources: they are in no latency
// that decisions rest on.
func TestTuningDiscountsWaits(t *testing.T) {
	w := newTuningWorld()
	runTuning(t, w, tuningConfig(w, 1.2, 3), 3)
	for _, r := range w.records {
		sum := 0.0
		for _, inv := range r.Invocations {
			sum += inv.Seconds
		}
		if !r.Failed && math.Abs(sum-r.LatencySeconds) > 1e-6 {
			t.Errorf("a run of %.6f s of service counts as %.6f s", sum, r.LatencySeconds)
		}
	}
}

// A session that ends anywhere goes on as if it had not.
func TestTuningResumes(t *testing.T) {
	whole := newTuningWorld()
	runTuning(t, whole, tuningConfig(whole, 1.2, 12), 12)
	for _, stop := range []int{1, 6, 11} {
		w := newTuningWorld()
		runTuning(t, w, tuningConfig(w, 1.2, 12), stop)
		session := runTuning(t, w, tuningConfig(w, 1.2, 12), 12)
		if all, resumed := session.Runs(); all != 12 || resumed != stop {
			t.Errorf("stopped after %d: %d runs, %d of them resumed", stop, all, resumed)
		}
		for i := range w.records {
			if fmt.Sprint(w.records[i].Resources) != fmt.Sprint(whole.records[i].Resources) || w.records[i].Input != whole.records[i].Input {
				t.Errorf("stopped after %d: run %d is another", stop, i)
			}
		}
	}
}

func TestTuningForgetsOtherCode(t *testing.T) {
	w := newTuningWorld()
	runTuning(t, w, tuningConfig(w, 1.2, 4), 4)
	c := tuningConfig(w, 1.2, 4)
	c.Code = "v2"
	session, err := control.NewTuning(c, w.records)
	if err != nil {
		t.Fatal(err)
	}
	if all, _ := session.Runs(); all != 0 {
		t.Errorf("%d runs of other code are used", all)
	}
	if _, err := session.Incumbent(); !errors.Is(err, control.ErrNoTrial) {
		t.Errorf("without a run: %v", err)
	}
}

func TestTuningKeepsRunsWhenTheMachineFails(t *testing.T) {
	w := newTuningWorld()
	w.failAt = 3
	session, err := control.NewTuning(tuningConfig(w, 1.2, 5), nil)
	if err != nil {
		t.Fatal(err)
	}
	failures := 0
	for session.Left() > 0 {
		if err := session.Step(t.Context(), w.now); err != nil {
			failures++
		}
	}
	if failures != 1 || len(w.records) != 5 {
		t.Errorf("%d failures, %d records", failures, len(w.records))
	}
}

func TestTuningSaysWhatCannotBe(t *testing.T) {
	w := newTuningWorld()
	session := runTuning(t, w, tuningConfig(w, 0.05, 15), 100)
	out, err := session.Incumbent()
	if err != nil || out.Verdict != control.VerdictInfeasible || out.Blocker != "second" {
		t.Errorf("an impossible promise: verdict %s, blocker %q, %v", out.Verdict, out.Blocker, err)
	}

	// What may well be kept is not said to be impossible.
	borderline, err := session.Explain(tuner.Target{Seconds: (out.Promised.Low + out.Promised.Mean) / 2, Percentile: 95})
	if err != nil || borderline.Verdict != control.VerdictUnknown || !strings.Contains(borderline.Reason, "too little is known") {
		t.Errorf("a promise that is perhaps kept: verdict %s, %q, %v", borderline.Verdict, borderline.Reason, err)
	}

	w = newTuningWorld()
	w.always = function.OutcomeError
	session = runTuning(t, w, tuningConfig(w, 1, 15), 100)
	out, err = session.Incumbent()
	if err != nil || out.Verdict != control.VerdictInfeasible || out.Blocker != "first" {
		t.Errorf("a function that always fails: verdict %s, blocker %q, %v", out.Verdict, out.Blocker, err)
	}
	if w.runs >= 15 {
		t.Errorf("a function that always fails is run %d times", w.runs)
	}
}

// Where nothing keeps the promise, what comes closest is never slower than what is
// deployed, however little the runs on a busy machine told.
func TestInfeasibleIsNoStepBack(t *testing.T) {
	for seed := range uint64(6) {
		w := newTuningWorld()
		w.seed, w.busy = seed, true
		c := tuningConfig(w, 0.08, 12)
		deployed := tuner.Configuration{{CPU: 1500, Memory: 512 * function.MiB}, {CPU: 1500, Memory: 512 * function.MiB}}
		for i := range c.Functions {
			c.Functions[i].Resources = deployed[i]
		}
		out, err := runTuning(t, w, c, 100).Incumbent()
		if err != nil || out.Verdict == control.VerdictFeasible {
			t.Fatalf("seed %d: verdict %s, %v", seed, out.Verdict, err)
		}
		before, _ := truth(t, deployed, c.Price)
		after, _ := truth(t, out.Configuration, c.Price)
		if after > before*1.001 {
			t.Errorf("seed %d: p95 %.3f s with %v, %.3f s with what is deployed", seed, after, out.Configuration, before)
		}
		if out.Promised.Mean <= 0 || len(out.Shares) != 2 {
			t.Errorf("seed %d: it is not said what is predicted: %+v", seed, out.Result)
		}
	}
}

func TestTuningRefuses(t *testing.T) {
	for want, change := range map[string]func(*control.TuningConfig){
		"no input":         func(c *control.TuningConfig) { c.Inputs = nil },
		"positive latency": func(c *control.TuningConfig) { c.Target.Seconds = 0 },
		"begin above":      func(c *control.TuningConfig) { c.Largest = function.Resources{CPU: 50, Memory: function.GiB} },
		"cpu range":        func(c *control.TuningConfig) { c.Functions[0].Space.CPU.Min = 5000 },
		"weight":           func(c *control.TuningConfig) { c.Inputs = []control.TrialInput{{Name: "x", Weight: math.NaN()}} },
	} {
		w := newTuningWorld()
		c := tuningConfig(w, 1, 5)
		c.Functions = slices.Clone(c.Functions)
		change(&c)
		_, err := control.NewTuning(c, nil)
		if err == nil || !strings.Contains(err.Error(), want) || !errors.Is(err, tuner.ErrProblem) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

func TestNetLatency(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	obs := func(at, queue, cold, execution int) function.Observation {
		return function.Observation{Time: start.Add(ms(at)), Queue: ms(queue), ColdStart: ms(cold), Execution: ms(execution)}
	}
	for name, c := range map[string]struct {
		end, want int
		obs       []function.Observation
	}{
		"nothing":                  {10, 10, nil},
		"warm":                     {30, 30, []function.Observation{obs(0, 0, 0, 10), obs(12, 0, 0, 15)}},
		"series with waits":        {100, 60, []function.Observation{obs(0, 5, 15, 30), obs(52, 0, 20, 26)}},
		"only the branch awaited":  {60, 50, []function.Observation{obs(0, 0, 10, 50), obs(0, 20, 10, 5)}},
		"one of two equal in time": {20, 15, []function.Observation{obs(0, 5, 0, 15), obs(0, 5, 0, 15)}},
	} {
		m := control.Measurement{Start: start, End: start.Add(ms(c.end)), Invocations: c.obs}
		if got := control.NetLatency(m); got != ms(c.want) {
			t.Errorf("%s: %s, want %s", name, got, ms(c.want))
		}
	}
}
