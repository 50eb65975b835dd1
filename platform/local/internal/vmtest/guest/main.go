// Command guest is the first process of the virtual machine in which vmtest
// runs tests: it mounts what they need, runs them, and turns the machine off.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"

	"golang.org/x/sys/unix"
)

func main() {
	if err := run(); err != nil {
		fmt.Println("vmtest guest: failed:", err)
	} else {
		fmt.Println("vmtest guest: passed")
	}
	unix.Sync()
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_RESTART)
}

func run() error {
	for _, m := range []struct{ kind, at string }{
		{"devtmpfs", "/dev"}, {"proc", "/proc"}, {"sysfs", "/sys"}, {"tmpfs", "/tmp"}, {"cgroup2", "/sys/fs/cgroup"},
	} {
		if err := unix.Mount(m.kind, m.at, m.kind, 0, ""); err != nil {
			return fmt.Errorf("mounting %s: %w", m.at, err)
		}
	}
	if err := loopback(); err != nil {
		return fmt.Errorf("setting up the loopback network: %w", err)
	}
	version, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	controllers, _ := os.ReadFile("/sys/fs/cgroup/cgroup.controllers")
	fmt.Printf("Linux %s with the cgroup v2 controllers %s\n", strings.TrimSpace(string(version)), strings.TrimSpace(string(controllers)))
	cmd := exec.Command("/local.test", "-test.v", "-test.timeout", "30m", "-test.run", tests())
	cmd.Env = []string{
		"PATH=/", "HOME=/tmp", "TMPDIR=/tmp",
		"AQUATOPE_TEST_FN=/fn", "AQUATOPE_TEST_LIMITS=require", "AQUATOPE_MEASURE=1",
	}
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stdout
	return cmd.Run()
}

// tests reads which tests to run from the kernel's command line.
func tests() string {
	line, _ := os.ReadFile("/proc/cmdline")
	for _, f := range strings.Fields(string(line)) {
		if v, ok := strings.CutPrefix(f, "vmtest.run="); ok {
			return v
		}
	}
	return "."
}

// loopback brings the interface lo up.
func loopback() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	req, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	req.SetUint16(unix.IFF_UP)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, req)
}
