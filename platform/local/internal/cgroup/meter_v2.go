package cgroup

import (
	"os"
	"path/filepath"
	"time"
)

// meterV2 keeps open what is read.
type meterV2 struct {
	stat, peak, current, events *os.File
	resets                      bool // the kernel can reset memory.peak (6.12 and later)
}

// newMeterV2 opens the files of the group at dir.
func newMeterV2(dir string, memory bool) (_ *meterV2, err error) {
	m := &meterV2{}
	defer func() {
		if err != nil {
			m.Close()
		}
	}()
	if m.stat, err = os.Open(filepath.Join(dir, "cpu.stat")); err != nil || !memory {
		return m, err
	}
	if m.current, err = os.Open(filepath.Join(dir, "memory.current")); err != nil {
		return nil, err
	}
	if m.events, err = os.Open(filepath.Join(dir, "memory.events")); err != nil {
		return nil, err
	}
	// memory.peak is there since Linux 5.19 and writable since 6.12.
	peak := filepath.Join(dir, "memory.peak")
	if f, perr := os.OpenFile(peak, os.O_RDWR, 0); perr == nil {
		m.peak, m.resets = f, true
	} else if f, perr := os.Open(peak); perr == nil {
		m.peak = f
	}
	return m, nil
}

func (g *meterV2) Close() { closeAll(g.stat, g.peak, g.current, g.events) }

func (g *meterV2) CPUTime() (time.Duration, bool) {
	us, ok := preadKey(g.stat, "usage_usec")
	return time.Duration(us) * time.Microsecond, ok
}

func (g *meterV2) ResetPeak() {
	if g.resets {
		_, _ = g.peak.WriteAt([]byte("reset"), 0)
	}
}

func (g *meterV2) PeakResets() bool { return g.resets }

// PeakMemory falls back to the peak since the group was made, then to what is
// in use now, on kernels that know no better.
func (g *meterV2) PeakMemory() int64 {
	if n, ok := preadInt(g.peak); ok {
		return n
	}
	n, _ := preadInt(g.current)
	return n
}

func (g *meterV2) OOMKills() int {
	n, _ := preadKey(g.events, "oom_kill")
	return int(n)
}
