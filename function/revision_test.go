package function_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/aquatope/aquatope/function"
)

func sample() function.Function {
	return function.Function{
		Name: "resize", Command: []string{"/srv/resize"}, Args: []string{"-x"}, Env: []function.EnvVar{{Name: "A", Value: "1"}},
		Labels: map[string]string{"app": "pictures", "tier": "gold"}, Concurrency: 1, Timeout: time.Minute, StartTimeout: time.Second,
		Resources: function.Resources{CPU: 500, Memory: 128 * function.MiB},
		Space:     function.Space{CPU: function.Fixed(500), Memory: function.Fixed(1)},
		Payloads:  []function.Payload{{Weight: 1, Body: []byte("{}")}},
	}
}

var label = regexp.MustCompile(`^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)

func TestNewRevision(t *testing.T) {
	f := sample()
	r := function.NewRevision(f, f.Resources)
	// Names are stored: another one here would orphan what is recorded under it.
	if want := "resize-5f48a715"; r.Name != want {
		t.Errorf("name %q, want %q", r.Name, want)
	}
	if again := function.NewRevision(r.Function, r.Resources); again.Name != r.Name || cmp.Diff(again, r) != "" {
		t.Errorf("the revision of a revision's function is %q, not %q", again.Name, r.Name)
	}
	if cmp.Diff(f, sample()) != "" {
		t.Error("the function was changed")
	}
	other := function.Resources{CPU: 750, Memory: 128 * function.MiB}
	for what, test := range map[string]struct {
		change func(*function.Function)
		res    function.Resources
		same   bool
	}{
		"nothing":     {func(*function.Function) {}, f.Resources, true},
		"space":       {func(f *function.Function) { f.Space.CPU = function.Range{Min: 1, Max: 2, Step: 1} }, f.Resources, true},
		"payloads":    {func(f *function.Function) { f.Payloads = nil }, f.Resources, true},
		"default":     {func(f *function.Function) { f.Resources = other }, f.Resources, true},
		"resources":   {func(*function.Function) {}, other, false},
		"image":       {func(f *function.Function) { f.Image = "x" }, f.Resources, false},
		"arguments":   {func(f *function.Function) { f.Args = nil }, f.Resources, false},
		"environment": {func(f *function.Function) { f.Env[0].Value = "2" }, f.Resources, false},
		"code":        {func(f *function.Function) { f.Digest = "5" }, f.Resources, false},
		"concurrency": {func(f *function.Function) { f.Concurrency = 2 }, f.Resources, false},
		"timeout":     {func(f *function.Function) { f.Timeout = time.Hour }, f.Resources, false},
	} {
		g := sample()
		test.change(&g)
		if got := function.NewRevision(g, test.res); (got.Name == r.Name) != test.same {
			t.Errorf("changed %s: %s after %s, want the same name: %v", what, got.Name, r.Name, test.same)
		}
	}
}

// Absent and empty mean the same, and must not make two revisions.
func TestEmptyIsAbsent(t *testing.T) {
	f, g := function.Function{Name: "f"}, function.Function{
		Name: "f", Command: []string{}, Entrypoint: []string{}, Args: []string{}, Env: []function.EnvVar{}, Labels: map[string]string{}, Payloads: []function.Payload{},
	}
	if a, b := function.NewRevision(f, f.Resources), function.NewRevision(g, g.Resources); cmp.Diff(a, b) != "" {
		t.Error(cmp.Diff(a, b))
	}
}

// Names are labels however long the function's is.
func TestRevisionNames(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[a-z]([a-z0-9-]{0,61}[a-z0-9])?`).Draw(t, "name")
		if err := function.CheckName(name); err != nil {
			t.Fatal(err)
		}
		if r := function.NewRevision(function.Function{Name: name}, function.Resources{CPU: 1, Memory: 1}); !label.MatchString(r.Name) {
			t.Errorf("%q is not a label", r.Name)
		}
	})
	for _, name := range []string{"", "A", "a-", "-a", "1a", "a_b", "a.b", "ä", strings.Repeat("a", 64)} {
		if function.CheckName(name) == nil {
			t.Errorf("name %q is accepted", name)
		}
	}
}
