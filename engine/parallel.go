package engine

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"

	"github.com/aquatope/aquatope/run"
	"github.com/aquatope/aquatope/workflow"
)

// fork runs its branches at the same time.
type fork struct {
	branches list
	compete  bool
}

func compileFork(w *workflow.Fork, names env) (body, error) {
	// Every branch is a list of its own: there is nothing to jump to.
	k := &fork{compete: w.Compete}
	for _, b := range w.Branches {
		l, err := compileList([]workflow.Task{b}, names)
		if err != nil {
			return nil, err
		}
		k.branches = append(k.branches, l[0])
	}
	return k, nil
}

func (k *fork) run(x *execution, f frame, t *task, in *data) (*data, flow, error) {
	g := group{
		n: len(k.branches), width: len(k.branches), compete: k.compete,
		work: func(f frame, i int) (*data, flow, error) {
			return x.list(f, k.branches[i:i+1], in)
		},
	}
	return g.run(x, f, t)
}

// group runs numbered pieces of work at the same time, each on its own branch.
// Its output is the array of their outputs, or, if they compete, the output of
// the first that succeeds. The first failure (of all, if they compete) or end
// directive stops the others and is recorded, because it depends on timing.
type group struct {
	n, width int
	compete  bool
	work     func(f frame, i int) (*data, flow, error)
}

// result is how one piece of work ended.
type result struct {
	index  int
	out    *data
	to     flow
	err    error
	branch *branch
}

func (g *group) run(x *execution, f frame, t *task) (*data, flow, error) {
	if p := x.journal.failed(f, t); p != nil {
		return nil, 0, p
	}
	if ev := x.journal.recall(f, t).settled; ev != nil {
		r := g.one(f, f.ctx, ev.Branch)
		if r.err != nil {
			return nil, 0, r.err
		}
		f.branch.adopt(r.branch)
		f.branch.tick(ev.Time)
		return r.out, r.to, nil
	}
	results, decided := g.all(f)
	if decided == nil {
		return join(f, t, results)
	}
	if f.ctx.Err() != nil {
		return nil, 0, errInterrupted
	}
	if decided.err == nil {
		ev := run.Event{Time: wallClock(), Kind: run.TaskSettled, Task: t.path, At: f.at, Branch: decided.index}
		if x.journal != nil {
			if err := x.journal.append(ev); err != nil {
				return nil, 0, err
			}
		}
		f.branch.adopt(decided.branch)
		f.branch.tick(ev.Time)
		return decided.out, decided.to, nil
	}
	var p *run.Problem
	if errors.As(decided.err, &p) {
		return nil, 0, x.journal.fail(f, t, p)
	}
	return nil, 0, decided.err
}

// one runs a piece of work on a branch of its own.
func (g *group) one(f frame, ctx context.Context, i int) result {
	b := *f.branch
	f.ctx, f.branch = ctx, &b
	out, to, err := g.work(f, i)
	return result{i, out, to, err, &b}
}

// all runs everything and returns the results by index, and the one that
// decided for all, if any did.
func (g *group) all(f frame) ([]result, *result) {
	ctx, cancel := context.WithCancel(f.ctx)
	defer cancel()
	var (
		mu      sync.Mutex
		wg      sync.WaitGroup
		next    int
		decided *result
		failure *result // the first of competitors
		results = make([]result, g.n)
	)
	take := func() (int, bool) {
		mu.Lock()
		defer mu.Unlock()
		next++
		return next - 1, next <= g.n && decided == nil
	}
	finish := func(r result) {
		mu.Lock()
		defer mu.Unlock()
		results[r.index] = r
		switch {
		case decided != nil: // what comes later does not count
		case errors.Is(r.err, errSuspended):
			decided = &r // but what the others are at may end and be recorded
		case r.err != nil && g.compete && !errors.Is(r.err, errInterrupted):
			if failure == nil {
				failure = &r
			}
		case r.err != nil || r.to == flowEnd || g.compete:
			decided = &r
			cancel()
		}
	}
	for range min(g.width, g.n) {
		wg.Go(func() {
			for i, ok := take(); ok; i, ok = take() {
				finish(g.one(f, ctx, i))
			}
		})
	}
	wg.Wait()
	if decided == nil {
		decided = failure
	}
	return results, decided
}

// join gathers the outputs into an array, and what the branches exported into
// the context, in order.
func join(f frame, t *task, results []result) (*data, flow, error) {
	base := f.branch.context
	out := make([]any, len(results))
	for i, r := range results {
		v, err := r.out.json()
		if err != nil {
			return nil, 0, &run.Problem{
				Type: run.TypeValidation, Status: 400, Title: "Output is not JSON",
				Detail: fmt.Sprintf("the output of branch %d is %v", i, err), Instance: t.path,
			}
		}
		out[i] = v
		f.branch.tick(r.branch.clock)
		if r.branch.context != base {
			f.branch.context = merge(base, f.branch.context, r.branch.context)
		}
	}
	return value(out), flowNext, nil
}

// merge applies what changed from base to theirs to ours: key by key where all
// are objects, as a whole otherwise. Contexts are results of expressions or
// null, so decoding them cannot fail.
func merge(base, ours, theirs *data) *data {
	b, _ := base.json()
	o, _ := ours.json()
	t, _ := theirs.json()
	tm, ok := t.(map[string]any)
	om, ok2 := o.(map[string]any)
	bm, _ := b.(map[string]any)
	if !ok || !ok2 {
		return theirs
	}
	out := make(map[string]any, len(om)+len(tm))
	for k, v := range om {
		out[k] = v
	}
	for k, v := range tm {
		if old, had := bm[k]; !had || !reflect.DeepEqual(old, v) {
			out[k] = v
		}
	}
	for k := range bm {
		if _, kept := tm[k]; !kept {
			delete(out, k)
		}
	}
	return value(out)
}

// adopt takes over the state of the branch that decided.
func (b *branch) adopt(winner *branch) {
	b.context = winner.context
	b.tick(winner.clock)
}
