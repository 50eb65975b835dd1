package manifest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// reader turns the nodes of one file into vocabulary and collects what is
// wrong on the way, so that one pass reports everything.
type reader struct {
	file  string // its name in messages
	files files
	errs  Errors
}

// fail records a problem at n, which is found under path.
func (r *reader) fail(at position, path, hint, format string, args ...any) {
	r.errs = append(r.errs, &Error{
		File: r.file, Line: at.line, Column: at.column, Key: path,
		Detail: fmt.Sprintf(format, args...), Hint: hint,
	})
}

// expect reports whether n is of kind k, and a problem if it is not.
func (r *reader) expect(n *node, path string, k kind, hint string) bool {
	if n.kind != k {
		r.fail(n.at, path, hint, "must be %s, not %s", k, n.kind)
		return false
	}
	return true
}

// str returns the text of a string.
func (r *reader) str(n *node, path string) string {
	if n.kind != kindString && n.kind != kindObject && n.kind != kindList && n.kind != kindNull {
		r.expect(n, path, kindString, "quote it")
		return ""
	}
	if !r.expect(n, path, kindString, "") {
		return ""
	}
	return n.text
}

// oneOf returns the text of a string that is one of values.
func (r *reader) oneOf(n *node, path string, values ...string) string {
	s := r.str(n, path)
	if n.kind == kindString && !slices.Contains(values, s) {
		r.fail(n.at, path, "write "+orList(values), "%q is not known here", s)
	}
	return s
}

// whole returns a whole number within [low, high].
func (r *reader) whole(n *node, path string, low, high int) int {
	if !r.expect(n, path, kindNumber, "") {
		return low
	}
	v, ok := n.number.(int)
	if !ok || v < low || v > high {
		r.fail(n.at, path, "", "must be a whole number from %d to %d, not %v", low, high, n.number)
		return low
	}
	return v
}

// flag returns a boolean.
func (r *reader) flag(n *node, path string) bool {
	return r.expect(n, path, kindBool, "write true or false") && n.bool
}

// strings returns a list of strings.
func (r *reader) strings(n *node, path string) []string {
	if !r.expect(n, path, kindList, "") {
		return nil
	}
	list := make([]string, len(n.list))
	for i, item := range n.list {
		list[i] = r.str(item, path+"["+strconv.Itoa(i)+"]")
	}
	return list
}

// stringMap returns an object of strings.
func (r *reader) stringMap(n *node, path string) map[string]string {
	if !r.expect(n, path, kindObject, "") || len(n.fields) == 0 {
		return nil
	}
	m := make(map[string]string, len(n.fields))
	for _, f := range n.fields {
		m[f.key] = r.str(f.value, join(path, f.key))
	}
	return m
}

// object begins to read an object; nil when n is none. Every key must be taken
// before done, which reports the others.
func (r *reader) object(n *node, path string) *object {
	if !r.expect(n, path, kindObject, "") {
		return nil
	}
	return &object{r: r, n: n, path: path}
}

// object is an object that is being read.
type object struct {
	r     *reader
	n     *node
	path  string
	known []string
}

// take returns the value under key, or nil. A null counts as absent.
func (o *object) take(key string) *node {
	o.known = append(o.known, key)
	if v := o.n.get(key); v != nil && v.kind != kindNull {
		return v
	}
	return nil
}

// need is take, and a problem where the key is missing.
func (o *object) need(key, hint string) *node {
	v := o.take(key)
	if v == nil && o.n.get(key) == nil {
		o.r.fail(o.n.at, o.path, hint, "%s is missing", key)
	}
	return v
}

// at returns the path of a key.
func (o *object) at(key string) string { return join(o.path, key) }

// done reports the keys that were not taken. Reasons tell, for keys that one
// may know from elsewhere, what to write instead.
func (o *object) done(reasons map[string]string) {
	for _, f := range o.n.fields {
		if slices.Contains(o.known, f.key) {
			if f.value.kind == kindNull {
				o.r.fail(f.at, join(o.path, f.key), "give it a value or delete the key", "has no value")
			}
			continue
		}
		path := join(o.path, f.key)
		if reason, ok := reasons[f.key]; ok {
			o.r.fail(f.at, path, reason, "%s is not supported", f.key)
			continue
		}
		hint := "delete it"
		if near := nearest(f.key, o.known); near != "" {
			hint = "did you mean " + near + "?"
		} else if len(o.known) > 0 {
			hint = "known here: " + strings.Join(o.known, ", ")
		}
		o.r.fail(f.at, path, hint, "unknown key %s", f.key)
	}
}

// join appends a key to a path. Keys that hold a dot or a slash are quoted.
func join(path, key string) string {
	if strings.ContainsAny(key, "./ []\"") || key == "" {
		return path + "[" + strconv.Quote(key) + "]"
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

// orList writes alternatives as people do: "a, b or c".
func orList(values []string) string {
	if len(values) < 2 {
		return strings.Join(values, "")
	}
	return strings.Join(values[:len(values)-1], ", ") + " or " + values[len(values)-1]
}
