package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/itchyny/gojq"

	"github.com/aquatope/aquatope/run"
)

// eval evaluates an expression of a task on d. in and out are $input and
// $output. A failure is a problem of type expression.
func (x *execution) eval(f frame, t *task, e *expr, d, in, out *data) (any, error) {
	v, err := d.json()
	if err != nil {
		return nil, badExpression(t, fmt.Errorf("the value that it is applied to is %w", err))
	}
	vars := make([]any, 0, len(e.runtime)+len(e.scoped))
	for _, i := range e.runtime {
		v, err := x.variable(runtimeVariables[i], f, t, in, out)
		if err != nil {
			return nil, badExpression(t, fmt.Errorf("%s is %w", runtimeVariables[i], err))
		}
		vars = append(vars, v)
	}
	for _, i := range e.scoped {
		vars = append(vars, f.vars[i])
	}
	ctx, cancel := context.WithTimeout(f.ctx, x.engine.evalTimeout)
	defer cancel()
	v, err = e.run(ctx, v, vars)
	switch {
	case err == nil:
		return v, nil
	case f.ctx.Err() != nil:
		return nil, errInterrupted
	case ctx.Err() != nil:
		err = fmt.Errorf("it did not end within %v", x.engine.evalTimeout)
	}
	return nil, badExpression(t, err)
}

// evaluator binds everything but the expression.
func (x *execution) evaluator(f frame, t *task, in *data) func(*expr) (any, error) {
	return func(e *expr) (any, error) { return x.eval(f, t, e, in, in, nil) }
}

// fill builds the value of a template on a task's input.
func (x *execution) fill(f frame, t *task, tpl *template, in *data) (any, error) {
	if tpl.constantOnly() {
		return tpl.constant, nil
	}
	v, err := in.json()
	if err != nil {
		return nil, badExpression(t, fmt.Errorf("the task's input is %w", err))
	}
	return tpl.eval(v, x.evaluator(f, t, in))
}

// fillText builds a text on a task's input.
func (x *execution) fillText(f frame, t *task, s segments, in *data) (string, error) {
	if s.constantOnly() {
		return s[0].text, nil
	}
	v, err := in.json()
	if err != nil {
		return "", badExpression(t, fmt.Errorf("the task's input is %w", err))
	}
	return s.eval(v, x.evaluator(f, t, in))
}

// variable returns the value of a variable of the runtime.
func (x *execution) variable(name string, f frame, t *task, in, out *data) (any, error) {
	switch name {
	case "$context":
		return f.branch.context.json()
	case "$input":
		return in.json()
	case "$output":
		return optional(out)
	case "$runtime":
		return map[string]any{"name": "aquatope", "version": x.engine.version, "metadata": map[string]any{}}, nil
	case "$workflow":
		in, err := x.input.json()
		wf := &x.plan.workflow
		return map[string]any{
			"id":    x.run.ID,
			"input": in,
			"definition": map[string]any{"document": map[string]any{
				"dsl": "1.0.0", "namespace": wf.Namespace, "name": wf.Name, "version": wf.Version,
				"title": wf.Title, "summary": wf.Summary,
			}},
			"startedAt": moment(x.started),
		}, err
	case "$task":
		v, err := in.json()
		if err != nil {
			return nil, err
		}
		o, err := optional(out)
		return map[string]any{
			"name": t.name, "reference": t.path, "input": v, "output": o,
			"startedAt": moment(f.branch.clock),
		}, err
	case clockVariable:
		return float64(f.branch.clock.UnixNano()) / 1e9, nil
	}
	panic("BUG: no variable " + name)
}

func optional(d *data) (any, error) {
	if d == nil {
		return nil, nil
	}
	return d.json()
}

// moment is the specification's date-time descriptor.
func moment(t time.Time) map[string]any {
	return map[string]any{
		"iso8601": t.UTC().Format(time.RFC3339Nano),
		"epoch":   map[string]any{"seconds": int(t.Unix()), "milliseconds": int(t.UnixMilli())},
	}
}

// text writes a value into a text: strings as they are, all else as JSON.
func text(v any) (string, error) {
	if s, ok := v.(string); ok {
		return s, nil
	}
	b, err := gojq.Marshal(v)
	return string(b), err
}

func badExpression(t *task, err error) *run.Problem {
	return &run.Problem{
		Type: run.TypeExpression, Status: 400, Title: "Expression failed",
		Detail: err.Error(), Instance: t.path,
	}
}
