package server

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/aquatope/aquatope/control"
	"github.com/aquatope/aquatope/function"
)

// cpuReading is how long the machine's processors have idled and this process has
// used them so far.
type cpuReading struct {
	at         time.Time
	idle, self time.Duration
	cpus       int // 0 where the kernel does not tell
}

func readCPU() cpuReading {
	r := cpuReading{at: time.Now()}
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return r
	}
	var use syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &use) != nil {
		return r
	}
	r.self = time.Duration(use.Utime.Nano() + use.Stime.Nano())
	r.idle, r.cpus = parseIdle(string(text))
	return r
}

// idleTick is the unit of /proc/stat.
const idleTick = 10 * time.Millisecond

// parseIdle reads /proc/stat: the idle time of all CPUs, that with input and output
// under way included, and how many they are; none if the text is not understood.
func parseIdle(text string) (idle time.Duration, cpus int) {
	var ticks int64
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		switch {
		case len(f) < 6 || !strings.HasPrefix(f[0], "cpu"):
		case f[0] == "cpu":
			a, errA := strconv.ParseInt(f[4], 10, 64)
			b, errB := strconv.ParseInt(f[5], 10, 64)
			if errA != nil || errB != nil {
				return 0, 0
			}
			ticks = a + b
		default:
			cpus++
		}
	}
	return time.Duration(ticks) * idleTick, cpus
}

// others returns how many CPUs other processes used on average from a reading to
// the next, during which instances used so much; ok is false where it cannot be
// told. Time that a hypervisor gave to other machines counts as theirs. What the
// resolution of the readings may explain does not count.
func (r cpuReading) others(next cpuReading, instances time.Duration) (cpus float64, ok bool) {
	wall := next.at.Sub(r.at)
	if r.cpus == 0 || r.cpus != next.cpus || wall <= 0 {
		return 0, false
	}
	used := time.Duration(r.cpus)*wall - (next.idle - r.idle)
	left := used - instances - (next.self - r.self) - 2*idleTick
	return max(0, left.Seconds()/wall.Seconds()), true
}

// crowd returns how many CPUs other processes used while instances made some
// invocations, 0 where it cannot be told, and whether they were in the way.
func (r cpuReading) crowd(next cpuReading, invocations []function.Observation) (others float64, crowded bool) {
	var own time.Duration
	for _, o := range invocations {
		own += o.CPUTime
	}
	others, ok := r.others(next, own)
	return others, ok && control.Crowded(control.Demand(invocations), others, float64(r.cpus))
}
