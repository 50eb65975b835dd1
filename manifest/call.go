package manifest

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/workflow"
)

// builtin are the calls of the specification that are refused, with the reason.
var builtin = map[string]string{
	"asyncapi": "call a function that publishes the message",
	"grpc":     "call a function that makes the request",
	"openapi":  "write the request as call: http",
	"a2a":      "call a function that talks to the agent",
	"mcp":      "call a function that talks to the server",
}

// call reads a call task.
func (r *workflowReader) call(o *object, n *node, t *workflow.Task, p place) {
	name := r.str(n, o.at("call"))
	with := o.take("with")
	switch {
	case n.kind != kindString:
	case name == "http":
		t.Call = &workflow.Call{}
		if with == nil {
			r.fail(o.n.at, p.key, "write with: {method: get, endpoint: https://...}", "with is missing")
			return
		}
		t.Call.HTTP = r.http(with, p)
	case builtin[name] != "":
		r.fail(n.at, o.at("call"), builtin[name], "call: %s is not supported", name)
	case r.use.functions[name] != nil:
		r.inline(name, n, with, t, p)
	case strings.ContainsAny(name, "@:/"):
		r.fail(n.at, o.at("call"), "deploy the function under a name and call it by that", "functions of catalogs are not supported")
	default:
		t.Call = &workflow.Call{Function: name, With: r.arguments(with, p)}
		if err := function.CheckName(name); err != nil {
			hint := "a function is one under use.functions or a deployed one"
			if near := nearest(name, r.callable()); near != "" {
				hint = "did you mean " + near + "?"
			}
			r.fail(n.at, o.at("call"), hint, "%v", err)
		}
		at := Error{File: r.file, Line: n.at.line, Column: n.at.column, Key: o.at("call")}
		r.calls = append(r.calls, call{name, nearest(name, r.callable()), at})
	}
}

// callable returns the names of the functions under use, sorted.
func (r *workflowReader) callable() []string {
	names := []string{"http"}
	for name := range r.use.functions {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// arguments reads the with of a call of a function.
func (r *reader) arguments(n *node, p place) workflow.Value {
	if n == nil {
		return nil
	}
	path := join(p.key, "with")
	if !r.expect(n, path, kindObject, "to pass a whole value, leave out with and write input: {from: ...}") {
		return nil
	}
	return r.value(n, path, p.scope(taskScope))
}

// inline puts a function of use.functions in the place of its call: the task
// itself where it only calls another function, else a do that sets the
// arguments and goes on with the task.
func (r *workflowReader) inline(name string, at, with *node, t *workflow.Task, p place) {
	if slices.Contains(r.use.open, name) {
		r.use.cyclic = true
		r.fail(at.at, join(p.key, "call"), "use for to repeat tasks", "function %q calls itself", name)
		t.Do = []workflow.Task{}
		return
	}
	if len(r.use.open) == 0 {
		r.use.cyclic = false
	}
	r.use.open = append(r.use.open, name)
	defer func() { r.use.open = r.use.open[:len(r.use.open)-1] }()
	definition := r.use.functions[name]
	read := func(pointer string) workflow.Task {
		// What is wrong with the definition has been reported where it stands.
		errs := r.errs
		defer func() { r.errs = errs }()
		return r.task(definition, name, place{key: p.key, pointer: pointer}, nil)
	}
	defer func() {
		if r.use.cyclic && len(r.use.open) > 1 { // else it has been reported at the definition
			r.fail(at.at, join(p.key, "call"), "use for to repeat tasks", "function %q calls itself, by way of others", name)
		}
	}()
	if with == nil && onlyCalls(definition) {
		same := read(p.pointer)
		t.Call, t.Do = same.Call, same.Do
		return
	}
	inner := p.sub("do")
	if with != nil {
		first := "arguments"
		if name == first {
			first = "with"
		}
		value := r.arguments(with, p)
		if len(with.fields) == 0 {
			value = "${ {} }"
		}
		t.Do = append(t.Do, workflow.Task{Name: first, Path: inner.child(0, first).pointer, Set: value})
	}
	t.Do = append(t.Do, read(inner.child(len(t.Do), name).pointer))
}

// onlyCalls reports whether a task does nothing but one call of a function.
func onlyCalls(n *node) bool {
	for _, f := range n.fields {
		if f.key != "call" && f.key != "with" {
			return false
		}
	}
	return true
}

var (
	method = regexp.MustCompile(`^[A-Za-z]{1,16}$`)
	header = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")
)

// http reads the arguments of call: http.
func (r *reader) http(n *node, p place) *workflow.HTTPCall {
	h := &workflow.HTTPCall{Output: "content"}
	o := r.object(n, p.sub("with").key)
	if o == nil {
		return h
	}
	vars := p.scope(taskScope)
	if v := o.need("method", "write method: get"); v != nil {
		h.Method = strings.ToUpper(r.str(v, o.at("method")))
		if v.kind == kindString && !method.MatchString(h.Method) {
			r.fail(v.at, o.at("method"), "write get, post or the like", "%q is not an HTTP method", v.text)
		}
	}
	if v := o.need("endpoint", "write endpoint: https://..."); v != nil {
		h.Endpoint = r.endpoint(v, o.at("endpoint"), vars)
	}
	if v := o.take("headers"); v != nil {
		h.Headers = r.texts(v, o.at("headers"), vars)
		for name := range h.Headers {
			if !header.MatchString(name) {
				r.fail(v.at, o.at("headers"), "", "%q is not the name of a header", name)
			}
		}
	}
	if v := o.take("query"); v != nil {
		h.Query = r.texts(v, o.at("query"), vars)
	}
	if v := o.take("body"); v != nil {
		h.Body = r.value(v, o.at("body"), vars)
	}
	if v := o.take("output"); v != nil {
		h.Output = r.oneOf(v, o.at("output"), "content", "raw", "response")
	}
	if v := o.take("redirect"); v != nil {
		h.Redirect = r.flag(v, o.at("redirect"))
	}
	o.done(map[string]string{"authentication": "send an Authorization header"})
	return h
}

// texts reads an object of strings, each of which may be an expression.
func (r *reader) texts(n *node, path string, vars scope) map[string]string {
	if !r.expect(n, path, kindObject, "write the keys out; each value may be a ${ expression }") {
		return nil
	}
	m := r.stringMap(n, path)
	for _, f := range n.fields {
		if f.value.kind == kindString {
			r.text(f.value, join(path, f.key), vars)
		}
	}
	return m
}

var templateVariable = regexp.MustCompile(`\{([^{}]*)\}`)

// endpoint reads the URI of a call: literal, an expression, or a template with
// {variables} of the input, which becomes the expression that fills it in.
func (r *reader) endpoint(n *node, path string, vars scope) string {
	if n.kind == kindObject {
		o := r.object(n, path)
		v := o.need("uri", "write the endpoint as a string")
		o.done(map[string]string{"authentication": "send an Authorization header"})
		if v == nil {
			return ""
		}
		n, path = v, o.at("uri")
	}
	s := strings.TrimSpace(r.str(n, path))
	switch {
	case n.kind != kindString:
		return ""
	case isWholeExpression(s):
		r.text(n, path, vars)
		return s
	case strings.Contains(s, "${"):
		r.text(n, path, vars)
		return s
	}
	sample := templateVariable.ReplaceAllString(s, "x")
	if u, err := url.Parse(sample); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		r.fail(n.at, path, "write https://host/path, with {name} for values of the input", "%q is not the address of an HTTP endpoint", s)
		return s
	}
	if sample == s {
		return s
	}
	var b strings.Builder
	b.WriteString("${ ")
	rest := s
	for i, m := range templateVariable.FindAllStringSubmatchIndex(s, -1) {
		name := s[m[2]:m[3]]
		if !variableName.MatchString(name) {
			r.fail(n.at, path, "write the URI as an expression", "template variable {%s} is not a plain name", name)
			return s
		}
		if i > 0 {
			b.WriteString(" + ")
		}
		before := s[len(s)-len(rest) : m[0]]
		fmt.Fprintf(&b, `%s + (.[%s] // error(%s) | tostring | @uri)`, quoteJSON(before), quoteJSON(name), quoteJSON("the input has no "+name+" for the endpoint"))
		rest = s[m[1]:]
	}
	if rest != "" {
		b.WriteString(" + " + quoteJSON(rest))
	}
	return b.String() + " }"
}
