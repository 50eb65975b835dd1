package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aquatope/aquatope/run"
)

// execution is one run under way.
type execution struct {
	engine  *Engine
	plan    *Plan
	trace   trace
	journal *journal // nil for synchronous runs
	input   *data    // $workflow.input
	started time.Time
	// cancelled says that somebody asked to end the run before a restart.
	cancelled bool

	mu         sync.Mutex // guards what follows while branches run
	run        run.Run    // only its Stages change before the end
	retryAfter time.Duration
}

// frame is where in a run a task is. It is passed by value; what a task
// changes for those after it is in branch.
type frame struct {
	ctx    context.Context
	vars   []any  // values of the names in env
	at     string // position in loops and retries, see run.Event
	branch *branch
}

// branch is the state of one line of control.
type branch struct {
	context *data     // $context
	clock   time.Time // logical time
}

// tick moves the logical clock on. It never goes back.
func (b *branch) tick(t time.Time) {
	if t.After(b.clock) {
		b.clock = t
	}
}

// errInterrupted unwinds a run whose context is done. Whoever owns the context
// (a task with a timeout, a fork, the run) says what it means.
var errInterrupted = errors.New("interrupted")

// main runs the whole workflow on its input.
func (x *execution) main(ctx context.Context) (*data, error) {
	ctx, cancel := x.deadline(ctx, x.plan.workflow.Timeout)
	defer cancel()
	f := frame{ctx: ctx, branch: &branch{context: null, clock: x.started}}
	root := &task{}
	out, err := x.body(f, root)
	if errors.Is(err, errInterrupted) && isOwn(ctx) {
		return nil, x.timeout(root, x.plan.workflow.Timeout)
	}
	return out, err
}

func (x *execution) body(f frame, root *task) (*data, error) {
	in, err := x.transform(f, root, x.plan.input, x.input, x.input, nil)
	if err != nil {
		return nil, err
	}
	out, _, err := x.list(f, x.plan.tasks, in)
	if err != nil {
		return nil, err
	}
	return x.transform(f, root, x.plan.output, out, x.input, out)
}

// list runs tasks in order. The flow that it returns is next or end.
func (x *execution) list(f frame, l list, in *data) (*data, flow, error) {
	for i := 0; i < len(l); {
		out, to, err := x.task(f, l[i], in)
		if err != nil {
			return nil, 0, err
		}
		in = out
		switch to {
		case flowNext, flowContinue:
			i++
		case flowExit:
			return in, flowNext, nil
		case flowEnd:
			return in, flowEnd, nil
		default:
			i = int(to)
		}
	}
	return in, flowNext, nil
}

// task runs one task: condition, input, body within its timeout, output,
// export. A task that is skipped passes its input on to the one after it.
func (x *execution) task(f frame, t *task, in *data) (*data, flow, error) {
	if f.ctx.Err() != nil {
		return nil, 0, errInterrupted
	}
	if t.cond != nil {
		v, err := x.eval(f, t, t.cond, in, in, nil)
		if err != nil {
			return nil, 0, err
		}
		if !truth(v) {
			return in, flowNext, nil
		}
	}
	if t.timeout > 0 {
		return x.limited(f, t, in)
	}
	return x.unlimited(f, t, in)
}

// limited runs a task within its timeout. The deadline survives a restart.
func (x *execution) limited(f frame, t *task, in *data) (*data, flow, error) {
	if p := x.journal.failed(f, t); p != nil {
		return nil, 0, p
	}
	started, err := x.journal.start(f, t, t.timeout)
	if err != nil {
		return nil, 0, err
	}
	outer := f.ctx
	ctx, cancel := deadlineAt(outer, started.Add(t.timeout))
	defer cancel()
	f.ctx = ctx
	out, to, err := x.unlimited(f, t, in)
	if errors.Is(err, errInterrupted) && outer.Err() == nil && isOwn(ctx) {
		f.ctx = outer
		return nil, 0, x.journal.fail(f, t, x.timeout(t, t.timeout))
	}
	return out, to, err
}

func (x *execution) unlimited(f frame, t *task, raw *data) (*data, flow, error) {
	in, err := x.transform(f, t, t.input, raw, raw, nil)
	if err != nil {
		return nil, 0, err
	}
	out, to, err := t.do.run(x, f, t, in)
	if err != nil {
		return nil, 0, err
	}
	if out, err = x.transform(f, t, t.output, out, in, out); err != nil {
		return nil, 0, err
	}
	if t.export != nil {
		v, err := x.eval(f, t, t.export, out, in, out)
		if err != nil {
			return nil, 0, err
		}
		f.branch.context = value(v)
	}
	if to == flowNext {
		to = t.then
	}
	return out, to, nil
}

// transform applies an expression that may be absent.
func (x *execution) transform(f frame, t *task, e *expr, d, in, out *data) (*data, error) {
	if e == nil {
		return d, nil
	}
	v, err := x.eval(f, t, e, d, in, out)
	if err != nil {
		return nil, err
	}
	return value(v), nil
}

// timeoutCause marks a context whose own deadline passed.
type timeoutCause struct{ error }

// deadline bounds a context by a duration from the run's start; 0 means none.
func (x *execution) deadline(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if d == 0 {
		return ctx, func() {}
	}
	return deadlineAt(ctx, x.started.Add(d))
}

func deadlineAt(ctx context.Context, t time.Time) (context.Context, context.CancelFunc) {
	return context.WithDeadlineCause(ctx, t, &timeoutCause{errors.New("timeout")})
}

// isOwn says whether ctx ended because of a deadline of the workflow.
func isOwn(ctx context.Context) bool {
	var c *timeoutCause
	return errors.As(context.Cause(ctx), &c)
}

func (x *execution) timeout(t *task, after time.Duration) *run.Problem {
	p := &run.Problem{Type: run.TypeTimeout, Status: 408, Title: "Timeout", Instance: t.path}
	if t.path == "" {
		p.Detail = fmt.Sprintf("the run did not end within %v", after)
	} else {
		p.Detail = fmt.Sprintf("the task did not end within %v", after)
	}
	return p
}
