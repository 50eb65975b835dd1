package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aquatope/aquatope/control"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/server/api"
	"github.com/aquatope/aquatope/sim/flow"
	"github.com/aquatope/aquatope/sim/rehearsal"
	"github.com/aquatope/aquatope/store"
	"github.com/aquatope/aquatope/tuner"
)

const (
	// jointWindows is how many windows pass between two joint decisions, and
	// jointPast how many of the past they rest on.
	jointWindows = 60
	jointPast    = 7 * 1440
	// jointLeast is how many recorded runs of a workflow are needed, jointMost how
	// many are read, and jointTried how many of the latest a plan is tried on.
	jointLeast = 200
	jointMost  = 20_000
	jointTried = 1500
	// jointSettle is how long ago runs must have ended to be counted: later ones may
	// not be written yet. jointLongest is how long a run that is counted may take.
	jointSettle  = time.Second
	jointLongest = 24 * time.Hour
	// jointStarts is how many of the last cold starts of a function are looked at.
	jointStarts = 100
)

// errYoung says that too little is known of a workflow to rehearse plans for it.
var errYoung = errors.New("too little is known yet")

// jointInput is what a decision over one workflow rests on.
type jointInput struct {
	plan      *tuningPlan
	rehearsal *rehearsal.Rehearsal
	current   control.JointPlan
}

// decideJointly rehearses plans for a workflow on its own past: what one run costs
// and how often the promise is broken with given resources, price of a cold start
// and functions on demand. Only if free may the resources differ from those that
// are deployed.
func (s *Server) decideJointly(ctx context.Context, name string, free bool) (*api.JointPlan, error) {
	in, err := s.jointInput(ctx, name)
	if err != nil {
		return nil, err
	}
	wait := s.paced(ctx)
	rehearse := func(p control.JointPlan, share float64) (control.JointPrediction, error) {
		o, err := in.rehearsal.Rehearse(ctx, p, share)
		if !wait() {
			return o.JointPrediction, ctx.Err()
		}
		return o.JointPrediction, err
	}
	now, err := rehearse(in.current, 1)
	if err != nil {
		return nil, err
	}
	j := control.Joint{
		Budget: in.plan.qos.ErrorBudget(), Loss: rehearsal.Loss, Inertia: rehearsal.Inertia, Caution: rehearsal.Caution, ColdStarts: in.rehearsal.Starts(),
		Prices: rehearsal.Prices, Starts: []control.JointPlan{in.current}, Predict: rehearse,
		Configure: func(serving tuner.Serving) ([]tuner.Configuration, error) {
			all, err := in.rehearsal.Configure(serving)
			if !wait() {
				return nil, ctx.Err()
			}
			return all, err
		},
	}
	if free {
		d, err := j.Solve()
		if err != nil {
			return nil, err
		}
		return in.describe(d, now), nil
	}
	until := time.Now().Add(-jointSettle)
	account, err := s.jointAccount(ctx, name, until)
	if err != nil {
		return nil, err
	}
	if account.Runs > 0 {
		past := in.rehearsal.Past
		spending := control.Spending{Budget: j.Budget, Ahead: len(past.Within(past.Until-rehearsal.HalfDay, past.Until))}
		spending.Add(account.Runs, account.Violations, account.Expected/float64(account.Runs))
		j.Budget = spending.Allowance()
		j.Caution *= spending.Doubt()
	}
	d, err := j.Adjust([]tuner.Configuration{in.current.Configuration})
	if err != nil {
		return nil, err
	}
	// Whatever is allowed now, the plan is good if it keeps the promise from here on.
	d.Feasible = d.Used(j.Caution) <= in.plan.qos.ErrorBudget()
	out := in.describe(d, now)
	out.Decided, out.Account = until, account // what ends from here on is for the next
	return out, nil
}

// jointAccount is the account of the plan in force brought up to date with the runs
// that ended until then, whenever they began.
func (s *Server) jointAccount(ctx context.Context, name string, until time.Time) (api.JointAccount, error) {
	last := s.joint.get(name)
	if last == nil {
		return api.JointAccount{}, nil
	}
	account := last.Account
	if !last.Applied {
		return account, nil
	}
	if err := s.store.Flush(ctx); err != nil {
		return account, err
	}
	sums, err := s.store.Summaries(ctx, store.RunFilter{
		Workflow: name, Since: last.Decided.Add(-jointLongest), EndedAfter: last.Decided, EndedBy: until, NoTrials: true,
	}, false)
	if err != nil {
		return account, err
	}
	for _, sum := range sums {
		account.Runs += sum.Runs
		account.Violations += sum.Violations
		account.Expected += last.Expected.Violations * float64(sum.Runs)
	}
	return account, nil
}

// jointInput reads what is known.
func (s *Server) jointInput(ctx context.Context, name string) (*jointInput, error) {
	plan, err := s.planTuning(name, api.TuneRequest{})
	if err != nil {
		return nil, err
	}
	session, err := s.openTuning(ctx, plan, false)
	if err != nil {
		return nil, err
	}
	if n, _ := session.Runs(); n == 0 {
		return nil, fmt.Errorf("%w: %s has not been tuned", errYoung, name)
	}
	if err := s.store.Flush(ctx); err != nil {
		return nil, err
	}
	now := control.WindowAt(time.Now(), s.config.Window)
	begin := control.WindowBegin(now-jointPast, s.config.Window)
	starts, err := s.store.RunStarts(ctx, name, begin, jointMost)
	if err != nil {
		return nil, err
	}
	if len(starts) < jointLeast {
		return nil, fmt.Errorf("%w: %d of %d runs of %s are recorded", errYoung, len(starts), jointLeast, name)
	}
	problem := session.Problem()
	w := rehearsal.Workflow{
		Name: name, QoS: plan.qos, Problem: &problem, History: session.History(), Structured: &tuner.Structured{},
		Window: s.config.Window, Lead: s.config.Window / 20, Seed: uint64(now),
	}
	// Instant 0 is the begin of the window of the first of them.
	w.Week = control.WindowAt(starts[0], s.config.Window)
	begin = control.WindowBegin(w.Week, s.config.Window)
	past := rehearsal.Past{Until: control.WindowBegin(now, s.config.Window).Sub(begin)}
	for _, at := range starts {
		past.Arrivals = append(past.Arrivals, flow.Arrival{At: at.Sub(begin)})
	}
	for _, f := range problem.Functions {
		// Those of trials count: they tell how starts depend on size.
		seen, err := s.store.ColdStarts(ctx, f.Name, begin.Add(-time.Hour), jointStarts)
		if err != nil {
			return nil, err
		}
		if len(seen) == 0 {
			return nil, fmt.Errorf("%w: no start of %s is recorded", errYoung, f.Name)
		}
		var starts []rehearsal.Start
		for _, x := range seen {
			starts = append(starts, rehearsal.Start{CPU: x.CPU, Seconds: x.Wait.Seconds()})
		}
		w.ColdStarts = append(w.ColdStarts, starts)
	}
	model := s.pool.Model()
	if model == nil {
		return nil, fmt.Errorf("%w: there is no forecasting model", errYoung)
	}
	visits := make([]float64, len(problem.Functions))
	for stage, n := range problem.Graph.VisitRatios() {
		for i, f := range problem.Functions {
			if f.Name == problem.Graph.Stages[stage].Function {
				visits[i] += n
			}
		}
	}
	known, ok := rehearsal.Foresee(model.New(), &w, past, visits, s.paced(ctx))
	if !ok {
		return nil, ctx.Err()
	}
	w.Forecaster = known
	r, err := rehearsal.New(w, past.Latest(jointTried))
	if err != nil {
		return nil, err
	}
	return &jointInput{plan: plan, rehearsal: r, current: s.planInForce(plan, &problem)}, nil
}

// planInForce is what serves a workflow now.
func (s *Server) planInForce(plan *tuningPlan, p *tuner.Problem) control.JointPlan {
	out := control.JointPlan{Price: (control.ReactiveWindows * s.config.Window).Seconds(), OnDemand: make([]bool, len(p.Functions))}
	for i, f := range p.Functions {
		out.Configuration = append(out.Configuration, plan.catalog.functions[f.Name].revision.Resources)
		if j := s.joint.get(plan.workflow.workflow.Name); j != nil && j.Applied {
			out.Price, out.Alone = j.PriceSeconds, !j.LookAhead
			out.OnDemand[i] = slices.Contains(j.OnDemand, f.Name)
		}
	}
	return out
}

// describe presents a decision beside what is in force.
func (in *jointInput) describe(d control.JointDecision, now control.JointPrediction) *api.JointPlan {
	expected := func(x control.JointPrediction) api.JointExpectation {
		return api.JointExpectation{Violations: x.Violations, Deviation: x.Deviation, CostPerRun: x.Cost}
	}
	out := &api.JointPlan{
		Decided: time.Now(), Feasible: d.Feasible, PriceSeconds: d.Price, LookAhead: !d.Alone, OnDemand: []string{},
		Resources: map[string]function.Resources{}, Expected: expected(d.JointPrediction), InForce: expected(now),
		Rehearsed: len(in.rehearsal.Past.Within(in.rehearsal.Past.Counted, in.rehearsal.Past.Until)), Tried: d.Tried,
	}
	onDemand := in.rehearsal.OnDemand(d.JointPlan)
	for i, f := range in.rehearsal.Problem.Functions {
		out.Resources[f.Name] = d.Configuration[i]
		if onDemand[i] {
			out.OnDemand = append(out.OnDemand, f.Name)
		}
	}
	kept := "every function is kept while that is worth it"
	switch len(out.OnDemand) {
	case 0:
	case len(out.Resources):
		kept = "no function is kept between runs"
	default:
		kept = "not kept between runs: " + strings.Join(out.OnDemand, ", ")
	}
	out.Reason = fmt.Sprintf("a cold start is worth %.4g s of an idle instance; %s; expected %.2f %% violations of %.4g %% allowed (sd %.2f) at %.3g a run, instead of %.2f %% at %.3g",
		out.PriceSeconds, kept, 100*d.Violations, 100*in.plan.qos.ErrorBudget(), 100*d.Deviation, d.Cost, 100*now.Violations, now.Cost)
	if !d.Feasible {
		out.Reason += "; the promise is not expected to be kept"
	}
	return out
}

// follow has the pool, and if free the functions, follow a decision, in so far as
// the mode allows, and journals it.
func (s *Server) follow(ctx context.Context, name string, p *api.JointPlan, free bool) error {
	p.Applied = s.config.Pool == control.ModeApply && p.Feasible
	data, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("journalling a joint decision: %w", err)
	}
	kind := "recommendation"
	if p.Applied {
		kind = "apply"
	}
	err = s.store.Decide(ctx, store.Decision{
		Time: p.Decided, Controller: "joint", Kind: kind, Subject: name, Reason: p.Reason, Data: data,
	})
	if err != nil {
		return err
	}
	s.joint.set(name, p)
	s.pool.SetTerms(s.joint.terms(s.flows()))
	if free && p.Applied {
		return s.applyResources(ctx, name, p.Resources, "deployed what resources and warm pool were decided to be together")
	}
	return nil
}
