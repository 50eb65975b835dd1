package cgroup

import (
	"os"
	"path/filepath"
	"time"
)

// meterV1 keeps open what is read; a field is nil where its controller is not
// there.
type meterV1 struct{ usage, peak, oom *os.File }

// newMeterV1 opens the files of a group, given its folders by controller.
func newMeterV1(dirs map[string]string) (_ *meterV1, err error) {
	m := &meterV1{}
	defer func() {
		if err != nil {
			m.Close()
		}
	}()
	if dir, ok := dirs["cpuacct"]; ok {
		if m.usage, err = os.Open(filepath.Join(dir, "cpuacct.usage")); err != nil {
			return nil, err
		}
	}
	if dir, ok := dirs["memory"]; ok {
		if m.peak, err = os.OpenFile(filepath.Join(dir, "memory.max_usage_in_bytes"), os.O_RDWR, 0); err != nil {
			return nil, err
		}
		if m.oom, err = os.Open(filepath.Join(dir, "memory.oom_control")); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (g *meterV1) Close() { closeAll(g.usage, g.peak, g.oom) }

func (g *meterV1) CPUTime() (time.Duration, bool) {
	n, ok := preadInt(g.usage)
	return time.Duration(n), ok
}

func (g *meterV1) ResetPeak() {
	if g.peak != nil {
		_, _ = g.peak.WriteAt([]byte{'0'}, 0)
	}
}

func (g *meterV1) PeakResets() bool { return g.peak != nil }

func (g *meterV1) PeakMemory() int64 {
	n, _ := preadInt(g.peak)
	return n
}

func (g *meterV1) OOMKills() int {
	n, _ := preadKey(g.oom, "oom_kill")
	return int(n)
}
