// Package process runs instances as processes of this machine, each in a
// control group and a process group of its own.
package process

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform/local/internal/cgroup"
	"github.com/aquatope/aquatope/platform/local/internal/launch"
	"github.com/aquatope/aquatope/platform/local/internal/sandbox"
)

// maxPids bounds the processes and threads of one instance.
const maxPids = 2048

// Driver starts processes. Make one with New.
type Driver struct {
	root    cgroup.Root // nil where control groups cannot be used
	noRoot  error       // why
	scratch string      // a folder per instance is made below it
	shared  string      // a folder that all instances may write to, $AQUATOPE_DATA for them
	spawner *spawner
	ports   *ports
	log     *slog.Logger
}

// New takes over the state folder dir, which the caller has locked: whatever
// an earlier process left running there is ended.
func New(dir string, log *slog.Logger) (*Driver, error) {
	d := &Driver{scratch: filepath.Join(dir, "instances"), shared: filepath.Join(dir, "shared"), log: log, ports: newPorts(os.Getpid() * 97)}
	d.root, d.noRoot = cgroup.Open(groupName(dir))
	if d.noRoot != nil && !errors.Is(d.noRoot, cgroup.ErrUnavailable) {
		return nil, d.noRoot
	}
	if d.root != nil {
		n, err := d.root.Sweep()
		if err != nil {
			return nil, fmt.Errorf("ending what an earlier process left: %w", err)
		}
		if n > 0 {
			log.Warn("ended instances that an earlier process left", "instances", n)
		}
	}
	if err := os.RemoveAll(d.scratch); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(d.scratch, 0o700); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(d.shared, 0o700); err != nil {
		return nil, err
	}
	d.spawner = newSpawner()
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
	d.spawner.close()
	err := os.RemoveAll(d.scratch)
	if d.root != nil {
		_, serr := d.root.Sweep()
		err = errors.Join(err, serr, d.root.Remove())
	}
	return err
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
	plan := launch.Plan{Path: path, Args: append(rev.Function.Command[1:len(rev.Function.Command):len(rev.Function.Command)], rev.Function.Args...)}
	attr := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if d.root != nil {
		in.group, err = d.root.New(spec.Instance, cgroup.Limits{
			MilliCPU: int64(rev.Resources.CPU), Memory: int64(rev.Resources.Memory), Pids: maxPids,
		})
		if err != nil {
			return err
		}
		plan.Join = in.group.JoinFiles()
		if fd := in.group.FD(); fd >= 0 {
			attr.UseCgroupFD, attr.CgroupFD = true, fd
		}
	}
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	in.pipe = r
	cmd := &exec.Cmd{
		Path: "/proc/self/exe", Args: plan.Argv(), Env: environ(spec, in.port, in.dir, d.shared), Dir: rev.Function.Dir,
		Stdout: w, Stderr: w, SysProcAttr: attr,
	}
	if cmd.Dir == "" {
		cmd.Dir = in.dir
	}
	err = d.spawner.start(cmd)
	_ = w.Close()
	if err != nil {
		return fmt.Errorf("starting the process: %w", err)
	}
	in.cmd = cmd
	in.out = newOutput(r, d.log.With("function", rev.Function.Name, "instance", spec.Instance))
	go in.wait()
	return nil
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
