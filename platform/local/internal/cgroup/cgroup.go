// Package cgroup limits and measures one tree of processes with Linux control
// groups, version 1 and version 2. It keeps the files that are read around
// every invocation open, so that a measurement is one pread.
package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// Limits of one group. Zero fields are not limited.
type Limits struct {
	MilliCPU int64 // thousandths of a CPU
	Memory   int64 // bytes; swap is limited with it
	Pids     int64 // processes and threads
}

// Meter measures one control group. Reading it costs a system call or two.
type Meter interface {
	// CPUTime is what all processes of the group have used so far.
	CPUTime() (time.Duration, bool)
	// ResetPeak forgets the peak of memory where the kernel can.
	ResetPeak()
	// PeakMemory is the highest memory in use since ResetPeak, in bytes.
	PeakMemory() int64
	// OOMKills counts the processes killed at the memory limit.
	OOMKills() int
	// PeakResets reports whether ResetPeak has an effect.
	PeakResets() bool
	// Close frees the meter.
	Close()
}

// Group is one control group, in one hierarchy (v2) or several (v1).
type Group interface {
	Meter
	// Pids lists the processes in the group.
	Pids() ([]int, error)
	// Enter moves the calling thread into the group, so that what it starts
	// is born there, and returns how to move it back. It does nothing where
	// FD serves. The caller has locked the thread.
	Enter() (leave func() error, err error)
	// FD is a descriptor for clone3's CLONE_INTO_CGROUP, or -1.
	FD() int
	// Kill sends SIGKILL to every process in the group, until none is left.
	Kill() error
	// Remove deletes the empty group and closes its files.
	Remove() error
}

// Root is the group under which a platform makes one group per instance.
type Root interface {
	Version() int
	// Missing names the controllers that cannot be used, with reasons.
	Missing() map[string]string
	// New makes a group. An error leaves nothing behind.
	New(name string, l Limits) (Group, error)
	// Sweep kills and removes every group below the root and returns how
	// many there were: what an earlier process left behind.
	Sweep() (int, error)
	// Dirs are the root's folders, for SweepDirs.
	Dirs() []string
	// Remove deletes the root itself, which must be empty.
	Remove() error
}

// Attach returns a meter of the group that a process is in, which somebody
// else made.
func Attach(pid int) (Meter, error) {
	m, err := findMounts()
	if err != nil {
		return nil, err
	}
	groups, err := groupsOf(strconv.Itoa(pid))
	if err != nil {
		return nil, err
	}
	if _, ok := m.v1["memory"]; ok {
		dirs := map[string]string{}
		for c, mnt := range m.v1 {
			dirs[c] = filepath.Join(mnt.point, ownBelow(mnt, groups[c]))
		}
		return newMeterV1(dirs)
	}
	if m.v2 == "" {
		return nil, ErrUnavailable
	}
	return newMeterV2(filepath.Join(m.v2, groups[""]), true)
}

// SweepDirs kills and removes all groups below the given folders and the
// folders themselves. It is for a process that did not open the root.
func SweepDirs(dirs []string) error {
	var errs []error
	for _, dir := range dirs {
		_, err := sweepDir(dir)
		errs = append(errs, err, removeDir(dir))
	}
	return errors.Join(errs...)
}

// sweepDir kills and removes the groups below dir and returns their names.
func sweepDir(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil, nil
		}
		return nil, err
	}
	var names []string
	var errs []error
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		names = append(names, e.Name())
		sub := filepath.Join(dir, e.Name())
		// cgroup.kill is there on v2 since Linux 5.14; no fork outruns it.
		_ = write(sub, "cgroup.kill", "1")
		errs = append(errs, killAll(func() ([]int, error) { return readPids(sub) }), removeDir(sub))
	}
	return names, errors.Join(errs...)
}

// ErrUnavailable is returned by Open where no controller can be used.
var ErrUnavailable = errors.New("control groups cannot be used")

// Open makes or takes over the root called name for this process.
func Open(name string) (Root, error) {
	own, err := groupsOf("self")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	mounts, err := findMounts()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if _, ok := mounts.v1["memory"]; ok {
		return openV1(name, mounts, own)
	}
	if _, ok := mounts.v1["cpu"]; ok {
		return openV1(name, mounts, own)
	}
	if mounts.v2 != "" {
		return openV2(name, mounts.v2, own[""])
	}
	return nil, fmt.Errorf("%w: no cgroup file system is mounted; mount one at /sys/fs/cgroup", ErrUnavailable)
}

// killAll sends SIGKILL to what pids returns until it returns nothing.
func killAll(pids func() ([]int, error)) error {
	for wait := time.Millisecond; wait < 4*time.Second; wait *= 2 {
		list, err := pids()
		if err != nil || len(list) == 0 {
			return err
		}
		for _, pid := range list {
			if pid == os.Getpid() {
				continue // a thread of ours is on its way out
			}
			if p, err := os.FindProcess(pid); err == nil {
				_ = p.Kill()
				_ = p.Release()
			}
		}
		time.Sleep(wait)
	}
	return errors.New("processes do not end after SIGKILL")
}

// removeDir deletes an empty group. The kernel may keep it busy for a moment
// after its last process ended.
func removeDir(dir string) error {
	var err error
	for wait := time.Millisecond; wait < 2*time.Second; wait *= 2 {
		err = os.Remove(dir)
		if err == nil || errors.Is(err, os.ErrNotExist) {
			return nil
		}
		time.Sleep(wait)
	}
	return fmt.Errorf("removing control group: %w", err)
}
