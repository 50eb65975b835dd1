package examples_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/aquatope/aquatope/engine"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform"
	"github.com/aquatope/aquatope/platform/local"
	"github.com/aquatope/aquatope/run"
)

// TestWorkflowsRun runs every example on every one of its payloads.
func TestWorkflowsRun(t *testing.T) {
	makeExamples(t)
	for _, example := range all {
		t.Run(example, func(t *testing.T) {
			if _, err := os.Stat("/usr/bin/python3"); err != nil && example == "chain" {
				t.Skip("python3 is missing: apt-get install python3")
			}
			b := load(t, example)
			p := newPlatform(t)
			for _, f := range b.Functions {
				f.Timeout, f.StartTimeout = 5*time.Minute, 5*time.Minute
				deploy(t, p, function.NewRevision(f, f.Resources))
			}
			plan, err := engine.Compile(*b.Workflows[0])
			if err != nil {
				t.Fatal(err)
			}
			e := engine.New(engine.Config{Invoker: p})
			defer e.Close(context.Background())
			inputs, err := filepath.Glob(filepath.Join(example, "payloads", "*.json"))
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range inputs {
				body, err := os.ReadFile(name)
				if err != nil {
					t.Fatal(err)
				}
				r, err := e.Run(t.Context(), plan, engine.Input{Body: body, ContentType: "application/json"})
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if r.Status != run.StatusCompleted {
					t.Fatalf("%s: %s: %v", name, r.Status, r.Problem)
				}
				if !json.Valid(r.Body) || len(r.Body) < 10 {
					t.Errorf("%s: output is %q", name, r.Body)
				}
				t.Logf("%s: %d stages, %d cold, %.120s", filepath.Base(name), len(r.Stages), r.ColdStarts(), r.Body)
			}
		})
	}
}

// makeExamples builds what is not up to date.
func makeExamples(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("make"); err != nil {
		t.Skip("make is missing: apt-get install make")
	}
	cmd := exec.Command("make", "examples")
	cmd.Dir = ".."
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("make examples: %v\n%s", err, out)
	}
}

// newPlatform returns a platform with more capacity than the machine has: runs
// here come one at a time, only idle instances add up.
func newPlatform(t *testing.T) *local.Platform {
	t.Helper()
	p, err := local.New(local.Config{
		DataDir:       t.TempDir(),
		Capacity:      function.Resources{CPU: 64_000, Memory: 64 * function.GiB},
		QueueDeadline: 5 * time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return p
}

func deploy(t *testing.T, p *local.Platform, rev function.Revision) {
	t.Helper()
	if err := p.Deploy(t.Context(), rev); err != nil {
		t.Fatal(err)
	}
	route := []platform.Traffic{{Revision: rev.Name, Percent: 100}}
	if err := p.Route(t.Context(), rev.Function.Name, route); err != nil {
		t.Fatal(err)
	}
}
