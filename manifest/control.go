package manifest

import (
	"strconv"

	"github.com/aquatope/aquatope/workflow"
)

// parallelKey is the key of a for's metadata that says how many iterations may
// run at once; the specification has no word for it.
const parallelKey = "aquatope.dev/parallel"

// maxParallel bounds the iterations of one loop that run at once.
const maxParallel = 1000

// fork reads the value of a fork task.
func (r *workflowReader) fork(n *node, p place) *workflow.Fork {
	f := &workflow.Fork{}
	o := r.object(n, p.key)
	if o == nil {
		return f
	}
	if v := o.need("branches", "list the branches as tasks"); v != nil {
		f.Branches = r.tasksOf(v, p.sub("branches"), false) // a branch cannot go on to another
	}
	if v := o.take("compete"); v != nil {
		f.Compete = r.flag(v, o.at("compete"))
	}
	o.done(nil)
	return f
}

// loop reads a for task, whose keys stand beside for.
func (r *workflowReader) loop(o *object, n *node, t *workflow.Task, p place) {
	f := &workflow.For{Each: "item", At: "index", Parallel: 1}
	t.For = f
	head := r.object(n, o.at("for"))
	if head == nil {
		return
	}
	variable := func(key string, into *string) {
		if v := head.take(key); v != nil {
			*into = r.variable(v, head.at(key))
		}
	}
	variable("each", &f.Each)
	variable("at", &f.At)
	if f.Each == f.At {
		r.fail(n.at, o.at("for"), "name them differently", "each and at are both %q", f.Each)
	}
	if v := head.need("in", "write in: .items"); v != nil {
		if v.kind == kindList {
			r.values(v, head.at("in"), p.scope(taskScope))
			f.In = workflow.Expr(construct(v))
		} else {
			f.In = r.expr(v, head.at("in"), p.scope(taskScope))
		}
	}
	head.done(map[string]string{
		"while": "put while beside for, not into it", "do": "put do beside for, not into it",
	})
	inner := p
	inner.vars = p.vars.with("$"+f.Each, "$"+f.At)
	if v := o.take("while"); v != nil {
		f.While = r.expr(v, o.at("while"), inner.scope(taskScope))
	}
	if v := o.need("do", "list the tasks of one iteration"); v != nil {
		f.Do = r.list(v, inner.sub("do"))
	}
	if m := o.n.get("metadata"); m != nil && m.get(parallelKey) != nil {
		v := m.get(parallelKey)
		f.Parallel = r.whole(v, join(o.at("metadata"), parallelKey), 1, maxParallel)
		if f.While != "" && f.Parallel > 1 {
			r.fail(v.at, join(o.at("metadata"), parallelKey), "drop one of the two", "iterations with a while cannot run at once")
		}
	}
}

// variable reads the name of a variable, without the $.
func (r *reader) variable(n *node, path string) string {
	s := r.str(n, path)
	if n.kind != kindString {
		return s
	}
	for _, known := range exportScope {
		if "$"+s == known {
			r.fail(n.at, path, "choose another name", "$%s belongs to the runtime", s)
		}
	}
	if !variableName.MatchString(s) || len(s) > 64 {
		r.fail(n.at, path, "use letters, digits and underscores, without the $", "%q is not the name of a variable", s)
	}
	return s
}

// cases reads the value of a switch task.
func (r *workflowReader) cases(n *node, p place, js *jumps) []workflow.Case {
	if !r.expect(n, p.key, kindList, "write a list of cases: - name: {when: ..., then: ...}") {
		return nil
	}
	if len(n.list) == 0 {
		r.fail(n.at, p.key, "add a case", "is empty")
	}
	var cases []workflow.Case
	names := map[string]bool{}
	fallback := ""
	for i, item := range n.list {
		path := p.key + "[" + strconv.Itoa(i) + "]"
		f := r.single(item, path, "case")
		if f == nil {
			continue
		}
		path = join(path, f.key)
		if names[f.key] {
			r.fail(f.at, path, "names must be unique within a switch", "another case is called %q", f.key)
		}
		names[f.key] = true
		c := workflow.Case{Name: f.key}
		o := r.object(f.value, path)
		if o == nil {
			continue
		}
		if v := o.take("when"); v != nil {
			c.When = r.expr(v, o.at("when"), p.scope(taskScope))
		} else if fallback != "" {
			r.fail(f.at, path, "give it a when", "%q is the default already, having no when", fallback)
		} else {
			fallback = f.key
		}
		if v := o.need("then", "say where control goes: a later task of this list, continue, exit or end"); v != nil {
			c.Then = r.str(v, o.at("then"))
			js.add(v, o.at("then"))
		}
		o.done(map[string]string{"do": "put the tasks into the list around the switch and name the first in then"})
		cases = append(cases, c)
	}
	return cases
}

// set reads the value of a set task.
func (r *reader) set(n *node, p place) workflow.Value {
	switch {
	case n.kind == kindObject && len(n.fields) > 0:
	case n.kind == kindString && isWholeExpression(n.text):
	default:
		r.fail(n.at, p.key, "write the keys to set, or one ${ expression }", "must be an object with keys or an expression")
		return map[string]any{}
	}
	return r.value(n, p.key, p.scope(taskScope))
}
