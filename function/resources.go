package function

import "fmt"

// MilliCPU is an amount of CPU time per wall time in thousandths of one
// virtual CPU: 250 is a quarter of a core.
type MilliCPU int64

// Cores returns the amount as a number of virtual CPUs.
func (c MilliCPU) Cores() float64 { return float64(c) / 1000 }

// String formats the amount as Kubernetes does: "250m", "1", "1500m".
func (c MilliCPU) String() string {
	if c%1000 == 0 {
		return fmt.Sprintf("%d", int64(c)/1000)
	}
	return fmt.Sprintf("%dm", int64(c))
}

// Bytes is an amount of memory in bytes.
type Bytes int64

// Units of memory, as Kubernetes names them.
const (
	KiB Bytes = 1 << 10
	MiB Bytes = 1 << 20
	GiB Bytes = 1 << 30
)

// GiB returns the amount in gibibytes.
func (b Bytes) GiB() float64 { return float64(b) / float64(GiB) }

// String formats the amount with the largest binary unit that divides it:
// "128Mi", "1Gi", "1000".
func (b Bytes) String() string {
	switch {
	case b != 0 && b%GiB == 0:
		return fmt.Sprintf("%dGi", int64(b/GiB))
	case b != 0 && b%MiB == 0:
		return fmt.Sprintf("%dMi", int64(b/MiB))
	case b != 0 && b%KiB == 0:
		return fmt.Sprintf("%dKi", int64(b/KiB))
	}
	return fmt.Sprintf("%d", int64(b))
}

// Resources is what one instance of a function is given: a CPU quota and a
// memory limit, both enforced.
type Resources struct {
	CPU    MilliCPU `json:"cpuMillis"`
	Memory Bytes    `json:"memoryBytes"`
}

// String formats the resources for people: "500m/256Mi".
func (r Resources) String() string { return r.CPU.String() + "/" + r.Memory.String() }
