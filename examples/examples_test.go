package examples_test

import (
	"path/filepath"
	"testing"

	"github.com/aquatope/aquatope/engine"
	"github.com/aquatope/aquatope/manifest"
)

var all = []string{"chain", "fan-out", "ml-pipeline", "video-processing", "social-network"}

// load reads an example's manifests.
func load(t *testing.T, example string) *manifest.Bundle {
	t.Helper()
	b, err := manifest.Load(example)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestManifests(t *testing.T) {
	for _, example := range all {
		t.Run(example, func(t *testing.T) {
			b := load(t, example)
			if err := b.Check(); err != nil {
				t.Error(err)
			}
			if len(b.Workflows) != 1 || b.Workflows[0].Name != example {
				t.Fatalf("%d workflows, want the one called %s", len(b.Workflows), example)
			}
			if b.Workflows[0].QoS.Latency == 0 {
				t.Error("it promises nothing")
			}
			if _, err := engine.Compile(*b.Workflows[0]); err != nil {
				t.Error(err)
			}
			for _, f := range b.Functions {
				if !f.Space.CPU.Contains(int64(f.Resources.CPU)) || !f.Space.Memory.Contains(int64(f.Resources.Memory)) {
					t.Errorf("%s starts with %s, which is not in its space", f.Name, f.Resources)
				}
			}
			inputs, err := filepath.Glob(filepath.Join(example, "payloads", "*.json"))
			if err != nil || len(inputs) == 0 {
				t.Errorf("%d payloads, %v", len(inputs), err)
			}
		})
	}
}
