package engine

import (
	"fmt"
	"slices"

	"github.com/itchyny/gojq"

	"github.com/aquatope/aquatope/run"
	"github.com/aquatope/aquatope/workflow"
)

// loop is the task for. One iteration at a time, each gets the output of the
// one before and the last one's is the task's. Several at once, each gets the
// task's input and the output is the array of theirs.
type loop struct {
	in    *expr
	while *expr
	tasks list
	width int
}

func compileLoop(l *workflow.For, names env) (body, error) {
	each, at := l.Each, l.At
	if each == "" {
		each = "item"
	}
	if at == "" {
		at = "index"
	}
	inner := append(slices.Clone(names), "$"+each, "$"+at)
	c := &loop{width: max(l.Parallel, 1)}
	var err error
	if c.in, err = compile(string(l.In), names); err != nil {
		return nil, fmt.Errorf("for.in: %w", err)
	}
	if c.while, err = compile(string(l.While), inner); err != nil {
		return nil, fmt.Errorf("while: %w", err)
	}
	if l.While != "" && c.while == nil {
		c.while = identity
	}
	c.tasks, err = compileList(l.Do, inner)
	return c, err
}

func (l *loop) run(x *execution, f frame, t *task, in *data) (*data, flow, error) {
	items, err := l.items(x, f, t, in)
	if err != nil {
		return nil, 0, err
	}
	if l.width > 1 {
		n, err := l.length(x, f, t, in, items)
		if err != nil {
			return nil, 0, err
		}
		g := group{n: n, width: l.width, work: func(f frame, i int) (*data, flow, error) {
			return x.list(iteration(f, items[i], i), l.tasks, in)
		}}
		return g.run(x, f, t)
	}
	for i, item := range items {
		g := iteration(f, item, i)
		if f.ctx.Err() != nil {
			return nil, 0, errInterrupted
		}
		if ok, err := l.goesOn(x, g, t, in); err != nil || !ok {
			return in, flowNext, err
		}
		out, to, err := x.list(g, l.tasks, in)
		if err != nil || to == flowEnd {
			return out, to, err
		}
		in = out
	}
	return in, flowNext, nil
}

// length is how many iterations run at once: those before while first fails.
func (l *loop) length(x *execution, f frame, t *task, in *data, items []any) (int, error) {
	for i, item := range items {
		if ok, err := l.goesOn(x, iteration(f, item, i), t, in); err != nil || !ok {
			return i, err
		}
	}
	return len(items), nil
}

func (l *loop) goesOn(x *execution, f frame, t *task, in *data) (bool, error) {
	if l.while == nil {
		return true, nil
	}
	v, err := x.eval(f, t, l.while, in, in, nil)
	return truth(v), err
}

func (l *loop) items(x *execution, f frame, t *task, in *data) ([]any, error) {
	var (
		v   any
		err error
	)
	if l.in == nil {
		v, err = in.json()
		if err != nil {
			err = badExpression(t, fmt.Errorf("the task's input is %w", err))
		}
	} else {
		v, err = x.eval(f, t, l.in, in, in, nil)
	}
	if err != nil {
		return nil, err
	}
	items, ok := v.([]any)
	if !ok {
		return nil, &run.Problem{
			Type: run.TypeExpression, Status: 400, Title: "Not an array",
			Detail: fmt.Sprintf("for.in must give an array, not %s", gojq.TypeOf(v)), Instance: t.path,
		}
	}
	return items, nil
}

// iteration is the frame of one iteration.
func iteration(f frame, item any, i int) frame {
	f.at = push(f.at, 'i', i)
	f.vars = append(slices.Clone(f.vars), item, i)
	return f
}
