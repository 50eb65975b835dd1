package engine_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/itchyny/gojq"

	"github.com/aquatope/aquatope/run"
	"github.com/aquatope/aquatope/workflow"
)

// naive runs workflows in the most obvious way: one thing after another, on
// decoded values, parsing every expression where it stands. It knows the
// functions of pure and what randomWorkflow makes.
type naive struct {
	vars    map[string]any
	context *any
}

var errEnd = errors.New("end")

func naiveRun(wf workflow.Workflow, in any) (any, error) {
	var context any
	n := naive{vars: map[string]any{}, context: &context}
	in, err := n.expr(wf.Input, in, in, nil)
	if err != nil {
		return nil, err
	}
	out, err := n.list(wf.Do, in)
	if err != nil && !errors.Is(err, errEnd) {
		return nil, err
	}
	return n.expr(wf.Output, out, in, out)
}

func (n naive) expr(e workflow.Expr, dot, in, out any) (any, error) {
	if e == "" {
		return dot, nil
	}
	q, err := gojq.Parse(string(e))
	if err != nil {
		return nil, err
	}
	names, values := []string{"$context", "$input", "$output"}, []any{*n.context, in, out}
	for k, v := range n.vars {
		names, values = append(names, "$"+k), append(values, v)
	}
	c, err := gojq.Compile(q, gojq.WithVariables(names))
	if err != nil {
		return nil, err
	}
	v, _ := c.Run(dot, values...).Next()
	if err, ok := v.(error); ok {
		return nil, err
	}
	return v, nil
}

func (n naive) fill(v, in any) (any, error) {
	switch v := v.(type) {
	case string:
		if strings.HasPrefix(v, "${") {
			return n.expr(workflow.Expr(v[2:len(v)-1]), in, in, nil)
		}
	case map[string]any:
		m := map[string]any{}
		for k, e := range v {
			x, err := n.fill(e, in)
			if err != nil {
				return nil, err
			}
			m[k] = x
		}
		return m, nil
	}
	return v, nil
}

// list returns errEnd with the output when the run is to end.
func (n naive) list(l []workflow.Task, in any) (any, error) {
	for i := 0; i < len(l); {
		t := l[i]
		if t.If != "" {
			v, err := n.expr(t.If, in, in, nil)
			if err != nil {
				return nil, err
			}
			if v == nil || v == false {
				i++
				continue
			}
		}
		x, err := n.expr(t.Input, in, in, nil)
		if err != nil {
			return nil, err
		}
		out, then, err := n.body(t, x)
		ended := errors.Is(err, errEnd)
		if err != nil && !ended {
			return nil, err
		}
		if in, err = n.expr(t.Output, out, x, out); err != nil {
			return nil, err
		}
		if t.Export != "" {
			if *n.context, err = n.expr(t.Export, in, x, in); err != nil {
				return nil, err
			}
		}
		if ended {
			return in, errEnd
		}
		if then == "" {
			then = t.Then
		}
		switch then {
		case "", "continue":
			i++
		case "exit":
			return in, nil
		case "end":
			return in, errEnd
		default:
			for l[i].Name != then {
				i++
			}
		}
	}
	return in, nil
}

func (n naive) body(t workflow.Task, in any) (out any, then string, err error) {
	switch {
	case t.Call != nil:
		payload := in
		if t.Call.With != nil {
			if payload, err = n.fill(t.Call.With, in); err != nil {
				return nil, "", err
			}
		}
		b, err := gojq.Marshal(payload)
		if err != nil {
			return nil, "", err
		}
		status, answer := pure(t.Call.Function, attemptOf(n.vars), b)
		if status >= 400 {
			return nil, "", &run.Problem{Status: status, Instance: t.Path}
		}
		return mustParse(answer), "", nil
	case t.Fork != nil:
		outs := make([]any, len(t.Fork.Branches))
		base := *n.context
		merged := base
		for i, b := range t.Fork.Branches {
			ctx := base
			if outs[i], err = (naive{n.vars, &ctx}).list([]workflow.Task{b}, in); err != nil {
				return nil, "", err
			}
			merged = mergeNaive(base, merged, ctx)
		}
		*n.context = merged
		return outs, "", nil
	case t.For != nil:
		items, err := n.expr(t.For.In, in, in, nil)
		if err != nil {
			return nil, "", err
		}
		var outs []any
		base := *n.context
		merged := base
		for i, item := range items.([]any) {
			m := naive{maps.Clone(n.vars), n.context}
			m.vars[t.For.Each], m.vars[t.For.At] = item, i
			ctx := base
			if t.For.Parallel > 1 {
				m.context = &ctx
			}
			out, err := m.list(t.For.Do, in)
			if err != nil {
				return out, "", err
			}
			if t.For.Parallel > 1 {
				outs = append(outs, out)
				merged = mergeNaive(base, merged, ctx)
			} else {
				in = out
			}
		}
		if t.For.Parallel > 1 {
			*n.context = merged
			return append([]any{}, outs...), "", nil
		}
		return in, "", nil
	case t.Switch != nil:
		for _, c := range t.Switch {
			v := any(true)
			if c.When != "" {
				if v, err = n.expr(c.When, in, in, nil); err != nil {
					return nil, "", err
				}
			}
			if v != nil && v != false {
				then = c.Then
				if then == "" {
					then = "continue"
				}
				return in, then, nil
			}
		}
		return in, "", nil
	case t.Try != nil:
		before := *n.context
		for a := 0; ; a++ {
			m := naive{maps.Clone(n.vars), n.context}
			m.vars[attemptVariable] = a
			out, err := m.list(t.Try.Do, in)
			var p *run.Problem
			if !errors.As(err, &p) || t.Try.Catch.Match.Status != 0 && t.Try.Catch.Match.Status != p.Status {
				return out, "", err
			}
			if r := t.Try.Catch.Retry; r != nil && a < r.MaxAttempts {
				*n.context = before
				continue
			}
			if t.Try.Catch.Retry != nil && t.Try.Catch.Do == nil {
				return nil, "", p
			}
			m = naive{maps.Clone(n.vars), n.context}
			m.vars["error"] = map[string]any{"status": p.Status, "instance": p.Instance}
			out, err = m.list(t.Try.Catch.Do, in)
			return out, "", err
		}
	case t.Raise != nil:
		return nil, "", &run.Problem{Status: t.Raise.Status, Instance: t.Path}
	case t.Wait > 0:
		return in, "", nil
	case t.Do != nil:
		out, err = n.list(t.Do, in)
		return out, "", err
	}
	out, err = n.fill(t.Set, in)
	return out, "", err
}

// attemptVariable is where naive keeps the number of the innermost attempt.
const attemptVariable = "__attempt"

func attemptOf(vars map[string]any) int {
	a, _ := vars[attemptVariable].(int)
	return a
}

func mergeNaive(base, ours, theirs any) any {
	b, _ := gojq.Marshal(base)
	if t, _ := gojq.Marshal(theirs); string(t) == string(b) {
		return ours
	}
	bm, _ := base.(map[string]any)
	om, ok := ours.(map[string]any)
	tm, ok2 := theirs.(map[string]any)
	if !ok || !ok2 {
		return theirs
	}
	out := maps.Clone(om)
	for k, v := range tm {
		if old, had := bm[k]; !had || fmt.Sprint(old) != fmt.Sprint(v) {
			out[k] = v
		}
	}
	return out
}

// pure is what the functions of random workflows answer: it depends on nothing
// but the request.
func pure(fn string, attempt int, body []byte) (status int, answer []byte) {
	v := mustParse(body)
	switch fn {
	case "flaky": // fails twice
		if attempt < 2 {
			return 503, []byte(`"again"`)
		}
	case "bad":
		return 418, []byte(`"no"`)
	}
	b, err := json.Marshal(map[string]any{"by": fn, "of": v})
	if err != nil {
		panic(err)
	}
	return 200, b
}

func mustParse(b []byte) any {
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		panic(fmt.Sprintf("%s: %v", b, err))
	}
	return v
}

func marshal(v any) ([]byte, error) { return gojq.Marshal(v) }
