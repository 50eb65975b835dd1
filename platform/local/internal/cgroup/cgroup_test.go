package cgroup_test

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"testing"

	"github.com/aquatope/aquatope/platform/local/internal/cgroup"
)

// root opens a root of the test's own, or skips.
func root(t testing.TB) cgroup.Root {
	t.Helper()
	r, err := cgroup.Open(fmt.Sprintf("aquatope-test-%d", os.Getpid()))
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() {
		if _, err := r.Sweep(); err != nil {
			t.Error(err)
		}
		if err := r.Remove(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func TestPeriod(t *testing.T) {
	for _, c := range []struct{ milli, period, quota int64 }{
		{1000, 10_000, 10_000},
		{250, 10_000, 2_500},
		{100, 10_000, 1_000},
		{50, 20_000, 1_000},
		{10, 100_000, 1_000},
		{3, 333_333, 1_000},
		{4000, 10_000, 40_000},
	} {
		if p, q := cgroup.Period(c.milli); p != c.period || q != c.quota {
			t.Errorf("%dm: got %d us in %d, want %d in %d", c.milli, q, p, c.quota, c.period)
		}
	}
}

// TestSweep leaves a group with a process behind and expects that the next
// owner of the root ends it.
func TestSweep(t *testing.T) {
	r := root(t)
	if r.Version() == 2 {
		t.Skip("processes enter groups of version 2 at their birth, which the driver's tests cover")
	}
	g, err := r.New("left", cgroup.Limits{MilliCPU: 100, Memory: 32 << 20, Pids: 10})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sleep", "3600")
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		leave, err := g.Enter()
		if err == nil {
			err = cmd.Start()
		}
		if lerr := leave(); err == nil {
			err = lerr
		}
		started <- err
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	if pids, err := g.Pids(); err != nil || len(pids) != 1 || pids[0] != cmd.Process.Pid {
		t.Errorf("the group holds %v (%v), want %d", pids, err, cmd.Process.Pid)
	}
	if n, err := r.Sweep(); n != 1 || err != nil {
		t.Errorf("swept %d groups, %v", n, err)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("the process ended by itself")
	}
	g.Close()
}

// BenchmarkMeter reads what the platform reads around an invocation.
func BenchmarkMeter(b *testing.B) {
	g, err := root(b).New("bench", cgroup.Limits{MilliCPU: 100, Memory: 32 << 20})
	if err != nil {
		b.Fatal(err)
	}
	defer g.Remove()
	for b.Loop() {
		g.OOMKills()
		g.ResetPeak()
		g.CPUTime()
		g.CPUTime()
		g.PeakMemory()
	}
}
