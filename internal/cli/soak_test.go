package cli_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aquatope/aquatope/manifest"
)

const fanManifests = `
document: {dsl: '1.0.3', namespace: default, name: fan-out, version: '1.0.0'}
do:
  - split: {call: items}
  - work:
      for: {each: item, in: .items}
      metadata: {aquatope.dev/parallel: 4}
      do:
        - part: {call: echo, input: {from: '${ {item: $item} }'}}
  - merge: {call: echo}
---
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: items}
spec: {template: {spec: {containerConcurrency: 10, containers: [{command: [$FN, items], resources: {limits: {cpu: 300m, memory: 128Mi}}}]}}}
---
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: echo}
spec: {template: {spec: {containerConcurrency: 10, containers: [{command: [$FN, echo], resources: {limits: {cpu: 300m, memory: 128Mi}}}]}}}
`

// Many runs of a fan-out at once: none is lost, and afterwards the server
// holds no more processes, control groups, files or goroutines than before.
// The long form runs the fan-out of examples/, which make soak builds.
func TestManyRuns(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a real server and hundreds of runs")
	}
	runs, workers, input, manifests := 150, 20, []byte(`{"n":8}`), fanManifests
	if soaking() {
		runs, workers = 2000, 50
		input, manifests = fanOutExample(t)
	} else {
		t.Parallel()
	}
	bin, dir := programs(t), t.TempDir()
	s := startServer(t, bin, dir)
	ctx := t.Context()
	fresh := s.held(ctx)
	s.deploy(manifests)
	// One run first: what is made once (connections, statements) is no leak.
	if _, err := s.client.InvokeWorkflow(ctx, "fan-out", input); err != nil {
		t.Fatal(err)
	}
	before := s.held(ctx)
	if before.processes <= fresh.processes || before.groups <= fresh.groups {
		t.Fatalf("a run left %+v, a fresh server has %+v: leaks could not be seen", before, fresh)
	}

	var (
		next   atomic.Int64
		failed atomic.Int64
		wg     sync.WaitGroup
	)
	start := time.Now()
	for range workers {
		wg.Go(func() {
			for next.Add(1) <= int64(runs) {
				if _, err := s.client.InvokeWorkflow(ctx, "fan-out", input); err != nil {
					if failed.Add(1) <= 5 {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	t.Logf("%d runs in %s, %d failed", runs, time.Since(start).Round(time.Millisecond), failed.Load())
	s.client.Close()

	counted := 0
	for cursor := ""; ; {
		page, err := s.client.Runs(ctx, "fan-out", "completed", cursor, 1000)
		if err != nil {
			t.Fatal(err)
		}
		counted += len(page.Items)
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	if counted != runs+1 {
		t.Errorf("%d runs were recorded as completed, %d were made", counted, runs+1)
	}
	sum, err := s.client.Observations(ctx, "fan-out", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	for _, st := range sum.Stages {
		if want := runs + 1; st.Stage != "part" && st.Invocations != want {
			t.Errorf("stage %s: %d observations, want %d", st.Stage, st.Invocations, want)
		}
	}
	// Instances stay warm for a while, as they should: take the functions away.
	for _, name := range append([]string{"fan-out"}, functionNames(t, manifests)...) {
		remove := s.client.DeleteFunction
		if name == "fan-out" {
			remove = s.client.DeleteWorkflow
		}
		if err := remove(ctx, name); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, func() string {
		s.client.Close()
		after := s.held(ctx)
		switch {
		case after.processes > fresh.processes:
			return fmt.Sprintf("%d processes, %d at the start", after.processes, fresh.processes)
		case after.groups > fresh.groups:
			return fmt.Sprintf("%d control groups, %d at the start", after.groups, fresh.groups)
		case after.files > before.files+5:
			return fmt.Sprintf("%v open files, %v before", after.files, before.files)
		case after.goroutines > before.goroutines+5:
			return fmt.Sprintf("%v goroutines, %v before", after.goroutines, before.goroutines)
		}
		return ""
	})
	s.stop()
}

// held is what a server holds of the machine.
type held struct {
	processes, groups int
	files, goroutines float64
}

func (s *serverProcess) held(ctx context.Context) held {
	s.t.Helper()
	return held{
		processes:  len(childrenOf(s.t, s.cmd.Process.Pid)),
		groups:     len(s.controlGroups()),
		files:      s.metric(ctx, "process_open_fds"),
		goroutines: s.metric(ctx, "go_goroutines"),
	}
}

// childrenOf returns the processes whose parent is pid.
func childrenOf(t *testing.T, pid int) []string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			continue
		}
		var (
			id, parent int
			name       string
			state      string
		)
		if _, err := fmt.Sscanf(string(text), "%d %s %s %d", &id, &name, &state, &parent); err == nil && parent == pid {
			found = append(found, fmt.Sprint(id, name))
		}
	}
	return found
}

// fanOutExample returns the example of that name, with absolute paths.
func fanOutExample(t *testing.T) (input []byte, manifests string) {
	t.Helper()
	dir, err := filepath.Abs("../../examples/fan-out")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "bin", "functions")); err != nil {
		t.Fatalf("the example is not built: make examples (%v)", err)
	}
	b, err := manifest.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	text, err := manifest.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	if input, err = os.ReadFile(filepath.Join(dir, "payloads", "small.json")); err != nil {
		t.Fatal(err)
	}
	return input, string(text)
}

func functionNames(t *testing.T, manifests string) []string {
	t.Helper()
	b, err := manifest.Parse("manifests", []byte(manifests))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range b.Functions {
		names = append(names, f.Name)
	}
	return names
}
