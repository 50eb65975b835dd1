package manifest_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/manifest"
)

// write puts files into a new folder.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func only(t *testing.T, paths ...string) function.Function {
	t.Helper()
	b, err := manifest.Load(paths...)
	if err != nil {
		t.Fatal(err)
	}
	if len(b.Functions) != 1 {
		t.Fatalf("%d functions", len(b.Functions))
	}
	return b.Functions[0]
}

const head = "apiVersion: serving.knative.dev/v1\nkind: Service\n"

func TestServiceDefaults(t *testing.T) {
	dir := write(t, map[string]string{"f.yaml": head + "metadata: {name: f}\nspec: {template: {spec: {containers: [{image: a, command: [/run]}]}}}\n"})
	want := function.Function{
		Name: "f", Image: "a", Entrypoint: []string{"/run"}, Concurrency: 1, Timeout: 5 * time.Minute, StartTimeout: 30 * time.Second,
		Resources: function.Resources{CPU: 1000, Memory: 512 * function.MiB},
		Space: function.Space{
			CPU:    function.Range{Min: 100, Max: 4000, Step: 100},
			Memory: function.Range{Min: int64(128 * function.MiB), Max: int64(4 * function.GiB), Step: int64(64 * function.MiB)},
		},
	}
	if diff := cmp.Diff(want, only(t, dir)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestServicePaths(t *testing.T) {
	dir := write(t, map[string]string{
		"f.yaml": head + `metadata:
  name: f
  annotations:
    aquatope.dev/command: '["./bin/f", "serve"]'
    aquatope.dev/working-directory: data
    aquatope.dev/payloads: '[{file: in/a.bin}, {body: {b: [1, 2]}, weight: 0.5, name: b}, {body: null}]'
    autoscaling.knative.dev/target: "8"
spec: {template: {spec: {containers: [{image: a, args: [model.bin, "-v"]}]}}}
`,
		"in/a.bin": "\x00\xff", "bin/f": "code", "data/model.bin": "weights",
	})
	f := only(t, filepath.Join(dir, "f.yaml"))
	if want := []string{filepath.Join(dir, "bin/f"), "serve"}; cmp.Diff(want, f.Command) != "" || f.Dir != filepath.Join(dir, "data") {
		t.Errorf("command %q in %q, want %q in data", f.Command, f.Dir, want)
	}
	if f.Concurrency != 8 {
		t.Errorf("concurrency %d, want the target 8", f.Concurrency)
	}
	want := []function.Payload{{Weight: 1, Body: []byte("\x00\xff")}, {Name: "b", Weight: 0.5, Body: []byte(`{"b":[1,2]}`)}, {Weight: 1, Body: []byte("null")}}
	if diff := cmp.Diff(want, f.Payloads); diff != "" {
		t.Errorf("payloads (-want +got):\n%s", diff)
	}
	// Rebuilt code and changed files beside it are new revisions.
	name := func() string { f := only(t, dir); return function.NewRevision(f, f.Resources).Name }
	before := name()
	for _, file := range []string{"bin/f", "data/model.bin"} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte("changed"), 0o644); err != nil {
			t.Fatal(err)
		}
		if after := name(); after == before {
			t.Errorf("changing %s keeps the revision %s", file, after)
		} else {
			before = after
		}
	}
}

// The space holds what the function starts with, whatever that is.
func TestSpaceHoldsResources(t *testing.T) {
	for limits, want := range map[string]string{
		"{cpu: 30m, memory: 32Mi}":   "30..4020/30, 32Mi..4Gi/32Mi",
		"{cpu: 250m, memory: 100Mi}": "100..4000/100, 100Mi..4100Mi/100Mi",
		"{cpu: 5500m, memory: 5Gi}":  "100..5500/100, 128Mi..5Gi/64Mi",
	} {
		dir := write(t, map[string]string{"f.yaml": head + "metadata: {name: f}\nspec: {template: {spec: {containers: [{image: a, resources: {limits: " + limits + "}}]}}}\n"})
		f := only(t, dir)
		c, m := f.Space.CPU, f.Space.Memory
		b := func(v int64) string { return function.Bytes(v).String() }
		got := strings.Join([]string{itoa(c.Min) + ".." + itoa(c.Max) + "/" + itoa(c.Step), b(m.Min) + ".." + b(m.Max) + "/" + b(m.Step)}, ", ")
		if got != want {
			t.Errorf("%s: %s, want %s", limits, got, want)
		}
		if err := f.Space.Validate(); err != nil {
			t.Errorf("%s: %v", limits, err)
		}
	}
}

func itoa(v int64) string { return function.MilliCPU(v * 1000).String() }

func TestLoad(t *testing.T) {
	one := head + "metadata: {name: one}\nspec: {template: {spec: {containers: [{image: a}]}}}\n"
	w := "document: {dsl: 1.0.3, namespace: d, name: w, version: 0.1.0}\ndo: [{a: {call: one}}, {b: {call: two}}, {c: {call: onne}}]\n"
	dir := write(t, map[string]string{
		"b/one.yml": one, "b/w.yaml": w, "b/.hidden.yaml": "x", "b/notes.txt": "x", "b/sub/other.yaml": "x", "same.yaml": one, "empty/x.txt": "",
	})
	b, err := manifest.Load(filepath.Join(dir, "b"), filepath.Join(dir, "b", "one.yml"))
	if err != nil || len(b.Functions) != 1 || len(b.Workflows) != 1 {
		t.Fatalf("%+v, %v", b, err)
	}
	err = b.Check("two")
	var list manifest.Errors
	if !errors.As(err, &list) || len(list) != 1 || list[0].Line != 2 || list[0].Column != 53 || list[0].Hint != "did you mean one?" {
		t.Errorf("check: %v", err)
	}
	if err := b.Check("two", "onne"); err != nil {
		t.Errorf("check: %v", err)
	}
	if _, err = manifest.Load(filepath.Join(dir, "b"), filepath.Join(dir, "same.yaml")); err == nil || !strings.Contains(err.Error(), "function one is declared twice") {
		t.Errorf("declared twice: %v", err)
	}
	if _, err = manifest.Load(filepath.Join(dir, "none.yaml")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	if _, err = manifest.Load(filepath.Join(dir, "empty")); err == nil || !strings.Contains(err.Error(), "holds no .yaml") {
		t.Errorf("empty folder: %v", err)
	}
	if one := (*manifest.Error)(nil); !errors.As(error(list), &one) || one != list[0] {
		t.Error("errors.As finds no single problem")
	}
}
