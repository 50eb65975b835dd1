package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// wanted are the controllers used on v2. CPU time is accounted without one.
var wanted = []string{"cpu", "memory", "pids"}

type rootV2 struct {
	dir     string
	missing map[string]string
}

func openV2(name, mountPoint, own string) (Root, error) {
	var why []error
	for _, parent := range parentsV2(mountPoint, own) {
		r, err := openBelow(parent, name)
		if err == nil {
			return r, nil
		}
		why = append(why, err)
	}
	return nil, fmt.Errorf("%w: %w; run as root, or in a delegated scope: systemd-run --user --scope -p Delegate=yes COMMAND",
		ErrUnavailable, errors.Join(why...))
}

// parentsV2 lists where groups may be made, best first: the own group where
// it was delegated to us, else, for root, the top of the hierarchy.
func parentsV2(mountPoint, own string) []string {
	mine := filepath.Join(mountPoint, own)
	if os.Geteuid() != 0 || delegated(mine) {
		return []string{mine, mountPoint}
	}
	return []string{mountPoint, mine}
}

func openBelow(parent, name string) (Root, error) {
	if err := enable(parent); err != nil {
		return nil, err
	}
	r := &rootV2{dir: filepath.Join(parent, name), missing: map[string]string{}}
	if err := os.MkdirAll(r.dir, 0o755); err != nil {
		return nil, err
	}
	have, err := os.ReadFile(filepath.Join(r.dir, "cgroup.controllers"))
	if err != nil {
		return nil, err
	}
	avail := strings.Fields(string(have))
	for _, c := range wanted {
		if !contains(avail, c) {
			r.missing[c] = "the controller is not delegated to " + parent
			continue
		}
		if err := write(r.dir, "cgroup.subtree_control", "+"+c); err != nil {
			return nil, fmt.Errorf("enabling %s in %s: %w", c, r.dir, err)
		}
	}
	if r.missing["cpu"] != "" && r.missing["memory"] != "" {
		_ = os.Remove(r.dir)
		return nil, fmt.Errorf("neither cpu nor memory is delegated to %s", parent)
	}
	return r, nil
}

// enable turns the wanted controllers on for the children of parent. A group
// other than the top one may not have both processes and controlled children,
// so we move ourselves into a leaf where we are the only process.
func enable(parent string) error {
	missing := func() (m []string) {
		on, _ := os.ReadFile(filepath.Join(parent, "cgroup.subtree_control"))
		have, _ := os.ReadFile(filepath.Join(parent, "cgroup.controllers"))
		for _, c := range wanted {
			if contains(strings.Fields(string(have)), c) && !contains(strings.Fields(string(on)), c) {
				m = append(m, "+"+c)
			}
		}
		return m
	}
	m := missing()
	if len(m) == 0 {
		return nil
	}
	err := write(parent, "cgroup.subtree_control", strings.Join(m, " "))
	if err == nil {
		return nil
	}
	pids, perr := readPids(parent)
	if perr != nil || len(pids) != 1 || pids[0] != os.Getpid() {
		return fmt.Errorf("enabling %s in %s: %w", strings.Join(m, " "), parent, err)
	}
	leaf := filepath.Join(parent, "aquatope-server")
	if err := os.MkdirAll(leaf, 0o755); err != nil {
		return err
	}
	if err := write(leaf, "cgroup.procs", "0"); err != nil {
		return fmt.Errorf("moving into %s: %w", leaf, err)
	}
	if err := write(parent, "cgroup.subtree_control", strings.Join(m, " ")); err != nil {
		return fmt.Errorf("enabling %s in %s: %w", strings.Join(m, " "), parent, err)
	}
	return nil
}

func contains(list []string, s string) bool {
	for _, e := range list {
		if e == s {
			return true
		}
	}
	return false
}

func (r *rootV2) Version() int               { return 2 }
func (r *rootV2) Missing() map[string]string { return r.missing }
func (r *rootV2) Remove() error              { return removeDir(r.dir) }

func (r *rootV2) Dirs() []string { return []string{r.dir} }

func (r *rootV2) Sweep() (int, error) {
	names, err := sweepDir(r.dir)
	return len(names), err
}

type groupV2 struct {
	*meterV2
	dir  string
	self *os.File // the directory, for clone3
}

func (r *rootV2) New(name string, l Limits) (_ Group, err error) {
	g := &groupV2{dir: filepath.Join(r.dir, name), meterV2: &meterV2{}}
	if err := os.Mkdir(g.dir, 0o755); err != nil {
		return nil, fmt.Errorf("making control group: %w", err)
	}
	defer func() {
		if err != nil {
			_ = g.Remove()
		}
	}()
	if err := g.limit(l, r.missing); err != nil {
		return nil, err
	}
	if g.self, err = os.Open(g.dir); err != nil {
		return nil, err
	}
	m, err := newMeterV2(g.dir, r.missing["memory"] == "")
	if err != nil {
		return nil, err
	}
	g.meterV2 = m
	return g, nil
}

func (g *groupV2) limit(l Limits, missing map[string]string) error {
	if l.MilliCPU > 0 && missing["cpu"] == "" {
		p, q := Period(l.MilliCPU)
		if err := write(g.dir, "cpu.max", fmt.Sprintf("%d %d", q, p)); err != nil {
			return fmt.Errorf("limiting CPU: %w", err)
		}
	}
	if l.Memory > 0 && missing["memory"] == "" {
		if err := write(g.dir, "memory.max", strconv.FormatInt(l.Memory, 10)); err != nil {
			return fmt.Errorf("limiting memory: %w", err)
		}
		// Without swap in the kernel the file is absent and there is nothing to limit.
		if err := write(g.dir, "memory.swap.max", "0"); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("limiting swap: %w", err)
		}
		if err := write(g.dir, "memory.oom.group", "1"); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("setting the group to end as one: %w", err)
		}
	}
	if l.Pids > 0 && missing["pids"] == "" {
		if err := write(g.dir, "pids.max", strconv.FormatInt(l.Pids, 10)); err != nil {
			return fmt.Errorf("limiting processes: %w", err)
		}
	}
	return nil
}

func (g *groupV2) Pids() ([]int, error) { return readPids(g.dir) }
func (g *groupV2) FD() int              { return int(g.self.Fd()) }

// Enter does nothing: clone3 puts a process into the group at its birth.
func (g *groupV2) Enter() (func() error, error) { return func() error { return nil }, nil }

// Kill uses cgroup.kill (Linux 5.14), which no fork can outrun.
func (g *groupV2) Kill() error {
	_ = write(g.dir, "cgroup.kill", "1")
	return killAll(g.Pids)
}

func (g *groupV2) Remove() error {
	closeAll(g.self)
	g.Close()
	return removeDir(g.dir)
}
