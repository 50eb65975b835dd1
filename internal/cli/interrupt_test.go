package cli_test

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/aquatope/aquatope/internal/cli"
)

// Ctrl-C ends a load run early, with what was measured so far and 130. It also
// ends a server that cannot drain: the second one at the latest.
func TestInterrupt(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a real server")
	}
	t.Parallel()
	bin, dir := programs(t), t.TempDir()
	s := startServer(t, bin, dir)
	s.deploy(fanManifests)

	var out, errs bytes.Buffer
	load := exec.Command(filepath.Join(bin, "aquatope"), "load", "fan-out", "--rate", "20", "--duration", "1h",
		"--server", s.client.Address(), "-o", "csv")
	load.Stdout, load.Stderr = &out, &errs
	if err := load.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() string {
		page, err := s.client.Runs(t.Context(), "fan-out", "completed", "", 5)
		if err != nil {
			return err.Error()
		}
		if len(page.Items) < 5 {
			return "fewer than five runs"
		}
		return ""
	})
	if err := load.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	_ = load.Wait()
	if code := load.ProcessState.ExitCode(); code != cli.ExitInterrupted {
		t.Errorf("exit code %d, want %d\n%s", code, cli.ExitInterrupted, errs.String())
	}
	if !strings.Contains(out.String(), "\nfan-out,") {
		t.Errorf("no summary of what was measured: %q\n%s", out.String(), errs.String())
	}

	// A run that waits for minutes would keep the server for --grace.
	s.deploy(waits)
	stuck := make(chan error, 1)
	go func() {
		_, err := s.client.InvokeWorkflow(t.Context(), "waits", []byte(`{}`))
		stuck <- err
	}()
	eventually(t, func() string {
		w, err := s.client.Workflow(t.Context(), "waits")
		if err != nil || w.Recent.Running == 0 {
			return "the run has not begun"
		}
		return ""
	})
	for range 2 {
		if err := s.cmd.Process.Signal(syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
		// Signals of one kind that come at once count as one.
		eventually(t, func() string {
			if !strings.Contains(s.said(), "Ctrl-C again ends them now") {
				return "the server has not noticed Ctrl-C"
			}
			return ""
		})
	}
	_ = s.cmd.Wait()
	if code := s.cmd.ProcessState.ExitCode(); code != cli.ExitInterrupted {
		t.Errorf("after the second Ctrl-C the server's exit code is %d, want %d", code, cli.ExitInterrupted)
	}
	if err := <-stuck; err == nil {
		t.Error("the run that was cut off ended well")
	}
	noOrphans(t, bin)
}

const waits = `
document: {dsl: '1.0.3', namespace: default, name: waits, version: '1.0.0'}
do:
  - rest: {wait: {minutes: 5}}
  - only: {call: echo}
`
