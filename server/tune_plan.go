package server

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/aquatope/aquatope/control"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/manifest"
	"github.com/aquatope/aquatope/server/api"
	"github.com/aquatope/aquatope/store"
	"github.com/aquatope/aquatope/tuner"
	"github.com/aquatope/aquatope/workflow"
)

// tuningPlan is a request for a session, checked and completed.
type tuningPlan struct {
	catalog  *catalog
	workflow deployedWorkflow
	qos      workflow.QoS
	bodies   [][]byte // of the inputs
	config   control.TuningConfig
}

// defaultBudget is how many runs a session makes.
const defaultBudget = 25

// planTuning checks a request against what is deployed.
func (s *Server) planTuning(name string, req api.TuneRequest) (*tuningPlan, error) {
	c := s.catalog.Load()
	wf, ok := c.workflows[name]
	if !ok {
		return nil, notFound("workflow", name, c.workflows)
	}
	p := &tuningPlan{catalog: c, workflow: wf, qos: wf.workflow.QoS}
	if req.Latency > 0 {
		p.qos.Latency = req.Latency
	}
	if req.Percentile > 0 {
		p.qos.Percentile = req.Percentile
	}
	if p.qos.Percentile == 0 {
		p.qos.Percentile = 95
	}
	if p.qos.Latency <= 0 {
		return nil, &api.Problem{
			Title: "No promise", Status: http.StatusUnprocessableEntity,
			Detail: "workflow " + name + " promises no latency, so there is nothing to size it for",
			Hint:   "set document.metadata.qos in its manifest, or --qos",
		}
	}
	if p.qos.Percentile >= 100 {
		return nil, &api.Problem{Title: "Impossible promise", Status: http.StatusUnprocessableEntity, Detail: "no tuning can promise 100 % of runs: use a percentile below 100"}
	}
	inputs, bodies, err := inputsOf(wf, c, req.Inputs)
	if err != nil {
		return nil, err
	}
	strategy, err := strategyOf(req.Strategy)
	if err != nil {
		return nil, err
	}
	budget := req.Budget
	if budget == 0 {
		budget = defaultBudget
	}
	var functions []function.Function
	for _, fn := range wf.workflow.Functions() {
		f, ok := c.functions[fn]
		if !ok {
			return nil, notFound("function", fn, c.functions)
		}
		functions = append(functions, f.function)
	}
	capacity, err := s.platform.Snapshot(context.Background())
	if err != nil {
		return nil, err
	}
	largest := capacity.Capacity
	// A quota beyond the machine's CPUs is never used.
	largest.CPU = min(largest.CPU, function.MilliCPU(1000*runtime.NumCPU()))
	p.bodies = bodies
	p.config = control.TuningConfig{
		Workflow: wf.workflow, Functions: functions, Target: tuner.PromiseOf(p.qos), Price: s.config.Price,
		Largest: largest, Inputs: inputs, Budget: budget, Code: codeOf(wf, functions),
		Strategy: strategy, Trials: tuningStore{s.store}, Journal: tuningStore{s.store},
	}
	return p, nil
}

// strategyOf returns a strategy by name.
func strategyOf(name string) (tuner.Strategy, error) {
	known := []tuner.Strategy{&tuner.Structured{}, &tuner.Blackbox{}, &tuner.Blackbox{Log: true}}
	var names []string
	for _, s := range known {
		if s.Name() == name || name == "" {
			return s, nil
		}
		names = append(names, s.Name())
	}
	return nil, &api.Problem{
		Title: "Unknown strategy", Status: http.StatusUnprocessableEntity,
		Detail: fmt.Sprintf("no strategy is called %q", name), Hint: "use one of " + strings.Join(names, ", "),
	}
}

// inputsOf returns what runs get: what was asked for, or the payloads of the
// workflow, or those of the first stage's function that declares some.
func inputsOf(wf deployedWorkflow, c *catalog, asked []api.WeightedInput) ([]control.TrialInput, [][]byte, error) {
	var inputs []control.TrialInput
	var bodies [][]byte
	add := func(name string, weight float64, body []byte) {
		sum := sha256.Sum256(body)
		inputs = append(inputs, control.TrialInput{Name: name + "@" + hex.EncodeToString(sum[:4]), Weight: weight})
		bodies = append(bodies, body)
	}
	for i, in := range asked {
		if in.Weight == 0 {
			in.Weight = 1
		}
		if in.Name == "" {
			in.Name = fmt.Sprintf("input-%d", i+1)
		}
		if !(in.Weight > 0) || !json.Valid(in.Body) {
			return nil, nil, &api.Problem{Title: "Invalid input", Status: http.StatusUnprocessableEntity, Detail: "input " + in.Name + " needs a positive weight and a JSON body"}
		}
		add(in.Name, in.Weight, in.Body)
	}
	if len(asked) == 0 {
		declared := func(fn string) []function.Payload { return c.functions[fn].function.Payloads }
		for i, p := range wf.workflow.Samples(declared) {
			add(cmp.Or(p.Name, fmt.Sprintf("payload-%d", i+1)), p.Weight, p.Body)
		}
	}
	if len(inputs) == 0 {
		return nil, nil, &api.Problem{
			Title: "No input", Status: http.StatusUnprocessableEntity,
			Detail: "there is nothing to run workflow " + wf.workflow.Name + " with",
			Hint:   "declare samples of its input (document.metadata.payloads), or give inputs with -d",
		}
	}
	return inputs, bodies, nil
}

// codeOf identifies a workflow and its functions, resources aside.
func codeOf(wf deployedWorkflow, functions []function.Function) string {
	h := sha256.New()
	h.Write([]byte(wf.plan.Digest()))
	for _, f := range functions {
		h.Write([]byte(function.NewRevision(f, function.Resources{}).Name))
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// openTuning makes the session with what is kept of earlier ones.
func (s *Server) openTuning(ctx context.Context, p *tuningPlan, fresh bool) (*control.Tuning, error) {
	var earlier []control.TrialRecord
	if !fresh {
		trials, err := s.store.Trials(ctx, p.workflow.workflow.Name, time.Time{})
		if err != nil {
			return nil, err
		}
		for _, t := range trials {
			var r control.TrialRecord
			if json.Unmarshal(t.Data, &r) == nil {
				earlier = append(earlier, r)
			}
		}
	}
	drifts, err := s.store.Decisions(ctx, store.DecisionFilter{
		Controller: "tuner", Subject: p.workflow.workflow.Name, Kind: driftDecision, Limit: 1,
	})
	if err != nil {
		return nil, err
	}
	if len(drifts) > 0 {
		p.config.Since = drifts[0].Time
	}
	session, err := control.NewTuning(p.config, earlier)
	if err != nil {
		return nil, cannotTune(err)
	}
	return session, nil
}

// tuningStore keeps trials and decisions in the store.
type tuningStore struct{ *store.Store }

// SaveTrial implements control.TrialStore.
func (s tuningStore) SaveTrial(ctx context.Context, r control.TrialRecord) error {
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	status := "completed"
	if r.Failed {
		status = "failed"
	}
	return s.Store.SaveTrial(ctx, store.Trial{ID: r.ID, Workflow: r.Workflow, Time: r.Time, Status: status, Data: data})
}

// DecideTuning implements control.TuningJournal.
func (s tuningStore) DecideTuning(ctx context.Context, d control.TuningDecision) error {
	data, err := json.Marshal(d.Data)
	if err != nil {
		return err
	}
	return s.Decide(ctx, store.Decision{
		Time: d.Time, Controller: "tuner", Kind: d.Kind, Subject: d.Workflow, Reason: d.Reason, Data: data,
	})
}

// applyResources deploys functions with other resources. The revisions are those
// of the trials, so that their instances are warm already.
func (s *Server) applyResources(ctx context.Context, name string, resources map[string]function.Resources, why string) error {
	c := s.catalog.Load()
	b := &manifest.Bundle{}
	for _, fn := range slices.Sorted(maps.Keys(resources)) {
		f, ok := c.functions[fn]
		if !ok {
			return notFound("function", fn, c.functions)
		}
		f.function.Resources = resources[fn]
		b.Functions = append(b.Functions, f.function)
	}
	if _, err := s.deploy(ctx, b, false); err != nil {
		return err
	}
	return tuningStore{s.store}.DecideTuning(ctx, control.TuningDecision{
		Time: time.Now(), Workflow: name, Kind: "apply", Data: resources, Reason: why,
	})
}
