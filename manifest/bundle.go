package manifest

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/workflow"
)

// Bundle is what some manifests declare, in order of file and position. Names
// are unique within each kind.
type Bundle struct {
	Workflows []*workflow.Workflow
	Functions []function.Function

	calls  []call        // of all workflows, for Check
	places []declaration // of everything in the bundle
	locks  []locked
}

// call is a place in a manifest where a workflow calls a function.
type call struct {
	function string
	near     string // a function under use with a similar name
	at       Error  // without Detail and Hint
}

// declaration is the place of a workflow or function.
type declaration struct {
	what, name string
	at         Error
}

// merge adds what is in o to b and reports names that are declared twice.
func (b *Bundle) merge(o *Bundle) Errors {
	var errs Errors
	for _, d := range o.places {
		i := slices.IndexFunc(b.places, func(had declaration) bool { return d.name != "" && d.what == had.what && d.name == had.name })
		if i < 0 {
			b.places = append(b.places, d)
			continue
		}
		e, first := d.at, b.places[i].at
		e.Detail = fmt.Sprintf("%s %s is declared twice, first at %s:%d:%d", d.what, d.name, first.File, first.Line, first.Column)
		e.Hint = "rename or delete one of them"
		errs = append(errs, &e)
	}
	b.Workflows = append(b.Workflows, o.Workflows...)
	b.Functions = append(b.Functions, o.Functions...)
	b.calls = append(b.calls, o.calls...)
	b.locks = append(b.locks, o.locks...)
	return errs
}

// Check reports, as Errors, every call of a function that is neither in the
// bundle nor among known, the names of functions that are deployed already.
func (b *Bundle) Check(known ...string) error {
	names := map[string]bool{}
	candidates := append([]string(nil), known...)
	for _, f := range b.Functions {
		candidates = append(candidates, f.Name)
	}
	for _, n := range candidates {
		names[n] = true
	}
	var errs Errors
	for _, c := range b.calls {
		if names[c.function] {
			continue
		}
		e := c.at
		e.Detail = "function " + c.function + " is neither in these manifests nor deployed"
		e.Hint = "deploy a Knative Service of that name first, or together with the workflow"
		if near := cmp.Or(nearest(c.function, candidates), c.near); near != "" {
			e.Hint = "did you mean " + near + "?"
		}
		errs = append(errs, &e)
	}
	if len(errs) > 0 {
		return errs
	}
	return nil
}
