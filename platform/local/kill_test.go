package local_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform"
	"github.com/aquatope/aquatope/platform/local"
	"github.com/aquatope/aquatope/platform/platformtest"
)

// TestMain lets the test binary be the server that TestKilledServer kills.
func TestMain(m *testing.M) {
	if dir := os.Getenv("AQUATOPE_TEST_HOST"); dir != "" {
		fn := function.Function{Name: "f", Concurrency: 1, Image: os.Getenv("AQUATOPE_TEST_IMAGE")}
		driver := local.DriverDocker
		if fn.Image == "" {
			fn.Command, driver = []string{os.Getenv("AQUATOPE_TEST_FUNCTION")}, local.DriverProcess
		}
		if err := host(dir, driver, fn); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	// Most cases wait most of the time, whatever the number of processors.
	flag.Parse()
	if err := flag.Set("test.parallel", "6"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// host runs a platform with an instance that left a child behind, prints the process numbers of the instances, and waits.
func host(dir, driver string, fn function.Function) error {
	p, err := local.New(local.Config{DataDir: dir, Driver: driver, QueueDeadline: patience})
	if err != nil {
		return err
	}
	fn.StartTimeout = patience
	rev := function.NewRevision(fn, function.Resources{CPU: 250, Memory: 64 * function.MiB})
	ctx := context.Background()
	if err := p.Deploy(ctx, rev); err != nil {
		return err
	}
	fork := `{"fork":"session"}`
	if !p.Enforced().CPU { // only a control group holds what leaves its process group
		fork = `{"fork":"group"}`
	}
	var pids []int
	for _, body := range []string{fork, `{"env":true}`} {
		resp, err := p.Invoke(ctx, platform.Request{Revision: rev.Name, Body: []byte(body)})
		if err != nil {
			return err
		}
		var got struct {
			PID int `json:"pid"`
		}
		if err := json.Unmarshal(resp.Body, &got); err != nil {
			return err
		}
		if got.PID != 0 {
			pids = append(pids, got.PID)
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(pids); err != nil {
		return err
	}
	select {}
}

// TestKilledServer kills a server without warning, and expects that nothing it
// started lives on and that the next server finds a clean machine.
func TestKilledServer(t *testing.T) {
	dir, bin := t.TempDir(), platformtest.Build(t)
	for round := range 3 {
		killServer(t, "AQUATOPE_TEST_HOST="+dir, "AQUATOPE_TEST_FUNCTION="+bin)
		for end := time.Now().Add(patience); len(running(bin)) > 0; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("round %d: processes %v live on", round, running(bin))
			}
		}
	}
	var log strings.Builder
	p, err := local.New(local.Config{DataDir: dir, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if got := groups(dir); len(got) > 0 {
		t.Errorf("control groups %v are left", got)
	}
}

// killServer starts a server with the environment env, and kills it when its
// instances run.
func killServer(t *testing.T, env ...string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pids []int
	if err := json.NewDecoder(out).Decode(&pids); err != nil || len(pids) == 0 {
		_ = cmd.Process.Kill()
		t.Fatalf("the server did not start: %v", err)
	}
	_ = cmd.Process.Signal(syscall.SIGKILL)
	_, _ = io.Copy(io.Discard, out)
	_ = cmd.Wait()
}

// TestBrokenWarmInstance keeps an instance warm that ends soon after it got
// ready, and expects that it is replaced, but not in a tight loop.
func TestBrokenWarmInstance(t *testing.T) {
	starts := make(chan platform.Start, 1000)
	p, _ := world(t, local.Config{StartObserver: func(s platform.Start) { starts <- s }})
	rev := function.NewRevision(function.Function{
		Name: "f", Command: []string{platformtest.Build(t)}, Env: []function.EnvVar{{Name: "FN_DIE_AFTER", Value: "30ms"}},
	}, function.Resources{CPU: 500, Memory: 64 * function.MiB})
	if err := p.Deploy(t.Context(), rev); err != nil {
		t.Fatal(err)
	}
	if err := p.Scale(t.Context(), rev.Name, platform.Scale{Warm: 1, KeepAlive: time.Hour}); err != nil {
		t.Fatal(err)
	}
	var last platform.Start
	for i := range 3 {
		select {
		case s := <-starts:
			// Back-off is half a second, then one: load can only add to that.
			if pause := s.Time.Sub(last.Time); i > 0 && pause < 400*time.Millisecond<<(i-1) {
				t.Errorf("start %d came %s after the one before", i, pause)
			}
			last = s
		case <-time.After(patience):
			t.Fatalf("no start after the first %d", i)
		}
	}
}

func TestDataDirIsUsedOnce(t *testing.T) {
	dir := t.TempDir()
	world(t, local.Config{DataDir: dir})
	if _, err := local.New(local.Config{DataDir: dir}); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("a second platform in one folder: %v", err)
	}
}

// running lists the processes that execute bin.
func running(bin string) []string {
	var pids []string
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		exe, err := os.Readlink("/proc/" + e.Name() + "/exe")
		if err == nil && exe == bin {
			pids = append(pids, e.Name())
		}
	}
	return pids
}
