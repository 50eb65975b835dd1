package cgroup

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Period returns the bandwidth period and the quota for a CPU limit, both in
// microseconds. The period is short, so that an execution of a few
// milliseconds feels its limit; the kernel refuses a quota below 1 ms, which
// lengthens the period of small limits.
func Period(milliCPU int64) (periodUS, quotaUS int64) {
	periodUS = 10_000
	if min := 1000 * 1000 / milliCPU; periodUS < min {
		periodUS = min
	}
	return periodUS, max(periodUS*milliCPU/1000, 1000)
}

func write(dir, file, value string) error {
	f, err := os.OpenFile(filepath.Join(dir, file), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(value)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

func readPids(dir string) ([]int, error) {
	b, err := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
	if err != nil {
		if os.IsNotExist(err) {
			return nil, nil
		}
		return nil, err
	}
	var pids []int
	for _, f := range strings.Fields(string(b)) {
		if pid, err := strconv.Atoi(f); err == nil && pid > 0 {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// preadInt reads the number in a file that holds nothing else.
func preadInt(f *os.File) (int64, bool) {
	if f == nil {
		return 0, false
	}
	var buf [32]byte
	n, _ := f.ReadAt(buf[:], 0)
	v, err := strconv.ParseInt(string(bytes.TrimSpace(buf[:n])), 10, 64)
	return v, err == nil
}

// preadKey reads the number after key in a file of "key number" lines.
func preadKey(f *os.File, key string) (int64, bool) {
	if f == nil {
		return 0, false
	}
	var buf [2048]byte
	n, _ := f.ReadAt(buf[:], 0)
	for rest := buf[:n]; len(rest) > 0; {
		line, after, _ := bytes.Cut(rest, []byte{'\n'})
		rest = after
		if k, v, ok := bytes.Cut(line, []byte{' '}); ok && string(k) == key {
			n, err := strconv.ParseInt(string(bytes.TrimSpace(v)), 10, 64)
			return n, err == nil
		}
	}
	return 0, false
}

func closeAll(files ...*os.File) {
	for _, f := range files {
		if f != nil {
			_ = f.Close()
		}
	}
}
