package experiment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aquatope/aquatope/control"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/manifest"
	"github.com/aquatope/aquatope/run"
	"github.com/aquatope/aquatope/sim/replay"
	"github.com/aquatope/aquatope/store"
	"github.com/aquatope/aquatope/workflow"
)

// Record is what a server recorded, as far as it can be lived through again.
type Record struct {
	replay.History
	// InForce is the policy that the server followed when it wrote its journal
	// last; Journal says whether it did at all.
	InForce PolicyChoice
	Journal bool
	// Window is the time between the server's plans.
	Window time.Duration
	Notes  []string
}

// ReadRecord reads all runs that began before until, other than those of trials;
// a zero time is no bound.
func ReadRecord(ctx context.Context, from *store.Reader, until time.Time) (*Record, error) {
	r := &Record{History: replay.History{Revisions: map[string]function.Resources{}, Loops: map[string][]replay.Loop{}}}
	if err := r.readFunctions(ctx, from); err != nil {
		return nil, err
	}
	if err := r.readJournal(ctx, from); err != nil {
		return nil, err
	}
	trials := 0
	names := interner{}
	for x, err := range from.Runs(ctx, time.Time{}, until) {
		switch {
		case err != nil:
			return nil, fmt.Errorf("reading runs: %w", err)
		case x.Trial != "":
			trials++
		default:
			names.slim(&x)
			r.Runs = append(r.Runs, x)
		}
	}
	if trials > 0 {
		r.note("%d runs of trials are left out, which run on instances of their own.", trials)
	}
	return r, nil
}

func (r *Record) note(format string, args ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}

// end is when the last run ended.
func (r *Record) end() time.Time {
	var last time.Time
	for i := range r.Runs {
		if e := r.Runs[i].End; e.After(last) {
			last = e
		}
	}
	return last
}

// readFunctions reads what was invoked, and what is deployed of it.
func (r *Record) readFunctions(ctx context.Context, from *store.Reader) error {
	used, err := from.Revisions(ctx, time.Time{})
	if err != nil {
		return fmt.Errorf("reading revisions: %w", err)
	}
	declared := map[string]function.Function{}
	docs, err := from.Deployments(ctx)
	if err != nil {
		return fmt.Errorf("reading what is deployed: %w", err)
	}
	for _, d := range docs {
		b, err := manifest.Parse(d.Kind+" "+d.Name, d.Document)
		if err != nil {
			r.note("%s %s is deployed with a document that cannot be read: one request at a time and no caps are taken.", d.Kind, d.Name)
			continue
		}
		for _, f := range b.Functions {
			declared[f.Name] = f
		}
		for _, w := range b.Workflows {
			if l := parallelLoops(w.Do, 0, nil); len(l) > 0 {
				r.Loops[w.Name] = l
			}
		}
	}
	most := map[string]int{}
	index := map[string]int{}
	scheduled := false
	for _, u := range used {
		if u.Resources.Memory <= 0 {
			continue // turned away before it had a revision
		}
		r.Revisions[u.Revision] = u.Resources
		i, known := index[u.Function]
		if !known {
			d := declared[u.Function]
			i = len(r.Functions)
			index[u.Function] = i
			r.Functions = append(r.Functions, replay.Function{Name: u.Function, Concurrency: d.Concurrency, Min: d.Scale.Min, Max: d.Scale.Max})
			scheduled = scheduled || len(d.Scale.Schedule) > 0
		}
		if u.Invocations > most[u.Function] {
			most[u.Function], r.Functions[i].Resources = u.Invocations, u.Resources
		}
	}
	if scheduled {
		r.note("Warm schedules of functions are not replayed.")
	}
	return nil
}

// readJournal finds out what the server followed: the journal of its pool
// scheduler says in which mode it is. Without forecasts, or if they are only
// recommended, idle instances end after a fixed time.
func (r *Record) readJournal(ctx context.Context, from *store.Reader) error {
	r.Window = time.Minute
	last, err := from.Decisions(ctx, store.DecisionFilter{Controller: "pool", Kind: "target", Limit: 1})
	if err != nil {
		return fmt.Errorf("reading the journal: %w", err)
	}
	mode := control.ModeOff
	if len(last) > 0 {
		var data struct {
			Mode   control.Mode  `json:"mode"`
			Length time.Duration `json:"windowNanos"`
		}
		if err := json.Unmarshal(last[0].Data, &data); err != nil {
			return fmt.Errorf("reading the journal: decision %d: %w", last[0].ID, err)
		}
		r.Journal, mode = true, data.Mode
		if data.Length > 0 {
			r.Window = data.Length
		}
	}
	r.InForce = PolicyChoice{Name: "keepalive", Time: control.ReactiveWindows * r.Window}
	if mode == control.ModeApply {
		r.InForce = PolicyChoice{Name: ownPolicy}
	}
	return nil
}

// parallelLoops finds the loops whose iterations run at the same time.
func parallelLoops(tasks []workflow.Task, depth int, out []replay.Loop) []replay.Loop {
	for i := range tasks {
		t := &tasks[i]
		out = parallelLoops(t.Do, depth, out)
		if t.Fork != nil {
			out = parallelLoops(t.Fork.Branches, depth, out)
		}
		if t.Try != nil {
			out = parallelLoops(t.Try.Do, depth, out)
			out = parallelLoops(t.Try.Catch.Do, depth, out)
		}
		if t.For != nil {
			if t.For.Parallel > 1 {
				out = append(out, replay.Loop{Path: t.Path, Depth: depth})
			}
			out = parallelLoops(t.For.Do, depth+1, out)
		}
	}
	return out
}

// interner keeps one copy of each text that runs repeat.
type interner map[string]string

func (n interner) of(s string) string {
	if known, ok := n[s]; ok {
		return known
	}
	n[s] = s
	return s
}

// slim drops what a replay does not need, since a store holds many runs.
func (n interner) slim(r *run.Run) {
	r.Problem, r.TraceID = nil, ""
	r.Workflow, r.Function, r.Version = n.of(r.Workflow), n.of(r.Function), n.of(r.Version)
	for i := range r.Stages {
		s := &r.Stages[i]
		s.Name, s.Endpoint, s.SpanID, s.Message = "", "", "", ""
		s.Path, s.At, s.Function = n.of(s.Path), n.of(s.At), n.of(s.Function)
		s.Revision, s.Instance, s.Outcome = n.of(s.Revision), n.of(s.Instance), function.Outcome(n.of(string(s.Outcome)))
	}
}

// ErrNoRuns says that there is nothing to live through.
var ErrNoRuns = errors.New("no runs are recorded")
