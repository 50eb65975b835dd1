package function

import "time"

// Price is what resources cost. Idle prices apply to instances that are warm
// and serve nothing; busy prices while they serve.
type Price struct {
	Name             string  `json:"name"`
	PerVCPUSecond    float64 `json:"perVCPUSecond"`
	PerGiBSecond     float64 `json:"perGiBSecond"`
	IdlePerVCPUSec   float64 `json:"idlePerVCPUSecond"`
	IdlePerGiBSecond float64 `json:"idlePerGiBSecond"`
	PerInvocation    float64 `json:"perInvocation"`
}

// Busy returns the cost of serving for d with resources r, the charge per
// invocation not included.
func (p Price) Busy(r Resources, d time.Duration) float64 {
	return d.Seconds() * (p.PerVCPUSecond*r.CPU.Cores() + p.PerGiBSecond*r.Memory.GiB())
}

// Idle returns the cost of keeping one instance with resources r warm for d.
func (p Price) Idle(r Resources, d time.Duration) float64 {
	return d.Seconds() * (p.IdlePerVCPUSec*r.CPU.Cores() + p.IdlePerGiBSecond*r.Memory.GiB())
}
