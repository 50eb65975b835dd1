package manifest_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aquatope/aquatope/manifest"
	"github.com/aquatope/aquatope/workflow"
)

// features returns a workflow of testdata/good/features.yaml.
func features(t *testing.T, name string) *workflow.Workflow {
	t.Helper()
	b, err := manifest.Load("testdata/good/features.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range b.Workflows {
		if w.Name == name {
			return w
		}
	}
	t.Fatalf("no workflow %s", name)
	return nil
}

// A function under use takes the place of its call.
func TestInlineFunctions(t *testing.T) {
	find := func(name, path string) workflow.Task {
		return workflow.Task{Name: name, Path: path, Call: &workflow.Call{HTTP: &workflow.HTTPCall{
			Method: "GET", Output: "content",
			Endpoint: `${ "https://example.com/pets/" + (.["id"] // error("the input has no id for the endpoint") | tostring | @uri) }`,
		}}}
	}
	want := []workflow.Task{
		{Name: "pet", Path: "/do/0/pet", Do: []workflow.Task{
			{Name: "arguments", Path: "/do/0/pet/do/0/arguments", Set: map[string]any{"id": "${ .pet }"}},
			find("find", "/do/0/pet/do/1/find"),
		}},
		find("same", "/do/1/same"),
		{Name: "seven", Path: "/do/2/seven", Do: []workflow.Task{
			{Name: "arguments", Path: "/do/2/seven/do/0/arguments", Set: map[string]any{"id": 7}},
			find("find", "/do/2/seven/do/1/find"),
		}},
	}
	if diff := cmp.Diff(want, features(t, "functions").Do); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What is not said has the specification's default.
func TestDefaults(t *testing.T) {
	loop := features(t, "loops").Do[0].For
	want := &workflow.For{Each: "colour", At: "index", In: `[{"name": "red"}, {"name": "green"}]`, Parallel: 1, Do: loop.Do}
	if diff := cmp.Diff(want, loop); diff != "" {
		t.Errorf("for (-want +got):\n%s", diff)
	}
	catch := features(t, "errors").Do[1].Try.Catch
	if catch.As != "error" || catch.Retry != nil {
		t.Errorf("catch %+v", catch)
	}
}

func TestDurations(t *testing.T) {
	w := features(t, "times")
	if got := w.Timeout.String(); got != "26h3m4.5s" {
		t.Errorf("timeout %s", got)
	}
	if got := w.Do[0].Wait.String(); got != "26h3m4.005s" {
		t.Errorf("inline wait %s", got)
	}
	if got := w.Do[1].Wait.String(); got != "168h0m0s" {
		t.Errorf("ISO wait %s", got)
	}
}

// Literals stay literals: only ${ } is evaluated in values, bare expressions
// only where the specification wants an expression.
func TestBareAndStrict(t *testing.T) {
	w := features(t, "condition")
	if w.Do[0].If != ".age < 18" {
		t.Errorf("if %q", w.Do[0].If)
	}
	if diff := cmp.Diff(map[string]any{"guest": "${ .name }", "literal": ".name"}, w.Do[1].Set); diff != "" {
		t.Errorf("set (-want +got):\n%s", diff)
	}
}
