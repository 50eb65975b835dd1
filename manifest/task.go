package manifest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/aquatope/aquatope/workflow"
)

// maxTasks bounds the tasks of one workflow, inlined functions expanded.
const maxTasks = 5000

// place is where in a workflow a task stands.
type place struct {
	key     string // for messages: do[0].resize
	pointer string // Task.Path
	vars    scope  // of the loops and catches around it
}

// child returns the place of a named task in a list at p.
func (p place) child(i int, name string) place {
	p.key = join(p.key+"["+strconv.Itoa(i)+"]", name)
	p.pointer += "/" + strconv.Itoa(i) + "/" + escapePointer(name)
	return p
}

// sub returns the place of a key of the task at p.
func (p place) sub(keys ...string) place {
	for _, k := range keys {
		p.key = join(p.key, k)
		p.pointer += "/" + k
	}
	return p
}

// scope returns base with the variables of p.
func (p place) scope(base scope) scope { return base.with(p.vars...) }

// escapePointer escapes one token of a JSON pointer (RFC 6901).
func escapePointer(s string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(s)
}

// directives are the values of then that are not names of tasks.
var directives = []string{"continue", "exit", "end"}

// jump is a then: its place, to be checked once all names of a list are known.
type jump struct {
	from int
	n    *node
	key  string
}

// jumps are those of one list.
type jumps struct {
	from int
	list []jump
}

func (j *jumps) add(n *node, key string) {
	if j != nil && n.kind == kindString {
		j.list = append(j.list, jump{j.from, n, key})
	}
}

// list reads a list of tasks that follow one another.
func (r *workflowReader) list(n *node, p place) []workflow.Task {
	return r.tasksOf(n, p, true)
}

// tasksOf reads a list of tasks, which may jump to later ones if they follow
// one another.
func (r *workflowReader) tasksOf(n *node, p place, follow bool) []workflow.Task {
	if !r.expect(n, p.key, kindList, "write a list of tasks: - name: {...}") {
		return nil
	}
	if len(n.list) == 0 {
		r.fail(n.at, p.key, "add a task", "is empty")
		return nil
	}
	var tasks []workflow.Task
	var js jumps
	index := map[string]int{}
	for i, item := range n.list {
		f := r.single(item, fmt.Sprintf("%s[%d]", p.key, i), "task")
		if f == nil {
			continue
		}
		child := p.child(i, f.key)
		if wrong := checkTaskName(f.key); wrong != "" {
			r.fail(f.at, child.key, "choose another name", "%s", wrong)
		}
		if first, ok := index[f.key]; ok {
			r.fail(f.at, child.key, "names must be unique within a list", "task %d is called %q as well", first, f.key)
		}
		index[f.key] = i
		js.from = i
		tasks = append(tasks, r.task(f.value, f.key, child, &js))
	}
	if !follow {
		index = nil
	}
	r.check(js, index)
	return tasks
}

// check reports jumps to nowhere and backwards.
func (r *reader) check(js jumps, index map[string]int) {
	names := make([]string, 0, len(index))
	for name := range index {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, j := range js.list {
		target := j.n.text
		if slices.Contains(directives, target) {
			continue
		}
		to, ok := index[target]
		switch {
		case index == nil:
			r.fail(j.n.at, j.key, "write continue, exit or end", "no task follows here, so that there is no %q to go to", target)
		case !ok:
			hint := "write continue, exit, end or the name of a later task of the same list"
			if near := nearest(target, append(names, directives...)); near != "" {
				hint = "did you mean " + near + "?"
			}
			r.fail(j.n.at, j.key, hint, "there is no task %q in this list", target)
		case to <= j.from:
			r.fail(j.n.at, j.key, "jump forward only; to repeat tasks use for, to retry them try with retry", "task %q comes before, which makes a cycle", target)
		}
	}
}

// checkTaskName says what is wrong with the name of a task, or "".
func checkTaskName(name string) string {
	switch {
	case slices.Contains(directives, name):
		return fmt.Sprintf("%q is a flow directive, not a name", name)
	case strings.TrimSpace(name) != name || name == "":
		return fmt.Sprintf("the name %q is empty or has blanks around it", name)
	case len(name) > 128:
		return "the name is longer than 128 bytes"
	case strings.ContainsFunc(name, unicode.IsControl):
		return fmt.Sprintf("the name %q has control characters", name)
	}
	return ""
}

// single returns the only field of an item of a list.
func (r *reader) single(n *node, path, what string) *field {
	hint := "write - name: {...}"
	if !r.expect(n, path, kindObject, hint) {
		return nil
	}
	if len(n.fields) != 1 {
		r.fail(n.at, path, hint+" and indent the "+what+"'s keys below its name", "a %s is an object with one key, its name, not %d keys", what, len(n.fields))
		return nil
	}
	return &n.fields[0]
}

// kinds are the keys that say what a task does, in the order of precedence:
// a for has a do as well.
var kinds = []string{"call", "fork", "for", "switch", "set", "try", "raise", "wait", "do"}

// others are the tasks of the specification that are refused.
var others = map[string]string{
	"emit":   "call a function that publishes the event",
	"listen": "let what receives the event start a run",
	"run":    "wrap the process in a function and call it",
}

// task reads one task. Its jumps go into js, which is nil where there is no
// list around it to jump in.
func (r *workflowReader) task(n *node, name string, p place, js *jumps) workflow.Task {
	t := workflow.Task{Name: name, Path: p.pointer}
	if r.tasks++; r.tasks > maxTasks {
		return t // see bounded
	}
	o := r.object(n, p.key)
	if o == nil {
		return t
	}
	r.common(o, &t, p, js)
	what := ""
	for _, k := range kinds {
		if n.get(k) != nil && (what == "" || k != "do" || what != "for") {
			if what != "" {
				r.fail(n.at, p.key, "make two tasks of it", "the task has both %s and %s", what, k)
				return t
			}
			what = k
		}
	}
	v := o.n.get(what)
	if what != "" && v.kind != kindNull {
		o.take(what)
	}
	switch {
	case what == "":
		refused := false
		for k := range others {
			refused = refused || n.get(k) != nil
		}
		misspelt := slices.ContainsFunc(n.fields, func(f field) bool {
			return !slices.Contains(o.known, f.key) && nearest(f.key, kinds) != ""
		})
		if !refused {
			o.known = append(o.known, kinds...)
		}
		if !refused && !misspelt { // else done says it better
			r.fail(n.at, p.key, "add "+orList(kinds), "the task does nothing")
		}
	case v.kind == kindNull:
		o.known = append(o.known, what) // done reports it
	case what == "call":
		r.call(o, v, &t, p)
	case what == "fork":
		t.Fork = r.fork(v, p.sub("fork"))
	case what == "for":
		r.loop(o, v, &t, p)
	case what == "switch":
		t.Switch = r.cases(v, p.sub("switch"), js)
	case what == "set":
		t.Set = r.set(v, p.sub("set"))
	case what == "try":
		t.Try = r.try(o, v, p, js)
	case what == "raise":
		t.Raise = r.raise(v, p)
	case what == "wait":
		t.Wait = r.positive(v, o.at("wait"))
	case what == "do":
		t.Do = r.list(v, p.sub("do"))
	}
	o.done(others)
	return t
}

// bounded reports a workflow of too many tasks, at n.
func (r *workflowReader) bounded(n *node) {
	if r.tasks > maxTasks {
		r.fail(n.at, "", "split the workflow", "the workflow has more than %d tasks, functions of use inlined", maxTasks)
	}
}

// common reads the keys that every task may have.
func (r *workflowReader) common(o *object, t *workflow.Task, p place, js *jumps) {
	if v := o.take("if"); v != nil {
		t.If = r.expr(v, o.at("if"), p.scope(beforeScope))
	}
	if v := o.take("input"); v != nil {
		t.Input = r.from(v, o.at("input"), p.scope(beforeScope))
	}
	if v := o.take("output"); v != nil {
		t.Output = r.as(v, o.at("output"), p.scope(taskScope))
	}
	if v := o.take("export"); v != nil {
		t.Export = r.as(v, o.at("export"), p.scope(exportScope))
	}
	if v := o.take("timeout"); v != nil {
		t.Timeout = r.timeout(v, o.at("timeout"))
	}
	if v := o.take("then"); v != nil {
		t.Then = r.str(v, o.at("then"))
		js.add(v, o.at("then"))
	}
	if v := o.take("metadata"); v != nil && r.expect(v, o.at("metadata"), kindObject, "") {
		for _, f := range v.fields {
			if strings.HasPrefix(f.key, "aquatope.dev/") && (f.key != parallelKey || o.n.get("for") == nil) {
				r.fail(f.at, join(o.at("metadata"), f.key), "known is "+parallelKey+", on a for", "unknown key %s", f.key)
			}
		}
	}
}
