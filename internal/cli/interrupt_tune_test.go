package cli_test

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/aquatope/aquatope/internal/cli"
	"github.com/aquatope/aquatope/server/api"
)

// Ctrl-C of tune keeps what was learnt and leaves none of its instances; so does a
// server that is killed. Ctrl-C of profile leaves nothing at all.
func TestInterruptTuning(t *testing.T) {
	if testing.Short() {
		t.Skip("starts real servers")
	}
	t.Parallel()
	bin, dir := programs(t), t.TempDir()
	s := startServer(t, bin, dir, "--capacity-cpu", "8")
	s.deploy(sized)

	tuning := func() (api.Tuning, string) {
		st, err := s.client.Tuning(t.Context(), "sized")
		if err != nil {
			return st, err.Error()
		}
		return st, ""
	}
	untilRuns := func(n int) {
		eventually(t, func() string {
			st, problem := tuning()
			if problem == "" && st.Runs < n {
				problem = fmt.Sprintf("%d runs of %d: %s", st.Runs, n, st.Message)
			}
			return problem
		})
	}
	noTrials := func() {
		eventually(t, func() string {
			if p := functionProcesses(t, bin); len(p) > 0 {
				return fmt.Sprintf("instances of trials: %v", p)
			}
			return ""
		})
	}

	cmd, errs := s.background(t, "tune", "sized", "--budget", "500")
	untilRuns(2)
	if code := interrupt(t, cmd); code != cli.ExitInterrupted {
		t.Errorf("tune: exit code %d, want %d\n%s", code, cli.ExitInterrupted, errs)
	}
	stopped, _ := tuning()
	if want := fmt.Sprintf("stopped after %d runs, which are kept", stopped.Runs); stopped.Phase != api.PhaseStopped || !strings.Contains(errs.String(), want) {
		t.Errorf("the session is %s, the command says %q and not %q", stopped.Phase, errs, want)
	}
	noTrials()

	cmd, errs = s.background(t, "tune", "sized", "--budget", "500")
	untilRuns(stopped.Runs + 2)
	killed, _ := tuning()
	s.kill()
	_ = cmd.Wait()
	if !strings.Contains(errs.String(), fmt.Sprintf("going on with %d runs", stopped.Runs)) {
		t.Errorf("after Ctrl-C: %s", errs)
	}
	noOrphans(t, bin)

	s = startServer(t, bin, dir, "--capacity-cpu", "8")
	again, err := s.client.StartTuning(t.Context(), "sized", api.TuneRequest{Budget: 500})
	if err != nil || again.Resumed < killed.Runs {
		t.Errorf("after a kill %d runs of %d are there: %v", again.Resumed, killed.Runs, err)
	}
	if _, err := s.client.StopTuning(t.Context(), "sized"); err != nil {
		t.Error(err)
	}

	cmd, errs = s.background(t, "profile", "sized", "--repeats", "1000")
	eventually(t, func() string {
		st, err := s.client.Profile(t.Context(), "sized")
		if err != nil {
			return err.Error()
		}
		if st.Done == 0 {
			return "nothing measured: " + st.Message
		}
		return ""
	})
	if code := interrupt(t, cmd); code != cli.ExitInterrupted {
		t.Errorf("profile: exit code %d, want %d\n%s", code, cli.ExitInterrupted, errs)
	}
	noTrials()
	s.stop()
}

// background starts a command against the server.
func (s *serverProcess) background(t *testing.T, args ...string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	cmd, errs := exec.Command(filepath.Join(s.bin, "aquatope"), append(args, "--server", s.client.Address())...), &bytes.Buffer{}
	cmd.Stderr = errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	})
	return cmd, errs
}

// interrupt ends a command as Ctrl-C would and returns its exit code.
func interrupt(t *testing.T, cmd *exec.Cmd) int {
	t.Helper()
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	return cmd.ProcessState.ExitCode()
}

const sized = `
document:
  dsl: '1.0.3'
  namespace: default
  name: sized
  version: '1.0.0'
  metadata:
    qos: {latency: 60s, percentile: 95}
    payloads: [{body: {size: 1}}]
do:
  - only: {call: burner}
---
apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  name: burner
  annotations:
    aquatope.dev/cpu-range: 500m..2,100m
    aquatope.dev/memory-range: 128Mi..256Mi,64Mi
spec:
  template:
    spec:
      containers:
        - command: [$FN, burn, "30"]
          resources: {limits: {cpu: 1, memory: 256Mi}}
`
