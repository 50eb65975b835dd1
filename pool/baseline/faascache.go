package baseline

import (
	"github.com/aquatope/aquatope/pool"
)

// FaasCache is the greedy-dual keep-alive of Fuerst and Sharma, FaasCache
// (ASPLOS 2021): instances never expire; when memory lacks, the idle one of the
// lowest priority goes, where priority = clock at its last use + frequency *
// start-up cost / memory. The clock is the priority of the last one evicted.
// Frequency counts the uses of the function's live instances.
type FaasCache struct {
	clock     float64
	frequency []float64
	value     []float64 // start-up cost / memory, seconds per GB
}

// NewFaasCache returns the policy. Its knob is the capacity of the platform.
func NewFaasCache(functions []pool.Function) *FaasCache {
	c := &FaasCache{frequency: make([]float64, len(functions)), value: make([]float64, len(functions))}
	for i, f := range functions {
		c.value[i] = f.ColdStart.Seconds() / f.GB()
	}
	return c
}

// Name implements pool.Policy.
func (*FaasCache) Name() string { return "faascache" }

// Plan implements pool.Policy.
func (*FaasCache) Plan(*pool.Snapshot) pool.Plan { return nil }

// Arrive implements pool.Policy.
func (c *FaasCache) Arrive(e pool.Event) { c.frequency[e.Function]++ }

// Idle implements pool.Policy.
func (*FaasCache) Idle(pool.Event) (pool.Retention, bool) {
	return pool.Retention{KeepAlive: pool.Forever}, true
}

// Stamp implements pool.Evictor.
func (c *FaasCache) Stamp(int) float64 { return c.clock }

// Worth implements pool.Evictor.
func (c *FaasCache) Worth(f int, stamp float64) float64 {
	return stamp + c.frequency[f]*c.value[f]
}

// Evicted implements pool.Evictor.
func (c *FaasCache) Evicted(f int, worth float64, uses int) {
	c.clock = max(c.clock, worth)
	c.frequency[f] = max(0, c.frequency[f]-float64(uses))
}
