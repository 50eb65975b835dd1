package manifest

import (
	"fmt"

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
}

// call is a place in a manifest where a workflow calls a function.
type call struct {
	function string
	at       Error // without Detail and Hint
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
		for _, had := range b.places {
			if d.what == had.what && d.name == had.name && d.name != "" {
				e := d.at
				e.Detail = fmt.Sprintf("%s %s is declared twice, first at %s:%d:%d", d.what, d.name, had.at.File, had.at.Line, had.at.Column)
				e.Hint = "rename or delete one of them"
				errs = append(errs, &e)
				break
			}
		}
		b.places = append(b.places, d)
	}
	b.Workflows = append(b.Workflows, o.Workflows...)
	b.Functions = append(b.Functions, o.Functions...)
	b.calls = append(b.calls, o.calls...)
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
		if near := nearest(c.function, candidates); near != "" {
			e.Hint = "did you mean " + near + "?"
		}
		errs = append(errs, &e)
	}
	if len(errs) > 0 {
		return errs
	}
	return nil
}
