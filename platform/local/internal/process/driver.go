// Package process runs instances as processes of this machine, each in a
// control group and a process group of its own.
package process

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform/local/internal/cgroup"
	"github.com/aquatope/aquatope/platform/local/internal/guard"
	"github.com/aquatope/aquatope/platform/local/internal/landlock"
	"github.com/aquatope/aquatope/platform/local/internal/sandbox"
)

// maxPids bounds the processes and threads of one instance.
const maxPids = 2048

// Driver starts processes. Make one with New.
type Driver struct {
	root    cgroup.Root // nil where control groups cannot be used
	noRoot  error       // why
	scratch string      // a folder per instance is made below it
	shared  string      // a folder for all instances, which is kept
	guard   *guard.Guard
	ports   *ports
	confine bool // the kernel has Landlock
	null    *os.File
	log     *slog.Logger
}

// New takes over the state folder dir, which the caller has locked with lock:
// whatever an earlier process left running there is ended.
func New(dir string, lock *os.File, log *slog.Logger) (_ *Driver, err error) {
	d := &Driver{
		scratch: filepath.Join(dir, "instances"), shared: filepath.Join(dir, "shared"),
		log: log, ports: newPorts(), confine: landlock.Version() > 0,
	}
	d.root, d.noRoot = cgroup.Open(groupName(dir))
	if d.noRoot != nil && !errors.Is(d.noRoot, cgroup.ErrUnavailable) {
		return nil, d.noRoot
	}
	var groups []string
	if d.root != nil {
		n, err := d.root.Sweep()
		if err != nil {
			return nil, fmt.Errorf("ending what an earlier process left: %w", err)
		}
		if n > 0 {
			log.Warn("ended instances that an earlier process left", "instances", n)
		}
		groups = d.root.Dirs()
	}
	if err := os.RemoveAll(d.scratch); err != nil {
		return nil, err
	}
	for _, f := range []string{d.scratch, d.shared} {
		if err := os.MkdirAll(f, 0o700); err != nil {
			return nil, err
		}
	}
	if d.null, err = os.Open(os.DevNull); err != nil {
		return nil, err
	}
	if d.guard, err = guard.Start(groups, lock); err != nil {
		return nil, errors.Join(err, d.null.Close())
	}
	return d, nil
}

// Enforced says which limits take effect.
func (d *Driver) Enforced() sandbox.Enforced {
	if d.root == nil {
		return sandbox.Enforced{Reason: d.noRoot.Error()}
	}
	var reasons []string
	for c, why := range d.root.Missing() {
		reasons = append(reasons, c+": "+why)
	}
	m := d.root.Missing()
	return sandbox.Enforced{
		CPU:    m["cpu"] == "" && m["cpuacct"] == "",
		Memory: m["memory"] == "",
		Reason: strings.Join(reasons, "; "),
	}
}

// Close frees the driver's groups and folders.
func (d *Driver) Close() error {
	errs := []error{os.RemoveAll(d.scratch), d.null.Close()}
	if d.root != nil {
		_, err := d.root.Sweep()
		errs = append(errs, err, d.root.Remove())
	}
	return errors.Join(append(errs, d.guard.Close())...)
}

// Start starts one process.
func (d *Driver) Start(_ context.Context, spec sandbox.Spec) (sandbox.Instance, error) {
	fn := spec.Revision.Function
	path, err := lookup(fn)
	if err != nil {
		return nil, err
	}
	in := &instance{driver: d, done: make(chan struct{})}
	if err := in.start(spec, path); err != nil {
		in.cleanup()
		return nil, err
	}
	return in, nil
}

// lookup finds the executable of a function.
func lookup(fn function.Function) (string, error) {
	if len(fn.Command) == 0 {
		return "", fmt.Errorf("function %s has no command: the process driver needs one, or use the docker driver for its image", fn.Name)
	}
	name := fn.Command[0]
	if strings.ContainsRune(name, '/') && !filepath.IsAbs(name) {
		name = filepath.Join(fn.Dir, name)
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("command of function %s: %w", fn.Name, err)
	}
	return filepath.Abs(path)
}

func (in *instance) start(spec sandbox.Spec, path string) (err error) {
	d, rev := in.driver, spec.Revision
	if in.port, err = d.ports.take(); err != nil {
		return err
	}
	in.dir = filepath.Join(d.scratch, spec.Instance)
	if err = os.Mkdir(in.dir, 0o700); err != nil {
		return err
	}
	attr := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if d.root != nil {
		in.group, err = d.root.New(spec.Instance, cgroup.Limits{
			MilliCPU: int64(rev.Resources.CPU), Memory: int64(rev.Resources.Memory), Pids: maxPids,
		})
		if err != nil {
			return err
		}
		in.Meter = in.group
		if fd := in.group.FD(); fd >= 0 {
			attr.UseCgroupFD, attr.CgroupFD = true, fd
		}
	}
	rules, err := in.rules(rev.Function, path)
	if err != nil {
		return err
	}
	if rules != nil {
		defer rules.Close()
	}
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	in.pipe = r
	cmd := &exec.Cmd{
		Path: path, Args: slices.Concat([]string{path}, rev.Function.Command[1:], rev.Function.Args),
		Env: environ(spec, in.port, in.dir, d.shared), Dir: cmp.Or(rev.Function.Dir, in.dir),
		Stdin: d.null, Stdout: w, Stderr: w, SysProcAttr: attr,
	}
	err = in.spawn(cmd, rules)
	_ = w.Close()
	if err != nil {
		return fmt.Errorf("starting the process: %w", err)
	}
	in.out = sandbox.NewOutput(r, d.log.With("function", rev.Function.Name, "instance", spec.Instance))
	return nil
}

// rules confine a function to reading the system and its own folders, and to
// writing its own and the shared one; nil where the kernel has no Landlock.
func (in *instance) rules(fn function.Function, path string) (*landlock.Rules, error) {
	if !in.driver.confine {
		return nil, nil
	}
	rules, err := landlock.New()
	if err != nil {
		return nil, err
	}
	home, _ := os.UserHomeDir()
	var errs []error
	// A command may be a link to a program elsewhere, as in Python's virtual
	// environments: both ends are needed.
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		rules.Close()
		return nil, err
	}
	for _, p := range append(landlock.SystemPaths(os.Getenv("PATH"), home), filepath.Dir(path), filepath.Dir(target)) {
		errs = append(errs, rules.Allow(p, landlock.Read))
	}
	for _, p := range append([]string{in.dir, in.driver.shared, fn.Dir}, landlock.Devices...) {
		if p != "" {
			errs = append(errs, rules.Allow(p, landlock.Write))
		}
	}
	errs = append(errs, rules.AllowListen(in.port))
	if err := errors.Join(errs...); err != nil {
		rules.Close()
		return nil, err
	}
	return rules, nil
}

// environ is all that a function sees of our environment: its contract, its
// own variables, and where to find programs.
func environ(spec sandbox.Spec, port int, tmp, shared string) []string {
	rev := spec.Revision
	env := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + tmp, "TMPDIR=" + tmp, "AQUATOPE_DATA=" + shared,
		"K_SERVICE=" + rev.Function.Name, "K_CONFIGURATION=" + rev.Function.Name, "K_REVISION=" + rev.Name,
	}
	for _, e := range rev.Function.Env {
		env = append(env, e.Name+"="+e.Value)
	}
	return append(env, "PORT="+strconv.Itoa(port))
}
