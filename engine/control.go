package engine

import (
	"fmt"
	"time"

	"github.com/aquatope/aquatope/run"
	"github.com/aquatope/aquatope/workflow"
)

// block is the task do.
type block struct{ tasks list }

func (b block) run(x *execution, f frame, _ *task, in *data) (*data, flow, error) {
	return x.list(f, b.tasks, in)
}

// assignment is the task set.
type assignment struct{ value *template }

func (a assignment) run(x *execution, f frame, t *task, in *data) (*data, flow, error) {
	v, err := x.fill(f, t, a.value, in)
	if err != nil {
		return nil, 0, err
	}
	return value(v), flowNext, nil
}

// choice is the task switch. It passes its input on.
type choice []option

type option struct {
	when *expr // nil for the default
	then flow
}

func (c compiler) choice(i int, cases []workflow.Case) (body, error) {
	var (
		out      choice
		fallback *option
	)
	for _, cs := range cases {
		to, err := c.target(i, cs.Then)
		if err != nil {
			return nil, fmt.Errorf("switch: %s: then: %w", cs.Name, err)
		}
		if to == flowNext {
			to = flowContinue
		}
		if cs.When == "" {
			fallback = &option{then: to}
			continue
		}
		when, err := compile(string(cs.When), c.names)
		if err != nil {
			return nil, fmt.Errorf("switch: %s: when: %w", cs.Name, err)
		}
		if when == nil {
			when = identity
		}
		out = append(out, option{when, to})
	}
	if fallback != nil { // wherever it stands, the default comes last
		out = append(out, *fallback)
	}
	return out, nil
}

func (c choice) run(x *execution, f frame, t *task, in *data) (*data, flow, error) {
	for _, o := range c {
		if o.when != nil {
			v, err := x.eval(f, t, o.when, in, in, nil)
			if err != nil {
				return nil, 0, err
			}
			if !truth(v) {
				continue
			}
		}
		return in, o.then, nil
	}
	return in, flowNext, nil
}

// waiting is the task wait.
type waiting time.Duration

func (w waiting) run(x *execution, f frame, t *task, in *data) (*data, flow, error) {
	until := wallClock().Add(time.Duration(w))
	if j := x.journal; j != nil {
		if r := j.recall(f, t); r.wait != nil {
			until = r.wait.Until
		} else if err := j.append(run.Event{Kind: run.WaitStarted, Task: t.path, At: f.at, Until: until}); err != nil {
			return nil, 0, err
		}
	}
	if err := x.sleep(f, until); err != nil {
		return nil, 0, err
	}
	return in, flowNext, nil
}

// sleep waits until a moment, which becomes the branch's logical time.
func (x *execution) sleep(f frame, until time.Time) error {
	var err error
	if x.journal != nil {
		err = x.engine.sleep(f.ctx, until)
	} else {
		err = pause(f.ctx, nil, until)
	}
	f.branch.tick(until)
	return err
}

// raising is the task raise.
type raising struct {
	status                        int
	kind, title, detail, instance segments
}

func compileRaise(e *workflow.Error, names env) (body, error) {
	r := &raising{status: e.Status}
	for _, p := range []struct {
		to  *segments
		src string
	}{{&r.kind, e.Type}, {&r.title, e.Title}, {&r.detail, e.Detail}, {&r.instance, e.Instance}} {
		s, err := compileText(p.src, names)
		if err != nil {
			return nil, fmt.Errorf("raise: %w", err)
		}
		*p.to = s
	}
	return r, nil
}

func (r *raising) run(x *execution, f frame, t *task, in *data) (*data, flow, error) {
	p := &run.Problem{Status: r.status}
	for _, s := range []struct {
		to  *string
		src segments
	}{{&p.Type, r.kind}, {&p.Title, r.title}, {&p.Detail, r.detail}, {&p.Instance, r.instance}} {
		v, err := x.fillText(f, t, s.src, in)
		if err != nil {
			return nil, 0, err
		}
		*s.to = v
	}
	if p.Instance == "" {
		p.Instance = t.path
	}
	return nil, 0, p
}
