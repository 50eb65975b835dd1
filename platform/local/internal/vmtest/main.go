// Command vmtest runs tests of the local platform in a virtual machine whose
// kernel has control groups of version 2 only, and passes on how they ended.
// It needs qemu-system-x86_64, and a kernel: a path as -kernel, or else
// Debian's linux-image-cloud-amd64, which it fetches with apt-get. Software
// emulation is enough, so that it runs anywhere.
//
//	go run ./platform/local/internal/vmtest
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	kernel := flag.String("kernel", "", "kernel image (default: Debian's cloud kernel)")
	run := flag.String("run", "^(TestProcessDriver|TestKilledServer|TestFunctionWritesOnlyItsOwnFolders|TestDiagnose)$", "tests to run")
	limit := flag.Duration("timeout", 25*time.Minute, "how long the machine may take")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, *limit)
	defer cancel()
	if err := vmtest(ctx, *kernel, *run); err != nil {
		fmt.Fprintln(os.Stderr, "vmtest:", err)
		os.Exit(1)
	}
}

func vmtest(ctx context.Context, kernel, run string) error {
	if _, err := exec.LookPath("qemu-system-x86_64"); err != nil {
		return fmt.Errorf("%w: install Debian's qemu-system-x86", err)
	}
	dir, err := os.MkdirTemp("", "aquatope-vm")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if kernel == "" {
		if kernel, err = debianKernel(ctx, dir); err != nil {
			return fmt.Errorf("getting a kernel: %w; name one with -kernel", err)
		}
	}
	initrd, err := initramfs(ctx, dir)
	if err != nil {
		return err
	}
	return boot(ctx, kernel, initrd, run)
}

// debianKernel fetches and unpacks the kernel that Debian names for clouds.
func debianKernel(ctx context.Context, dir string) (string, error) {
	out, err := exec.CommandContext(ctx, "apt-cache", "depends", "linux-image-cloud-amd64").Output()
	if err != nil {
		return "", err
	}
	_, after, ok := strings.Cut(string(out), "Depends: ")
	if !ok {
		return "", errors.New("apt knows no linux-image-cloud-amd64; try apt-get update")
	}
	name, _, _ := strings.Cut(after, "\n")
	script := `apt-get download -q "$1" && dpkg -x "$1"_*.deb .`
	cmd := exec.CommandContext(ctx, "sh", "-c", script, "sh", strings.TrimSpace(name))
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	found, err := filepath.Glob(filepath.Join(dir, "boot", "vmlinuz-*"))
	if err != nil || len(found) == 0 {
		return "", errors.New("the package holds no kernel")
	}
	return found[0], nil
}

// initramfs builds the guest's programs and packs them.
func initramfs(ctx context.Context, dir string) (string, error) {
	const module = "github.com/aquatope/aquatope/platform"
	programs := []struct{ file, pkg, verb string }{
		{"init", module + "/local/internal/vmtest/guest", "build"},
		{"fn", module + "/platformtest/fn", "build"},
		{"local.test", module + "/local", "test"},
	}
	path := filepath.Join(dir, "initramfs")
	f, err := os.Create(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	archive := newCPIO(f)
	for _, d := range []string{"dev", "proc", "sys", "tmp", "etc"} {
		archive.dir(d)
	}
	archive.device("dev/console", 5, 1)
	for _, p := range programs {
		bin := filepath.Join(dir, p.file)
		args := []string{p.verb, "-o", bin}
		if p.verb == "test" {
			args = append(args, "-c")
		}
		cmd := exec.CommandContext(ctx, "go", append(args, p.pkg)...)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("building %s: %w\n%s", p.pkg, err, out)
		}
		data, err := os.ReadFile(bin)
		if err != nil {
			return "", err
		}
		archive.file(p.file, data)
	}
	return path, archive.close()
}

// passed is what the guest prints at the end if all went well.
const passed = "vmtest guest: passed"

// boot runs the machine and reads its console.
func boot(ctx context.Context, kernel, initrd, run string) error {
	cmd := exec.CommandContext(ctx, "qemu-system-x86_64", "-accel", "tcg", "-smp", "2", "-m", "1536",
		"-nographic", "-no-reboot", "-kernel", kernel, "-initrd", initrd,
		"-append", "console=ttyS0 quiet panic=-1 cgroup_no_v1=all vmtest.run="+run)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	ok := false
	s := bufio.NewScanner(io.TeeReader(out, os.Stdout))
	for s.Scan() {
		ok = ok || strings.HasPrefix(s.Text(), passed)
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("the machine ended: %w", errors.Join(err, ctx.Err()))
	}
	if !ok {
		return errors.New("the tests in the machine did not pass")
	}
	return nil
}
