package manifest

import (
	"time"

	"github.com/aquatope/aquatope/workflow"
)

// definitions are the reusable components of a workflow. They are inlined
// where they are used, so that the vocabulary has no references.
type definitions struct {
	functions map[string]*node
	retries   map[string]*workflow.Retry
	errors    map[string]*workflow.Error
	timeouts  map[string]time.Duration
	open      []string // functions that are being inlined
	cyclic    bool     // one of open was called
}

// definitions reads use. Each component is checked whether used or not.
func (r *workflowReader) definitions(n *node) {
	o := r.object(n, "use")
	if o == nil {
		return
	}
	r.use = definitions{
		functions: map[string]*node{}, retries: map[string]*workflow.Retry{},
		errors: map[string]*workflow.Error{}, timeouts: map[string]time.Duration{},
	}
	each := func(key string, read func(name string, v *node, path string)) {
		v := o.take(key)
		if v == nil || !r.expect(v, o.at(key), kindObject, "") {
			return
		}
		for _, f := range v.fields {
			read(f.key, f.value, join(o.at(key), f.key))
		}
	}
	each("retries", func(name string, v *node, path string) {
		r.use.retries[name] = r.retry(v, path, taskScope.with("$error"))
	})
	each("errors", func(name string, v *node, path string) { r.use.errors[name] = r.problem(v, path, taskScope) })
	each("timeouts", func(name string, v *node, path string) { r.use.timeouts[name] = r.timeout(v, path) })
	each("functions", func(name string, v *node, path string) {
		if r.expect(v, path, kindObject, "") {
			r.use.functions[name] = v
		}
	})
	for name, v := range r.use.functions {
		if builtin[name] != "" || name == "http" {
			r.fail(v.at, join("use.functions", name), "choose another name", "%q is a call of the specification's own", name)
		}
	}
	// Read after all are known, since they may call each other.
	if v := o.n.get("functions"); v != nil && v.kind == kindObject {
		for _, f := range v.fields {
			if f.value.kind == kindObject {
				r.use.open, r.use.cyclic = []string{f.key}, false
				var js jumps
				r.task(f.value, f.key, place{key: join("use.functions", f.key), pointer: "/use/functions/" + escapePointer(f.key)}, &js)
				r.check(js, nil)
			}
		}
	}
	r.use.open, r.use.cyclic = nil, false
	r.bounded(n)
	r.calls, r.tasks = nil, 0 // only those reached from do count
	o.done(map[string]string{
		"authentications": "functions and endpoints authenticate by headers that env or input provide",
		"catalogs":        "deploy the function under a name and call it by that",
		"extensions":      "write the tasks before and after the task they extend",
		"secrets":         "give functions their secrets through env",
	})
}

// timeout reads a timeout or the name of one.
func (r *workflowReader) timeout(n *node, path string) time.Duration {
	if n.kind == kindString {
		d, ok := r.use.timeouts[n.text]
		if !ok {
			r.fail(n.at, path, "define it there, or write {after: PT30S}", "there is no timeout %q in use.timeouts", n.text)
		}
		return d
	}
	o := r.object(n, path)
	if o == nil {
		return 0
	}
	var d time.Duration
	if v := o.need("after", "write {after: PT30S}"); v != nil {
		d = r.positive(v, o.at("after"))
	}
	o.done(nil)
	return d
}

// retryRef reads a retry policy or the name of one.
func (r *workflowReader) retryRef(n *node, path string, vars scope) *workflow.Retry {
	if n.kind == kindString {
		p, ok := r.use.retries[n.text]
		if !ok {
			r.fail(n.at, path, "define it there, or write the policy here", "there is no retry %q in use.retries", n.text)
			return nil
		}
		policy := *p
		return &policy
	}
	return r.retry(n, path, vars)
}

// problemRef reads an error or the name of one.
func (r *workflowReader) problemRef(n *node, path string, vars scope) *workflow.Error {
	if n.kind == kindString {
		p, ok := r.use.errors[n.text]
		if !ok {
			r.fail(n.at, path, "define it there, or write the error here", "there is no error %q in use.errors", n.text)
			return nil
		}
		e := *p
		return &e
	}
	return r.problem(n, path, vars)
}
