package engine

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aquatope/aquatope/run"
	"github.com/aquatope/aquatope/workflow"
)

// attempts is the task try.
type attempts struct {
	tasks      list
	match      workflow.ErrorFilter
	when       *expr
	exceptWhen *expr
	retry      *retry
	handler    list
	handles    bool // there is a catch.do or catch.then, or nothing but the catch
	then       flow // after an error was caught; flowNext follows the task
}

type retry struct {
	workflow.Retry
	when       *expr
	exceptWhen *expr
}

func compileTry(t *workflow.Try, then flow, names env) (body, error) {
	c := t.Catch
	a := &attempts{match: c.Match, handles: c.Do != nil || c.Then != "" || c.Retry == nil, then: then}
	var err error
	if a.tasks, err = compileList(t.Do, names); err != nil {
		return nil, err
	}
	as := c.As
	if as == "" {
		as = "error"
	}
	inner := append(slices.Clone(names), "$"+as)
	cond := func(src workflow.Expr, what string) *expr {
		if err != nil || src == "" {
			return nil
		}
		var x *expr
		if x, err = compile(string(src), inner); err != nil {
			err = fmt.Errorf("catch: %s: %w", what, err)
		} else if x == nil {
			x = identity
		}
		return x
	}
	a.when, a.exceptWhen = cond(c.When, "when"), cond(c.ExceptWhen, "exceptWhen")
	if c.Retry != nil {
		a.retry = &retry{
			Retry: *c.Retry,
			when:  cond(c.Retry.When, "retry.when"), exceptWhen: cond(c.Retry.ExceptWhen, "retry.exceptWhen"),
		}
	}
	if err != nil {
		return nil, err
	}
	a.handler, err = compileList(c.Do, inner)
	return a, err
}

func (a *attempts) run(x *execution, f frame, t *task, in *data) (*data, flow, error) {
	began, err := a.begin(x, f, t)
	if err != nil {
		return nil, 0, err
	}
	n, until := 0, time.Time{}
	if r := x.journal.recall(f, t).retry; r != nil {
		f.branch.tick(r.Time)
		n, until = r.Attempt, r.Until
	}
	outside := f.branch.context
	for {
		if !until.IsZero() {
			if err := x.sleep(f, until); err != nil {
				return nil, 0, err
			}
		}
		out, to, err := a.attempt(x, f, t, in, n)
		var p *run.Problem
		if !errors.As(err, &p) {
			return out, to, err
		}
		caught, again, err := a.judge(x, f, t, in, p)
		if err != nil {
			return nil, 0, err
		}
		if !caught {
			return nil, 0, p
		}
		if again {
			until, again = a.retry.next(n+1, began, wallClock(), x.engine.random)
		}
		if !again {
			return a.handle(x, f, t, in, p)
		}
		n++
		ev := run.Event{Time: wallClock(), Kind: run.RetryScheduled, Task: t.path, At: f.at, Attempt: n, Until: until, Problem: p}
		if x.journal != nil {
			if err := x.journal.append(ev); err != nil {
				return nil, 0, err
			}
		}
		f.branch.tick(ev.Time)
		f.branch.context = outside // what a failed attempt exported is forgotten
	}
}

// begin returns when the first attempt began, which bounds all of them.
func (a *attempts) begin(x *execution, f frame, t *task) (time.Time, error) {
	if a.retry == nil || a.retry.MaxDuration == 0 {
		return time.Time{}, nil
	}
	g := f
	g.at = push(f.at, 't', 0)
	return x.journal.start(g, t, a.retry.MaxDuration)
}

// attempt runs the tasks once, within the time limit of an attempt.
func (a *attempts) attempt(x *execution, f frame, t *task, in *data, n int) (*data, flow, error) {
	outer := f.ctx
	f.at = push(f.at, 'r', n)
	limit := time.Duration(0)
	if a.retry != nil {
		limit = a.retry.AttemptTime
	}
	if limit == 0 {
		return x.list(f, a.tasks, in)
	}
	if p := x.journal.failed(f, t); p != nil {
		return nil, 0, p
	}
	started, err := x.journal.start(f, t, limit)
	if err != nil {
		return nil, 0, err
	}
	ctx, cancel := deadlineAt(outer, started.Add(limit))
	defer cancel()
	f.ctx = ctx
	out, to, err := x.list(f, a.tasks, in)
	if errors.Is(err, errInterrupted) && outer.Err() == nil && isOwn(ctx) {
		return nil, 0, x.journal.fail(f, t, x.timeout(t, limit))
	}
	return out, to, err
}

// judge says whether the catch is for this problem, and whether its retry is.
// Conditions are applied to the problem, which is also the catch's variable.
func (a *attempts) judge(x *execution, f frame, t *task, in *data, p *run.Problem) (caught, again bool, err error) {
	if !matches(a.match, p) {
		return false, false, nil
	}
	f.vars = append(slices.Clone(f.vars), asValue(p))
	holds := func(when, except *expr) (bool, error) {
		for i, e := range []*expr{when, except} {
			if e == nil {
				continue
			}
			v, err := x.eval(f, t, e, value(asValue(p)), in, nil)
			if err != nil || truth(v) == (i == 1) {
				return false, err
			}
		}
		return true, nil
	}
	if caught, err = holds(a.when, a.exceptWhen); err != nil || !caught || a.retry == nil {
		return caught, false, err
	}
	again, err = holds(a.retry.when, a.retry.exceptWhen)
	return caught, again, err
}

// handle runs catch.do. Retries that are used up without a handler leave the
// problem unhandled; a catch with neither swallows it.
func (a *attempts) handle(x *execution, f frame, _ *task, in *data, p *run.Problem) (*data, flow, error) {
	if !a.handles {
		return nil, 0, p
	}
	f.vars = append(slices.Clone(f.vars), asValue(p))
	out, to, err := x.list(f, a.handler, in)
	if err == nil && to == flowNext {
		to = a.then
	}
	return out, to, err
}

func matches(m workflow.ErrorFilter, p *run.Problem) bool {
	for _, c := range [][2]string{{m.Type, p.Type}, {m.Instance, p.Instance}, {m.Title, p.Title}, {m.Detail, p.Detail}} {
		if c[0] != "" && c[0] != c[1] {
			return false
		}
	}
	return m.Status == 0 || m.Status == p.Status
}

// longest bounds a delay, so that an exponential one cannot overflow.
const longest = 24 * time.Hour

// next says when retry n (from 1) may begin, or that there is none.
func (r *retry) next(n int, began, now time.Time, random func() uint64) (time.Time, bool) {
	if r.MaxAttempts > 0 && n > r.MaxAttempts {
		return time.Time{}, false
	}
	d := float64(r.Delay)
	switch r.Backoff {
	case workflow.BackoffLinear:
		d *= float64(n)
	case workflow.BackoffExponential:
		d *= math.Pow(2, float64(n-1))
	}
	if from, to := r.Jitter[0], r.Jitter[1]; to > 0 {
		d += float64(from) + float64(to-from)*(float64(random()>>11)/(1<<53))
	}
	until := now.Add(time.Duration(min(d, float64(longest))))
	if r.MaxDuration > 0 && until.After(began.Add(r.MaxDuration)) {
		return time.Time{}, false
	}
	return until, true
}

// push extends a position: kind is i for iterations, r for attempts.
func push(at string, kind byte, n int) string {
	s := string(kind) + strconv.Itoa(n)
	if at == "" {
		return s
	}
	return at + "." + s
}

// attempt is the number of the innermost attempt in a position, from 0.
func attempt(at string) int {
	for at != "" {
		i := strings.LastIndexByte(at, '.')
		if last := at[i+1:]; last[0] == 'r' {
			n, _ := strconv.Atoi(last[1:])
			return n
		}
		at = at[:max(i, 0)]
	}
	return 0
}
