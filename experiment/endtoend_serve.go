package experiment

import (
	"time"

	"github.com/aquatope/aquatope/control"
	"github.com/aquatope/aquatope/sim/flow"
	"github.com/aquatope/aquatope/sim/rehearsal"
	"github.com/aquatope/aquatope/trace"
)

const (
	// adjustMinutes is how often the plan in force is adjusted, if there were
	// adjustRuns runs since.
	adjustMinutes = 30
	adjustRuns    = 10
	// recalled is how many of the latest runs an adjustment is tried on.
	recalled = 600
)

// serve serves the whole period with what was decided and returns what was
// measured of the judged part. As a server would, it goes on learning there: by
// what is left of the error budget and by the runs that came last the plan is
// adjusted. What it knows at any moment is what has happened before.
func (r *joint) serve(d control.JointDecision) (*measured, control.JointDecision, error) {
	w := r.w
	policy, err := r.Policy(d.JointPlan, instant(w.all.From))
	if err != nil {
		return nil, d, err
	}
	spending := control.Spending{Budget: r.budget(), Ahead: len(r.Past.Within(instant(w.judged.From)-rehearsal.HalfDay, instant(w.judged.From)))}
	runs, violations := 0, 0
	s := flow.New([]flow.Workflow{w.truly(d.Configuration)}, policy, flow.Config{
		Window: time.Minute, Lead: lead, From: instant(w.judged.From), Until: instant(w.judged.To), Price: w.problem.Price, Seed: w.seed,
		OnRun: func(run flow.Run) {
			if run.At < instant(w.judged.From) {
				return
			}
			runs++
			if run.Violated {
				violations++
			}
		},
	})
	for at := w.all.From; at < w.judged.To; at += adjustMinutes {
		if err := r.ctx.Err(); err != nil {
			return nil, d, err
		}
		if at >= w.judged.From && !r.o.fixed && (at == w.judged.From || runs >= adjustRuns) {
			spending.Add(runs, violations, d.Violations)
			runs, violations = 0, 0
			after, err := r.adjust(d, spending, at)
			if err != nil {
				return nil, d, err
			}
			if !after.Equal(d.JointPlan) {
				if err := r.Apply(after.JointPlan, policy); err != nil {
					return nil, d, err
				}
				s.SetResources(0, after.Configuration)
			}
			d = after
		}
		to := min(at+adjustMinutes, w.judged.To)
		s.Feed(within(w.arrivals, trace.Span{From: at, To: to}))
		s.Advance(instant(to) - 1)
	}
	return &measured{s.Finish().Workflows[0]}, d, nil
}

// adjust decides what to go on with from a minute on.
func (r *joint) adjust(d control.JointDecision, spending control.Spending, at int) (control.JointDecision, error) {
	j := r.search()
	j.Budget = spending.Allowance()
	j.Caution *= spending.Doubt()
	j.Starts = []control.JointPlan{d.JointPlan}
	r.Past = rehearsal.Past{Arrivals: r.w.arrivals, From: instant(r.w.all.From), Until: instant(at)}.Latest(recalled)
	return j.Adjust(r.configurations)
}
