package experiment

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aquatope/aquatope/control"
	"github.com/aquatope/aquatope/sim/flow"
	"github.com/aquatope/aquatope/sim/rehearsal"
	"github.com/aquatope/aquatope/trace"
	"github.com/aquatope/aquatope/tuner"
)

// jointOptions leave parts out of the project's system, to see what each gives.
type jointOptions struct {
	certain     bool   // take what is expected for what will be, in service times and arrivals
	blind       bool   // forecast each function by itself
	noLookAhead bool   // the start of a run starts nothing else
	fixed       bool   // stay with what was decided on the training part
	apart       bool   // half of the error budget for cold starts, half for executions
	mean        bool   // promise the mean
	strategy    string // instead of structured
	strict      bool   // keep to a tenth of the error budget
}

// What the project's system is run with.
const (
	// startQuantile of its start-ups is what the oracle takes a function to need.
	startQuantile = 0.9
	// guardSlices is in how many parts the training part is served with what was
	// decided, each time with guardStep more CPU if the promise was broken;
	// guardPrior is how many runs the expectation counts for.
	guardSlices = 6
	guardStep   = 1.3
	guardPrior  = 20
)

// jointly is the project's system: what was learnt in the training part decides
// over resources and pool together.
func jointly(o jointOptions) func(context.Context, *endWorld) (EndToEndResult, error) {
	if o.strategy == "" {
		o.strategy = "structured"
	}
	return func(ctx context.Context, w *endWorld) (EndToEndResult, error) {
		s, err := w.session(ctx, tuning{strategy: o.strategy, mean: o.mean, serving: o.strategy == "structured" && !o.apart})
		if err != nil {
			return EndToEndResult{}, err
		}
		r, err := w.rehearse(ctx, o, s)
		if err != nil {
			return EndToEndResult{}, err
		}
		d, err := r.decide()
		if err != nil {
			return EndToEndResult{}, err
		}
		if !o.mean {
			if d, err = r.guard(d); err != nil {
				return EndToEndResult{}, err
			}
		}
		m, last, err := r.serve(d)
		if err != nil {
			return EndToEndResult{}, err
		}
		s.configuration = last.Configuration
		out := w.result(m, s)
		out.Decision = r.describe(d)
		if !last.Equal(d.JointPlan) {
			out.Decision += "; in the end " + r.describe(last)
		}
		for _, x := range d.Frontier {
			out.Expected = append(out.Expected, EndToEndExpectation{x.Violations, x.Cost})
		}
		return out, nil
	}
}

func (r *joint) decide() (control.JointDecision, error) {
	if r.o.apart {
		return r.decideApart(r.search())
	}
	return r.search().Solve()
}

// strictShare of the error budget is what the strict system keeps to.
const strictShare = 0.1

// budget is the share of runs that may break the promise.
func (r *joint) budget() float64 {
	if r.o.strict {
		return strictShare * r.w.model.QoS.ErrorBudget()
	}
	return r.w.model.QoS.ErrorBudget()
}

// search is for plans by the whole error budget.
func (r *joint) search() control.Joint {
	j := control.Joint{
		Budget: r.budget(), Loss: rehearsal.Loss, Inertia: rehearsal.Inertia, Caution: rehearsal.Caution, ColdStarts: r.Starts(), Prices: rehearsal.Prices,
		Alone: r.o.noLookAhead, Configure: r.configure, Predict: r.predict,
	}
	if r.o.certain {
		j.Caution = 0
	}
	return j
}

// configure implements control.Joint.
func (r *joint) configure(serving tuner.Serving) ([]tuner.Configuration, error) {
	if r.o.strategy != "structured" {
		return []tuner.Configuration{r.session.configuration}, nil
	}
	var err error
	r.configurations, err = r.Configure(serving)
	return r.configurations, err
}

// guard serves the training part with what was decided, as a live system has to
// anyway, and gives every function more CPU at once when the account asks for it:
// the tuner may have been wrong about one of them.
func (r *joint) guard(d control.JointDecision) (control.JointDecision, error) {
	w := r.w
	expected, err := r.Rehearse(r.ctx, d.JointPlan, 1)
	if err != nil {
		return d, err
	}
	t := w.training()
	account := newGuardAccount(r.budget(), expected)
	for k := range guardSlices {
		slice := trace.Span{From: t.From + k*t.Len()/guardSlices, To: t.From + (k+1)*t.Len()/guardSlices}
		policy, err := r.Policy(d.JointPlan, instant(w.all.From))
		if err != nil {
			return d, err
		}
		m, err := w.play(r.ctx, playback{
			workflow: w.truly(d.Configuration), policy: policy, window: time.Minute, lead: lead, from: max(t.From, slice.From-2*hourMinutes), counted: slice,
		})
		if err != nil {
			return d, err
		}
		if account.add(&m.WorkflowResult); !account.slow() {
			continue
		}
		larger := rehearsal.Scaled(w.problem, d.Configuration, guardStep)
		if slices.Equal(larger, d.Configuration) {
			break // there is no more
		}
		d.Configuration = larger
		account = newGuardAccount(r.budget(), expected)
	}
	return d, nil
}

// guardAccount says whether a configuration is too slow.
type guardAccount struct {
	budget, cold           float64 // cold is the share of runs expected to break the promise by a cold start
	runs, violations, warm float64 // warm are violations without a cold start
}

// newGuardAccount begins with what was expected.
func newGuardAccount(budget float64, expected rehearsal.Outcome) guardAccount {
	return guardAccount{
		budget: budget, cold: max(0, expected.Violations-expected.Slow),
		runs: guardPrior, violations: guardPrior * min(expected.Violations, budget), warm: guardPrior * min(expected.Slow, budget),
	}
}

func (a *guardAccount) add(m *flow.WorkflowResult) {
	a.runs += float64(m.Runs)
	a.violations += float64(m.Violations)
	a.warm += float64(m.Violations - m.ColdViolations)
}

// slow reports whether more runs break the promise than may, and more of those that
// met no cold start than the cold starts expected leave the budget for: CPU does not
// help where it is the others.
func (a *guardAccount) slow() bool {
	return a.violations > a.budget*a.runs && a.warm > max(0, a.budget-a.cold)*a.runs
}

// decideApart splits the error budget beforehand: the tuner keeps a tighter
// percentile, and the pool has the price at which cold starts take the rest.
func (r *joint) decideApart(j control.Joint) (control.JointDecision, error) {
	half := 100 - 100*j.Budget/2
	c, err := r.Recommend(half, 1, tuner.Serving{})
	if err != nil {
		return control.JointDecision{}, err
	}
	d := control.JointDecision{JointPlan: control.JointPlan{Configuration: c, OnDemand: make([]bool, len(j.ColdStarts))}}
	for _, d.Price = range j.Prices {
		x, err := r.Rehearse(r.ctx, d.JointPlan, 1)
		if err != nil {
			return d, err
		}
		d.JointPrediction = x.JointPrediction
		if d.Feasible = x.ColdRuns <= j.Budget/2; d.Feasible {
			break
		}
	}
	return d, nil
}

func (r *joint) describe(d control.JointDecision) string {
	var parts []string
	for f, on := range r.OnDemand(d.JointPlan) {
		if on {
			parts = append(parts, r.w.tables[f].Name)
		}
	}
	kept := "on demand: " + strings.Join(parts, ", ")
	switch len(parts) {
	case 0:
		kept = "none on demand"
	case len(d.OnDemand):
		kept = "all on demand"
	}
	return fmt.Sprintf("a cold start is worth %g s of idle instances; %s; expected %.2f %% violations (sd %.2f) at %.3g a run", d.Price, kept, 100*d.Violations, 100*d.Deviation, d.Cost)
}
