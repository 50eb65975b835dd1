package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// controllers are those used on v1; each may be mounted on its own.
var controllers = []string{"cpu", "cpuacct", "memory", "pids"}

type rootV1 struct {
	dirs    map[string]string // by controller
	home    map[string]string // the groups of this process, by controller
	missing map[string]string
}

func openV1(name string, m mounts, own map[string]string) (Root, error) {
	r := &rootV1{dirs: map[string]string{}, home: map[string]string{}, missing: map[string]string{}}
	for _, c := range controllers {
		mnt, ok := m.v1[c]
		if !ok {
			r.missing[c] = "the controller is not mounted; mount it below /sys/fs/cgroup"
			continue
		}
		r.home[c] = filepath.Join(mnt.point, ownBelow(mnt, own[c]))
		dir := filepath.Join(r.home[c], name)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			r.missing[c] = fmt.Sprintf("no right to make a group (%v); run as root, or have an administrator give you %s", err, filepath.Dir(dir))
			continue
		}
		r.dirs[c] = dir
	}
	if len(r.dirs) == 0 {
		return nil, fmt.Errorf("%w: %s", ErrUnavailable, r.missing["cpu"])
	}
	return r, nil
}

// ownBelow is the path of the process's own group below a mount that may show
// a part of the hierarchy only, as in a container.
func ownBelow(m mount, own string) string {
	if rel, err := filepath.Rel(m.root, own); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return ""
}

func (r *rootV1) Version() int               { return 1 }
func (r *rootV1) Missing() map[string]string { return r.missing }

func (r *rootV1) Dirs() []string {
	var dirs []string
	for _, dir := range r.dirs {
		dirs = append(dirs, dir)
	}
	return dirs
}

func (r *rootV1) Sweep() (int, error) {
	found := map[string]bool{}
	var errs []error
	for _, dir := range r.dirs {
		names, err := sweepDir(dir)
		errs = append(errs, err)
		for _, n := range names {
			found[n] = true
		}
	}
	return len(found), errors.Join(errs...)
}

func (r *rootV1) Remove() error {
	var errs []error
	for _, dir := range r.dirs {
		errs = append(errs, removeDir(dir))
	}
	return errors.Join(errs...)
}

type groupV1 struct {
	*meterV1
	dirs, home map[string]string
}

func (r *rootV1) New(name string, l Limits) (_ Group, err error) {
	g := &groupV1{dirs: map[string]string{}, home: r.home, meterV1: &meterV1{}}
	defer func() {
		if err != nil {
			_ = g.Remove()
		}
	}()
	for c, dir := range r.dirs {
		sub := filepath.Join(dir, name)
		if err := os.Mkdir(sub, 0o755); err != nil {
			return nil, fmt.Errorf("making control group: %w", err)
		}
		g.dirs[c] = sub
	}
	if err := g.limit(l); err != nil {
		return nil, err
	}
	m, err := newMeterV1(g.dirs)
	if err != nil {
		return nil, err
	}
	g.meterV1 = m
	return g, nil
}

func (g *groupV1) limit(l Limits) error {
	if dir, ok := g.dirs["cpu"]; ok && l.MilliCPU > 0 {
		p, q := Period(l.MilliCPU)
		err := errors.Join(write(dir, "cpu.cfs_period_us", strconv.FormatInt(p, 10)),
			write(dir, "cpu.cfs_quota_us", strconv.FormatInt(q, 10)))
		if err != nil {
			return fmt.Errorf("limiting CPU: %w", err)
		}
	}
	if dir, ok := g.dirs["memory"]; ok && l.Memory > 0 {
		limit := strconv.FormatInt(l.Memory, 10)
		if err := write(dir, "memory.limit_in_bytes", limit); err != nil {
			return fmt.Errorf("limiting memory: %w", err)
		}
		// Kernels built or booted without swap accounting lack memsw; there
		// swappiness 0 keeps the group's pages in memory.
		if err := write(dir, "memory.memsw.limit_in_bytes", limit); err != nil {
			if err := write(dir, "memory.swappiness", "0"); err != nil {
				return fmt.Errorf("limiting swap: %w", err)
			}
		}
	}
	if dir, ok := g.dirs["pids"]; ok && l.Pids > 0 {
		if err := write(dir, "pids.max", strconv.FormatInt(l.Pids, 10)); err != nil {
			return fmt.Errorf("limiting processes: %w", err)
		}
	}
	return nil
}

func (g *groupV1) Pids() ([]int, error) {
	for _, dir := range g.dirs {
		return readPids(dir)
	}
	return nil, nil
}

// Enter writes to the thread lists: a thread that moves itself alone spares
// the kernel a wait of five to ten milliseconds that moving a process costs.
func (g *groupV1) Enter() (leave func() error, err error) {
	var back []*os.File
	leave = func() error {
		var errs []error
		for _, f := range back {
			_, err := f.WriteString("0")
			errs = append(errs, err, f.Close())
		}
		return errors.Join(errs...)
	}
	for _, c := range controllers {
		dir, ok := g.dirs[c]
		if !ok {
			continue
		}
		// Opened now: the thread may have lost the right to when it leaves.
		home, err := os.OpenFile(filepath.Join(g.home[c], "tasks"), os.O_WRONLY, 0)
		if err != nil {
			return leave, err
		}
		back = append(back, home)
		if err := write(dir, "tasks", "0"); err != nil {
			return leave, fmt.Errorf("entering control group: %w", err)
		}
	}
	return leave, nil
}

func (g *groupV1) FD() int     { return -1 }
func (g *groupV1) Kill() error { return killAll(g.Pids) }

func (g *groupV1) Remove() error {
	g.Close()
	var errs []error
	for _, dir := range g.dirs {
		errs = append(errs, removeDir(dir))
	}
	return errors.Join(errs...)
}
