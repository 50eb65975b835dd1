package server

import (
	"os"
	"runtime"
	"strconv"
	"strings"
)

// machine describes what was measured on.
func machine() map[string]string {
	out := map[string]string{"os": runtime.GOOS, "architecture": runtime.GOARCH, "cpus": strconv.Itoa(runtime.NumCPU())}
	field := func(file, key, name string) {
		text, err := os.ReadFile(file)
		if err != nil {
			return
		}
		for line := range strings.Lines(string(text)) {
			k, v, ok := strings.Cut(line, ":")
			if ok && strings.TrimSpace(k) == key {
				out[name] = strings.TrimSpace(v)
				return
			}
		}
	}
	field("/proc/cpuinfo", "model name", "cpu")
	field("/proc/meminfo", "MemTotal", "memory")
	if text, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		out["kernel"] = strings.TrimSpace(string(text))
	}
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		if f := strings.Fields(string(text)); len(f) > 0 {
			out["load"] = f[0] + " runnable tasks on average in the minute before the measurement ended, its own included"
		}
	}
	return out
}
