// Package landlock confines one thread, and what it starts, to parts of the
// file system, to one port to listen on, and to signals among its own. It uses
// go-landlock's system calls rather than its rules, for those confine all
// threads of a process, and ours must go on serving.
package landlock

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
)

// Access to a file or folder and what is below it.
type Access uint64

// What may be done, as far as the kernel can tell it apart.
const (
	Read  Access = ll.AccessFSExecute | ll.AccessFSReadFile | ll.AccessFSReadDir
	Write Access = Read | ll.AccessFSWriteFile | ll.AccessFSRemoveDir | ll.AccessFSRemoveFile | ll.AccessFSMakeDir |
		ll.AccessFSMakeReg | ll.AccessFSMakeSock | ll.AccessFSMakeFifo | ll.AccessFSMakeSym | ll.AccessFSRefer | ll.AccessFSTruncate
	files Access = ll.AccessFSExecute | ll.AccessFSReadFile | ll.AccessFSWriteFile | ll.AccessFSTruncate
)

// handled returns what a kernel with the given version of the interface can
// restrict. Everything handled and not allowed by a rule is forbidden.
func handled(abi int) ll.RulesetAttr {
	fs := Write | ll.AccessFSMakeChar | ll.AccessFSMakeBlock
	if abi < 3 {
		fs &^= ll.AccessFSTruncate
	}
	if abi < 2 {
		fs &^= ll.AccessFSRefer
	}
	a := ll.RulesetAttr{HandledAccessFS: uint64(fs)}
	if abi >= 4 {
		a.HandledAccessNet = ll.AccessNetBindTCP
	}
	if abi >= 6 {
		a.Scoped = ll.ScopeSignal | ll.ScopeAbstractUnixSocket
	}
	return a
}

// Version returns the kernel's version of the interface, 0 without Landlock.
func Version() int {
	v, err := ll.LandlockGetABIVersion()
	if err != nil {
		return 0
	}
	return v
}

// Rules is a set of rules under construction. Close frees it.
type Rules struct {
	fd   int
	attr ll.RulesetAttr
}

// New returns rules that forbid everything that the kernel can forbid.
func New() (*Rules, error) {
	abi := Version()
	if abi < 1 {
		return nil, errors.New("the kernel has no Landlock")
	}
	attr := handled(abi)
	fd, err := ll.LandlockCreateRuleset(&attr, 0)
	if err != nil {
		return nil, fmt.Errorf("making Landlock rules: %w", err)
	}
	return &Rules{fd: fd, attr: attr}, nil
}

// Allow allows access to path and what is below it. What does not exist needs
// no rule.
func (r *Rules) Allow(path string, a Access) error {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EACCES) {
			return nil
		}
		return &os.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return &os.PathError{Op: "stat", Path: path, Err: err}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		a &= files
	}
	rule := ll.PathBeneathAttr{AllowedAccess: uint64(a) & r.attr.HandledAccessFS, ParentFd: fd}
	if err := ll.LandlockAddPathBeneathRule(r.fd, &rule, 0); err != nil {
		return fmt.Errorf("allowing %s: %w", path, err)
	}
	return nil
}

// AllowListen allows listening on port, and on ports that the kernel chooses.
func (r *Rules) AllowListen(port int) error {
	if r.attr.HandledAccessNet == 0 {
		return nil
	}
	for _, p := range []int{port, 0} {
		rule := ll.NetPortAttr{AllowedAccess: ll.AccessNetBindTCP, Port: uint64(p)}
		if err := ll.LandlockAddNetPortRule(r.fd, &rule, 0); err != nil {
			return fmt.Errorf("allowing port %d: %w", p, err)
		}
	}
	return nil
}

// Enforce confines the calling thread, which must have given up new privileges.
func (r *Rules) Enforce() error {
	if err := ll.LandlockRestrictSelf(r.fd, 0); err != nil {
		return fmt.Errorf("enforcing Landlock rules: %w", err)
	}
	return nil
}

// Close frees the rules; where they are enforced they stay so.
func (r *Rules) Close() { _ = unix.Close(r.fd) }

// SystemPaths lists what programs need to read: the system's own folders, and
// those where the search path finds programs, with their libraries.
func SystemPaths(searchPath, home string) []string {
	paths := []string{
		"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/opt", "/nix", "/snap",
		"/proc", "/sys", "/dev", "/run/systemd/resolve", "/var/lib/ca-certificates",
	}
	for _, p := range filepath.SplitList(searchPath) {
		if !filepath.IsAbs(p) {
			continue
		}
		// bin and its siblings lib, share and the like belong together, unless
		// it is the bin of somebody's home.
		if up := filepath.Dir(p); up != "/" && up != filepath.Clean(home) && !strings.HasPrefix(filepath.Clean(home)+"/", up+"/") {
			p = up
		}
		paths = append(paths, p)
	}
	return paths
}

// Devices are the files below /dev that programs write to.
var Devices = []string{"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/shm"}
