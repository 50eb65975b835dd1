package manifest

import (
	"fmt"

	"github.com/aquatope/aquatope/function"
)

// What a lock document says of itself.
const (
	LockAPIVersion = "aquatope.dev/v1alpha1"
	LockKind       = "ResourceLock"
)

// locked is what a lock says of one function.
type locked struct {
	function  string
	resources function.Resources
	at        Error // without Detail and Hint
}

// lock reads a document that fixes the resources of functions: what tuning has
// chosen, kept apart from what people write.
func (r *reader) lock(n *node) []locked {
	o := r.object(n, "")
	if v := o.need("apiVersion", "write apiVersion: "+LockAPIVersion); v != nil {
		r.oneOf(v, "apiVersion", LockAPIVersion)
	}
	o.take("kind")
	if v := o.take("metadata"); v != nil {
		if m := r.object(v, "metadata"); m != nil {
			if name := m.take("name"); name != nil {
				r.str(name, "metadata.name")
			}
			m.done(nil)
		}
	}
	var out []locked
	if v := o.need("functions", "write functions: {name: {cpu: 500m, memory: 256Mi}}"); v != nil && r.expect(v, "functions", kindObject, "") {
		for _, f := range v.fields {
			out = append(out, r.lockedFunction(f.key, f.value, f.at))
		}
	}
	o.done(nil)
	return out
}

func (r *reader) lockedFunction(name string, n *node, at position) locked {
	path := join("functions", name)
	l := locked{function: name, at: Error{File: r.file, Line: at.line, Column: at.column, Key: path}}
	o := r.object(n, path)
	if o == nil {
		return l
	}
	if v := o.need("cpu", ""); v != nil {
		l.resources.CPU = function.MilliCPU(r.quantity(v, join(path, "cpu"), cpuUnit))
	}
	if v := o.need("memory", ""); v != nil {
		l.resources.Memory = function.Bytes(r.quantity(v, join(path, "memory"), memoryUnit))
	}
	o.done(nil)
	return l
}

// applyLocks gives the functions of a bundle the resources that locks say.
func (b *Bundle) applyLocks() Errors {
	var errs Errors
	done := map[string]locked{}
	for _, l := range b.locks {
		e := l.at
		if had, twice := done[l.function]; twice {
			e.Detail = fmt.Sprintf("function %s is locked twice, first at %s:%d:%d", l.function, had.at.File, had.at.Line, had.at.Column)
			e.Hint = "keep one of the locks"
			errs = append(errs, &e)
			continue
		}
		done[l.function] = l
		found := false
		for i := range b.Functions {
			f := &b.Functions[i]
			if f.Name != l.function {
				continue
			}
			found = true
			f.Resources = l.resources
			if !f.Space.CPU.Contains(int64(l.resources.CPU)) || !f.Space.Memory.Contains(int64(l.resources.Memory)) {
				e.Detail = fmt.Sprintf("function %s is locked to %s, which its ranges do not allow", l.function, l.resources)
				e.Hint = "tune again, or change aquatope.dev/cpu-range and memory-range"
				errs = append(errs, &e)
			}
		}
		if !found {
			e.Detail = "function " + l.function + " is not in these manifests"
			e.Hint = "give its manifest together with the lock, or delete it there"
			errs = append(errs, &e)
		}
	}
	b.locks = nil
	return errs
}
