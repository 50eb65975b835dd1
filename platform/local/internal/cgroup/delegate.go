package cgroup

import "golang.org/x/sys/unix"

// delegated reports whether a service manager marked the group as ours, as
// systemd does for Delegate=yes.
func delegated(dir string) bool {
	var buf [8]byte
	for _, attr := range []string{"trusted.delegate", "user.delegate"} {
		if n, err := unix.Getxattr(dir, attr, buf[:]); err == nil && n == 1 && buf[0] == '1' {
			return true
		}
	}
	return false
}
