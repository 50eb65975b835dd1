package sim

import "time"

// Result is what a run measured, over the part of time that counts.
type Result struct {
	Invocations int64 `json:"invocations"`
	Warm        int64 `json:"warmStarts"`
	// Cold counts the starts of instances that an invocation waited for, from
	// the beginning or because the start ahead was not over yet; Joined the
	// further invocations that waited for an instance whose start was counted.
	Cold   int64 `json:"coldStarts"`
	Joined int64 `json:"joined"`
	// Waited counts invocations that were served by a warm instance, but only
	// after waiting for memory.
	Waited int64 `json:"waited"`
	// Rejected counts invocations that found no memory before their deadline,
	// TooLarge those whose instance is larger than all memory.
	Rejected int64 `json:"rejected"`
	TooLarge int64 `json:"tooLarge"`
	// Open counts invocations that still waited when the run ended.
	Open int64 `json:"open"`

	// Started and Evicted count instances.
	StartedAhead int64 `json:"startedAhead"`
	Evicted      int64 `json:"evicted"`

	BusyGBSeconds float64 `json:"busyGBSeconds"`
	IdleGBSeconds float64 `json:"idleGBSeconds"`
	// QuietGBSeconds is the part of IdleGBSeconds in whole minutes in which the
	// function was not called: what a trace of counts by the minute tells
	// without a rule of spreading.
	QuietGBSeconds float64 `json:"quietGBSeconds"`

	latency *latencies
}

// MemoryGBSeconds is the memory of all instances, busy and idle, over time.
func (r *Result) MemoryGBSeconds() float64 { return r.BusyGBSeconds + r.IdleGBSeconds }

// ColdRate is the number of cold starts for each invocation.
func (r *Result) ColdRate() float64 {
	if r.Invocations == 0 {
		return 0
	}
	return float64(r.Cold) / float64(r.Invocations)
}

// StartLatency returns the p-quantile, p in [0, 1], of the time from an
// invocation's arrival until an instance takes it, within 1 %.
func (r *Result) StartLatency(p float64) time.Duration {
	return r.latency.quantile(p)
}
