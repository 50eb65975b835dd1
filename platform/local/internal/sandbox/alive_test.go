package sandbox_test

import (
	"os"
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/aquatope/aquatope/platform/local/internal/sandbox"
)

// A process that ended counts as that before anybody has waited for it.
func TestAlive(t *testing.T) {
	if !sandbox.Alive(os.Getpid()) {
		t.Error("this process is held to be ending")
	}
	cmd := exec.Command("sleep", "3600")
	if err := cmd.Start(); err != nil {
		t.Skip(err)
	}
	if !sandbox.Alive(cmd.Process.Pid) {
		t.Error("a process that sleeps is held to be ending")
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := unix.Waitid(unix.P_PID, cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil); err != nil {
		t.Fatal(err)
	}
	if sandbox.Alive(cmd.Process.Pid) {
		t.Error("a process that ended is held to be alive")
	}
	_ = cmd.Wait() // says that it was killed
	if sandbox.Alive(cmd.Process.Pid) {
		t.Error("a process that is gone is held to be alive")
	}
}
