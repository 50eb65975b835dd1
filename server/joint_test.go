package server

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aquatope/aquatope/control"
	"github.com/aquatope/aquatope/forecast/prior"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/manifest"
	"github.com/aquatope/aquatope/run"
	"github.com/aquatope/aquatope/server/api"
	"github.com/aquatope/aquatope/store"
	"github.com/aquatope/aquatope/workflow"
)

// computes is a function that nothing here calls.
const computes = `
apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  name: NAME
  annotations: {aquatope.dev/command: none, aquatope.dev/cpu-range: "100m..2,100m", aquatope.dev/memory-range: "64Mi..128Mi,64Mi"}
spec:
  template:
    spec:
      containers: [{image: none, resources: {limits: {cpu: "2", memory: 128Mi}}}]
---
`

// A tuned workflow with a past is decided over as a whole: what is decided is
// expected to cost less than what serves and to keep the promise, is journalled and
// shown, and followed as far as the mode allows.
func TestDecidesJointly(t *testing.T) {
	t.Parallel()
	for _, mode := range []control.Mode{control.ModeRecommend, control.ModeApply} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			s, err := Open(t.Context(), Config{DataDir: t.TempDir(), Pool: mode, BackgroundCPU: 1})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close(t.Context())
			if _, err := s.decideJointly(t.Context(), "pair", true); err == nil {
				t.Fatal("an unknown workflow was decided over")
			}
			deployPair(t, s)
			if _, err := s.decideJointly(t.Context(), "pair", true); err == nil || !errors.Is(err, errYoung) {
				t.Fatalf("a workflow that was never tuned: %v", err)
			}
			livePair(t, s)
			model, err := prior.Load() // the server does so at leisure
			if err != nil {
				t.Fatal(err)
			}
			s.pool.SetModel(model)
			s.decideAndFollow(t.Context(), jointRequest{workflow: "pair", free: true})
			p := s.workflows()[0].Joint
			if p == nil {
				t.Fatal("nothing was decided")
			}
			if !p.Feasible || p.Expected.CostPerRun > 0.7*p.InForce.CostPerRun || p.Rehearsed < 300 || p.Tried == 0 {
				t.Errorf("%+v", p)
			}
			if p.Applied != (mode == control.ModeApply) {
				t.Errorf("applied: %v", p.Applied)
			}
			journal, err := s.store.Decisions(t.Context(), store.DecisionFilter{Controller: "joint", Subject: "pair"})
			if err != nil || len(journal) != 1 || journal[0].Reason != p.Reason {
				t.Errorf("journal: %+v, %v", journal, err)
			}
			for _, f := range s.catalog.Load().functions {
				if applied := f.revision.Resources == p.Resources[f.function.Name]; applied != p.Applied {
					t.Errorf("%s has %v, decided were %v", f.function.Name, f.revision.Resources, p.Resources)
				}
			}
			terms := s.joint.terms(s.flows())
			if (len(terms) == 2) != p.Applied || p.Applied && terms["one"].Price != p.PriceSeconds {
				t.Errorf("terms: %+v of %+v", terms, p)
			}
			// From then on only the pool's part is decided anew, by what is left of the
			// error budget. Runs that try other resources say nothing of the plan.
			const broken = 40
			p.Decided = p.Decided.Add(-2 * time.Minute)
			for k := range broken + 10 {
				trial := ""
				if k >= broken {
					trial = "pair-trial"
				}
				endedRun(s, trial, p.Decided.Add(time.Minute))
			}
			s.decideAndFollow(t.Context(), jointRequest{workflow: "pair"})
			again := s.workflows()[0].Joint
			// Rehearsals differ from one window to the next: what is compared is of one.
			if again.Expected.CostPerRun > 1.05*again.InForce.CostPerRun {
				t.Errorf("decided again: %+v, before %+v", again, p)
			}
			want := api.JointAccount{}
			if p.Applied {
				want = api.JointAccount{Runs: broken, Violations: broken, Expected: broken * p.Expected.Violations}
			}
			if again.Account != want {
				t.Errorf("account: %+v, want %+v", again.Account, want)
			}
			if p.Applied && again.Expected.Violations > again.InForce.Violations {
				t.Errorf("with all of the error budget spent %v of the runs are expected to break the promise, %v before", again.Expected.Violations, again.InForce.Violations)
			}
			// A restart takes it up.
			s.joint = newJoints()
			if err := s.recallJoint(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := s.joint.get("pair"); got == nil || got.Reason != again.Reason || got.Applied != again.Applied || got.Account != again.Account {
				t.Errorf("after a restart %+v, before %+v", got, again)
			}
			for fn, r := range again.Resources {
				if r != s.catalog.Load().functions[fn].revision.Resources {
					t.Errorf("%s should have other resources: %v", fn, r)
				}
			}
		})
	}
}

// endedRun records a run of a second that broke its promise.
func endedRun(s *Server, trial string, end time.Time) {
	start := end.Add(-time.Second)
	s.store.Record(run.Run{
		ID: run.NewID(start, rand.Uint64), Workflow: "pair", Trial: trial, Status: run.StatusCompleted, Start: start, End: end, Violated: true,
	})
}

// opened is a server without a past, which ends with the test.
func opened(t *testing.T) *Server {
	t.Helper()
	s, err := Open(t.Context(), Config{DataDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(context.WithoutCancel(t.Context())) })
	return s
}

// Every run counts once, by when it ended: also one that was under way when the plan
// was decided, or when the account was last read.
func TestJointAccount(t *testing.T) {
	t.Parallel()
	s := opened(t)
	decided := time.Now().Add(-time.Hour)
	at := func(ms int) time.Time { return decided.Add(time.Duration(ms) * time.Millisecond) }
	plan := api.JointPlan{Applied: true, Decided: decided, Expected: api.JointExpectation{Violations: 0.5}}
	s.joint.set("pair", &plan)
	for _, ms := range []int{-1, 0, 1, 9_999, 10_000, 10_001, 20_001} {
		endedRun(s, "", at(ms))
	}
	for _, c := range []struct{ until, runs int }{{10_000, 3}, {20_000, 4}, {30_000, 5}} {
		got, err := s.jointAccount(t.Context(), "pair", at(c.until))
		if want := (api.JointAccount{Runs: c.runs, Violations: c.runs, Expected: float64(c.runs) / 2}); err != nil || got != want {
			t.Fatalf("until %d ms: %+v, %v, want %+v", c.until, got, err, want)
		}
		plan.Decided, plan.Account = at(c.until), got
	}
}

// A function that a workflow calls of which nothing is decided keeps the pool's own
// terms; one of two that are has the better of both.
func TestTermsOfSharedFunctions(t *testing.T) {
	t.Parallel()
	flow := func(name string, functions ...string) *workflow.Workflow {
		w := &workflow.Workflow{Name: name}
		for _, fn := range functions {
			w.Do = append(w.Do, workflow.Task{Name: fn, Path: "/" + fn, Call: &workflow.Call{Function: fn}})
		}
		return w
	}
	j := newJoints()
	j.set("a", &api.JointPlan{Applied: true, PriceSeconds: 5, OnDemand: []string{"x", "y"}})
	j.set("b", &api.JointPlan{Applied: true, PriceSeconds: 20, OnDemand: []string{"x"}, LookAhead: true})
	got := j.terms([]*workflow.Workflow{flow("a", "x", "y", "z"), flow("b", "x", "y"), flow("c", "z")})
	want := map[string]control.Terms{"x": {Price: 20, OnDemand: true}, "y": {Price: 20}}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func deployPair(t *testing.T, s *Server) {
	t.Helper()
	text := ""
	for _, name := range []string{"one", "two"} {
		text += strings.Replace(computes, "NAME", name, 1)
	}
	text += `document: {dsl: '1.0.3', namespace: default, name: pair, version: '1.0.0', metadata: {qos: {latency: 3s, percentile: 90}, payloads: [{body: {}}]}}
do:
  - first: {call: one}
  - second: {call: two}
`
	b, err := manifest.Parse("pair.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.deploy(t.Context(), b, false); err != nil {
		t.Fatal(err)
	}
}

// livePair writes the past of a tuned workflow: trials of functions that take half a
// CPU-second, with some noise, and runs of some hours until some minutes ago.
func livePair(t *testing.T, s *Server) {
	t.Helper()
	plan, err := s.planTuning("pair", api.TuneRequest{})
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 1))
	now := time.Now()
	stages := plan.workflow.stages
	for k := range 24 {
		record := control.TrialRecord{
			ID: fmt.Sprintf("trial-%d", k), Workflow: "pair", Time: now.Add(-time.Hour), Code: plan.config.Code,
			Input: plan.config.Inputs[0].Name, Resources: map[string]function.Resources{},
		}
		for i, st := range stages {
			cpu := function.MilliCPU(200 + 100*((5*k+7*i)%19))
			record.Resources[st.Function] = function.Resources{CPU: cpu, Memory: 64 * function.MiB}
			took := 0.5 / cpu.Cores() * (0.95 + 0.1*r.Float64())
			record.LatencySeconds += took
			record.Invocations = append(record.Invocations, control.TrialInvocation{Stage: st.Path, Seconds: took, Outcome: function.OutcomeOK})
		}
		if err := plan.config.Trials.SaveTrial(t.Context(), record); err != nil {
			t.Fatal(err)
		}
	}
	starts := make([]time.Time, 400)
	for i := range starts {
		starts[i] = now.Add(-5*time.Minute - time.Duration(r.Float64()*float64(4*time.Hour)))
	}
	slices.SortFunc(starts, time.Time.Compare)
	for _, at := range starts {
		s.store.Record(run.Run{ID: run.NewID(at, r.Uint64), Workflow: "pair", Status: run.StatusCompleted, Start: at, End: at.Add(time.Second)})
	}
	for i, st := range stages {
		for k := range 20 {
			s.store.Observe(function.Observation{
				Time: now.Add(-time.Duration(20*i+k) * time.Minute), Function: st.Function, Revision: st.Function + "-1", Instance: fmt.Sprint(k),
				Resources: function.Resources{CPU: 2000, Memory: 128 * function.MiB},
				Cold:      true, ColdStart: time.Duration(300+10*k) * time.Millisecond, Execution: time.Second, Outcome: function.OutcomeOK,
			})
		}
	}
	if err := s.store.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// However many runs were made to measure since, the last runs of users say which
// ways runs take.
func TestLatestRunsAreUsers(t *testing.T) {
	t.Parallel()
	s := opened(t)
	at := time.Now()
	for k := range 10 {
		trial := ""
		if k >= 2 {
			trial = "pair-trial"
		}
		at = at.Add(time.Millisecond)
		s.store.Record(run.Run{ID: run.NewID(at, rand.Uint64), Workflow: "pair", Trial: trial, Status: run.StatusCompleted, Start: at, End: at.Add(time.Second)})
	}
	if got, err := s.latestRuns(t.Context(), "pair", 5); err != nil || len(got) != 2 {
		t.Errorf("%d runs, %v, want the two that tried nothing", len(got), err)
	}
}
