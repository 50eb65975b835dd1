package control

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/stats"
	"github.com/aquatope/aquatope/tuner"
	"github.com/aquatope/aquatope/workflow"
)

// TrialInput is one of the inputs that trials run with.
type TrialInput struct {
	Name   string
	Weight float64 // relative, positive
}

// TuningConfig is what a tuning session needs.
type TuningConfig struct {
	Workflow  *workflow.Workflow
	Functions []function.Function // that it calls, as they are deployed
	Target    tuner.Target
	Price     function.Price
	// Largest bounds what one instance may be given, whatever the functions'
	// spaces allow: what the machine has.
	Largest function.Resources
	Inputs  []TrialInput
	Budget  int // runs, those of earlier sessions included
	// Code identifies the workflow and its functions; trials of other code are
	// not looked at.
	Code string
	// Since is when the workload last changed: earlier trials are not looked at.
	Since    time.Time
	Strategy tuner.Strategy
	Runner   TrialRunner
	Trials   TrialStore
	Journal  TuningJournal
}

// ErrNoTrial says that nothing has been measured yet.
var ErrNoTrial = errors.New("nothing has been measured yet")

// Tuning is one session: the search for the cheapest resources of a workflow's
// functions that keep its promise. It is not safe for concurrent use.
type Tuning struct {
	c       TuningConfig
	problem tuner.Problem
	records []TrialRecord
	history []tuner.Run
	resumed int
	done    bool
}

// NewTuning starts a session, or takes up one that ended early: earlier are the
// trials that were kept, of which those that fit are used.
func NewTuning(c TuningConfig, earlier []TrialRecord) (*Tuning, error) {
	t := &Tuning{c: c, problem: tuner.Problem{Target: c.Target, Price: c.Price}}
	if len(c.Inputs) == 0 {
		return nil, fmt.Errorf("%w: there is no input to run with", tuner.ErrProblem)
	}
	for _, in := range c.Inputs {
		t.problem.Inputs = append(t.problem.Inputs, in.Weight)
	}
	for _, f := range c.Functions {
		space, err := within(f.Space, c.Largest)
		if err != nil {
			return nil, fmt.Errorf("%w: function %s: %w", tuner.ErrProblem, f.Name, err)
		}
		t.problem.Functions = append(t.problem.Functions, tuner.Function{Name: f.Name, Space: space})
	}
	for _, r := range earlier {
		if r.Code == c.Code && (t.input(r.Input) >= 0 || r.Online) && !r.Time.Before(c.Since) {
			t.records = append(t.records, r)
		}
	}
	slices.SortStableFunc(t.records, func(a, b TrialRecord) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.ID, b.ID))
	})
	if err := t.learn(); err != nil {
		return nil, err
	}
	t.resumed = len(t.history)
	return t, t.problem.Check()
}

// within bounds a space by what one instance may have.
func within(s function.Space, largest function.Resources) (function.Space, error) {
	cut := func(r function.Range, limit int64) function.Range {
		if limit > 0 && r.Max > limit && r.Min <= limit && r.Step > 0 {
			r.Max = r.Min + (limit-r.Min)/r.Step*r.Step
		}
		return r
	}
	if largest.CPU > 0 && s.CPU.Min > int64(largest.CPU) || largest.Memory > 0 && s.Memory.Min > int64(largest.Memory) {
		return s, fmt.Errorf("its ranges begin above what the machine has (%s): lower them", largest)
	}
	return function.Space{CPU: cut(s.CPU, int64(largest.CPU)), Memory: cut(s.Memory, int64(largest.Memory))}, nil
}

// learn derives the graph and the history from the records.
func (t *Tuning) learn() error {
	branching := BranchingByInput(t.c.Workflow, t.records, len(t.c.Inputs), func(r *TrialRecord) int { return t.input(r.Input) })
	g, err := workflow.NewGraphOf(t.c.Workflow, branching, t.problem.Inputs)
	if err != nil {
		return fmt.Errorf("deriving the graph of %s: %w", t.c.Workflow.Name, err)
	}
	t.problem.Graph = g
	t.history = t.history[:0]
	for i := range t.records {
		if r, ok := t.records[i].run(&t.problem, t.input(t.records[i].Input)); ok {
			t.history = append(t.history, r)
		}
	}
	return nil
}

// input returns the index of the input of that name, -1 without one.
func (t *Tuning) input(name string) int {
	return slices.IndexFunc(t.c.Inputs, func(in TrialInput) bool { return in.Name == name })
}

// Left returns how many runs the budget has left, 0 when the strategy has
// finished before.
func (t *Tuning) Left() int {
	if t.done {
		return 0
	}
	return max(0, t.c.Budget-len(t.history))
}

// Runs returns how many runs there are, and how many of them were taken over.
func (t *Tuning) Runs() (all, resumed int) { return len(t.history), t.resumed }

// Disturbed returns how many of the runs other work on the machine disturbed.
func (t *Tuning) Disturbed() int {
	n := 0
	for _, r := range t.records {
		if r.Disturbed {
			n++
		}
	}
	return n
}

// Problem returns what is tuned, with what has been learnt of its graph.
func (t *Tuning) Problem() tuner.Problem { return t.problem }

// Step decides what to try next, tries it and keeps what it showed. It is to be
// called until Left is 0. An error leaves the session as it was.
func (t *Tuning) Step(ctx context.Context, now time.Time) error {
	left := t.Left()
	if left == 0 {
		return nil
	}
	batch, err := t.c.Strategy.Next(&t.problem, t.history, 1, left, t.stream("decision"))
	if err != nil {
		return fmt.Errorf("deciding what to try: %w", err)
	}
	if len(batch) == 0 {
		t.done = true
		return nil
	}
	input, err := tuner.NextInput(t.c.Strategy, &t.problem, t.history, batch[0], t.stream("input"))
	if err != nil {
		return fmt.Errorf("choosing an input: %w", err)
	}
	trial := Trial{
		ID:        fmt.Sprintf("%s-%s-%d", t.c.Workflow.Name, now.UTC().Format("20060102t150405.000000"), len(t.records)),
		Input:     input,
		Resources: map[string]function.Resources{},
	}
	for i, f := range t.problem.Functions {
		trial.Resources[f.Name] = batch[0][i]
	}
	m, err := t.c.Runner.Run(ctx, trial)
	if err != nil {
		return fmt.Errorf("running a trial: %w", err)
	}
	r := RecordOf(trial, m)
	r.Input = t.c.Inputs[trial.Input].Name
	return t.keep(ctx, now, r, trial.Input)
}

// keep stores a record and learns from it.
func (t *Tuning) keep(ctx context.Context, now time.Time, r TrialRecord, input int) error {
	r.Workflow, r.Code = t.c.Workflow.Name, t.c.Code
	if _, ok := r.run(&t.problem, input); !ok {
		return fmt.Errorf("running a trial: the run cannot be used: %s", cmp.Or(r.Message, "it does not fit the workflow"))
	}
	if err := t.c.Trials.SaveTrial(ctx, r); err != nil {
		return fmt.Errorf("keeping a trial: %w", err)
	}
	t.records = append(t.records, r)
	if err := t.learn(); err != nil {
		return err
	}
	return t.c.Journal.DecideTuning(ctx, TuningDecision{
		Time: now, Workflow: t.c.Workflow.Name, Kind: "trial", Data: r,
		Reason: fmt.Sprintf("run %d of %d by %s: %s", len(t.history), t.c.Budget, t.c.Strategy.Name(), howItWent(r)),
	})
}

func howItWent(r TrialRecord) string {
	if r.Failed {
		return cmp.Or(r.Message, "failed")
	}
	return fmt.Sprintf("%.0f ms", 1000*r.LatencySeconds)
}

// stream returns the random stream of a decision, which depends on what is known
// only, so that a session that is taken up goes on as it would have.
func (t *Tuning) stream(what string) *rand.Rand {
	return stats.Stream(tuningSeed, fmt.Sprintf("%s %d of %s", what, len(t.history), t.c.Workflow.Name))
}

// tuningSeed is where the random streams of all sessions come from.
const tuningSeed = 20230325

// History returns the runs that decisions rest on. It must not be changed.
func (t *Tuning) History() []tuner.Run { return t.history }
