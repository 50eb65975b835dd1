package function

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Price is what resources cost, in US dollars. Idle prices apply to instances
// that are warm and serve nothing; busy prices while they serve.
type Price struct {
	Name             string  `json:"name"`
	PerVCPUSecond    float64 `json:"perVCPUSecond"`
	PerGiBSecond     float64 `json:"perGiBSecond"`
	IdlePerVCPUSec   float64 `json:"idlePerVCPUSecond"`
	IdlePerGiBSecond float64 `json:"idlePerGiBSecond"`
	PerInvocation    float64 `json:"perInvocation"`
	// GiBPerVCPU couples CPU to memory, where a provider sells CPU only as a
	// share of the memory: at least this much memory is billed for each vCPU.
	// 0 means that both are bought independently.
	GiBPerVCPU float64 `json:"gibPerVCPU,omitempty"`
}

// Busy returns the cost of serving for d with resources r, the charge per
// invocation not included.
func (p Price) Busy(r Resources, d time.Duration) float64 {
	return d.Seconds() * (p.PerVCPUSecond*r.CPU.Cores() + p.PerGiBSecond*p.billed(r))
}

// Idle returns the cost of keeping one instance with resources r warm for d.
func (p Price) Idle(r Resources, d time.Duration) float64 {
	return d.Seconds() * (p.IdlePerVCPUSec*r.CPU.Cores() + p.IdlePerGiBSecond*p.billed(r))
}

// Invocation returns the cost of one invocation that was served for d, the
// charge per invocation included.
func (p Price) Invocation(r Resources, d time.Duration) float64 {
	return p.PerInvocation + p.Busy(r, d)
}

// billed returns the memory that is paid for, in GiB.
func (p Price) billed(r Resources) float64 {
	return max(r.Memory.GiB(), p.GiBPerVCPU*r.CPU.Cores())
}

// Presets returns the price lists that are known by name, in order of name.
// They are public list prices without free grants, discounts or rounding of
// durations; billing granularity differs and is left out on purpose, since the
// lists serve to compare configurations.
//
//   - aws-lambda: x86, us-east-1; idle is provisioned concurrency; one vCPU
//     comes with every 1769 MB.
//   - azure: Container Apps (which hosts Azure Functions), consumption plan,
//     active and idle usage.
//   - cloud-run: request-based billing, tier 1 regions; idle is that of
//     minimum instances.
//   - paper: what Aquatope's paper charges, 0.173 per vCPU and hour and 0.0123
//     per GiB and hour (Azure Functions Premium), idle or not.
func Presets() []Price {
	const hour = 3600
	return []Price{
		{
			Name: "aws-lambda", PerGiBSecond: 0.0000166667, IdlePerGiBSecond: 0.0000041667,
			PerInvocation: 0.0000002, GiBPerVCPU: 1769.0 / 1024,
		},
		{
			Name: "azure", PerVCPUSecond: 0.000024, PerGiBSecond: 0.000003,
			IdlePerVCPUSec: 0.000003, IdlePerGiBSecond: 0.000003, PerInvocation: 0.0000004,
		},
		{
			Name: "cloud-run", PerVCPUSecond: 0.000024, PerGiBSecond: 0.0000025,
			IdlePerVCPUSec: 0.0000025, IdlePerGiBSecond: 0.0000025, PerInvocation: 0.0000004,
		},
		{
			Name: "paper", PerVCPUSecond: 0.173 / hour, PerGiBSecond: 0.0123 / hour,
			IdlePerVCPUSec: 0.173 / hour, IdlePerGiBSecond: 0.0123 / hour,
		},
	}
}

// LookupPrice returns the preset called name, or an error that lists the names.
func LookupPrice(name string) (Price, error) {
	presets := Presets()
	i := slices.IndexFunc(presets, func(p Price) bool { return p.Name == name })
	if i >= 0 {
		return presets[i], nil
	}
	names := make([]string, len(presets))
	for i, p := range presets {
		names[i] = p.Name
	}
	return Price{}, fmt.Errorf("no price list %q; the known ones are %s", name, strings.Join(names, ", "))
}
