package sandbox

import (
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform/local/internal/cgroup"
)

// Usage measures what an instance uses, for drivers to embed. Without a meter
// nothing is known of it, which every method says in its own way.
type Usage struct {
	Meter cgroup.Meter // nil where the instance cannot be measured
}

// CPUTime implements Instance.
func (u Usage) CPUTime() (used time.Duration, ok bool) {
	if u.Meter == nil {
		return 0, false
	}
	return u.Meter.CPUTime()
}

// ResetPeak implements Instance.
func (u Usage) ResetPeak() {
	if u.Meter != nil {
		u.Meter.ResetPeak()
	}
}

// PeakMemory implements Instance.
func (u Usage) PeakMemory() function.Bytes {
	if u.Meter == nil {
		return 0
	}
	return function.Bytes(u.Meter.PeakMemory())
}

// OOMKills implements Instance.
func (u Usage) OOMKills() int {
	if u.Meter == nil {
		return 0
	}
	return u.Meter.OOMKills()
}
