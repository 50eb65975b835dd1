package cgroup

import (
	"bufio"
	"os"
	"strings"
)

// mounts says where the hierarchies are mounted: v1 by controller.
type mounts struct {
	v1 map[string]mount
	v2 string
}

// mount is a mount point and the part of the hierarchy that it shows.
type mount struct{ point, root string }

// findMounts reads /proc/self/mountinfo, see proc(5).
func findMounts() (mounts, error) {
	m := mounts{v1: map[string]mount{}}
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return m, err
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	for s.Scan() {
		left, right, ok := strings.Cut(s.Text(), " - ")
		l, r := strings.Fields(left), strings.Fields(right)
		if !ok || len(l) < 5 || len(r) < 3 {
			continue
		}
		switch r[0] {
		case "cgroup2":
			if m.v2 == "" {
				m.v2 = l[4]
			}
		case "cgroup":
			for _, c := range strings.Split(r[2], ",") {
				if _, seen := m.v1[c]; !seen {
					m.v1[c] = mount{point: l[4], root: l[3]}
				}
			}
		}
	}
	return m, s.Err()
}

// groupsOf reads the groups of a process by v1 controller; the v2 group is
// under the key "".
func groupsOf(pid string) (map[string]string, error) {
	b, err := os.ReadFile("/proc/" + pid + "/cgroup")
	if err != nil {
		return nil, err
	}
	own := map[string]string{}
	for line := range strings.Lines(string(b)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		for _, c := range strings.Split(parts[1], ",") {
			own[c] = parts[2]
		}
	}
	return own, nil
}
