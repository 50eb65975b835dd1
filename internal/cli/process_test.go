package cli_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aquatope/aquatope/server/client"
)

// programs links this test binary under the names that TestMain knows, and
// returns the folder.
func programs(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, name := range []string{"aquatope", "testfunction"} {
		if err := os.Symlink(self, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// serverProcess is a server in a process of its own.
type serverProcess struct {
	t      *testing.T
	bin    string
	dir    string // holds the data folder
	cmd    *exec.Cmd
	stderr string // file that it writes to
	client *client.Client
}

func startServer(t *testing.T, bin, dir string, args ...string) *serverProcess {
	t.Helper()
	s := &serverProcess{t: t, bin: bin, dir: dir, stderr: filepath.Join(t.TempDir(), "stderr")}
	ready := filepath.Join(dir, "url")
	_ = os.Remove(ready)
	s.cmd = exec.Command(filepath.Join(bin, "aquatope"), append([]string{
		"up", "--listen", "127.0.0.1:0", "--data", s.data(), "--ready-file", ready, "--queue-deadline", patience.String(),
	}, args...)...)
	stderr, err := os.Create(s.stderr)
	if err != nil {
		t.Fatal(err)
	}
	defer stderr.Close() // the process has its own
	s.cmd.Stderr = stderr
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	url, err := awaitFile(ready)
	if err != nil {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
		t.Fatalf("%v\n%s", err, s.said())
	}
	if s.client, err = client.New(url); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if s.cmd.ProcessState == nil {
			_ = s.cmd.Process.Kill()
			_ = s.cmd.Wait()
		}
	})
	return s
}

// said is what the server wrote to stderr so far.
func (s *serverProcess) said() string {
	text, err := os.ReadFile(s.stderr)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

func (s *serverProcess) data() string { return filepath.Join(s.dir, "data") }

// kill ends the process as a power cut would.
func (s *serverProcess) kill() {
	s.t.Helper()
	s.client.Close()
	if err := s.cmd.Process.Kill(); err != nil {
		s.t.Fatal(err)
	}
	_ = s.cmd.Wait() // says that it was killed
}

// stop ends the process as a user would.
func (s *serverProcess) stop() {
	s.t.Helper()
	s.client.Close()
	if err := s.cmd.Process.Signal(syscall.SIGINT); err != nil {
		s.t.Fatal(err)
	}
	if err := s.cmd.Wait(); err != nil {
		s.t.Fatalf("the server ended with %v:\n%s", err, s.said())
	}
}

func (s *serverProcess) deploy(manifests string) {
	s.t.Helper()
	text := strings.ReplaceAll(manifests, "$FN", filepath.Join(s.bin, "testfunction"))
	if _, err := s.client.Deploy(s.t.Context(), []byte(text), false); err != nil {
		s.t.Fatal(err)
	}
}

// functionProcesses returns the instances of test functions started from bin
// that exist, by process id.
func functionProcesses(t *testing.T, bin string) []string {
	t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, path := range lines {
		text, err := os.ReadFile(path)
		if err == nil && bytes.Contains(text, []byte(filepath.Join(bin, "testfunction")+"\x00")) {
			found = append(found, strings.Split(path, "/")[2])
		}
	}
	return found
}

// patience is how long to wait for what has to happen, on however slow a machine.
const patience = 3 * time.Minute

// eventually waits until a condition holds; what says what does not.
func eventually(t *testing.T, what func() string) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		missing := what()
		if missing == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("after %s still: %s", patience, missing)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// noOrphans waits until no instance is left.
func noOrphans(t *testing.T, bin string) {
	t.Helper()
	eventually(t, func() string {
		if p := functionProcesses(t, bin); len(p) > 0 {
			return fmt.Sprintf("instances without a server: %v", p)
		}
		return ""
	})
}

// metric reads one value of a server's metrics.
func (s *serverProcess) metric(ctx context.Context, name string) float64 {
	s.t.Helper()
	text, err := s.client.Metrics(ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	for line := range strings.Lines(text) {
		var v float64
		if n, _ := fmt.Sscanf(line, name+" %g", &v); n == 1 {
			return v
		}
	}
	s.t.Fatalf("no metric is called %s", name)
	return 0
}

// controlGroups returns the control groups of a server's instances, in all
// hierarchies. The local platform names its own after the state folder.
func (s *serverProcess) controlGroups() []string {
	s.t.Helper()
	sum := sha256.Sum256([]byte(filepath.Join(s.data(), "platform")))
	name := "aquatope-" + hex.EncodeToString(sum[:6])
	var found []string
	_ = filepath.WalkDir("/sys/fs/cgroup", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && filepath.Base(filepath.Dir(path)) == name {
			found = append(found, path)
		}
		return nil // groups come and go while they are listed
	})
	return found
}
