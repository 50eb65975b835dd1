package trace

import (
	"math"
	"slices"
)

// Summary describes a trace in a few figures.
type Summary struct {
	Functions    int     `json:"functions"`
	Apps         int     `json:"apps"`
	Minutes      int     `json:"minutes"`
	Covered      Span    `json:"coveredMinutes"`
	Invocations  int64   `json:"invocations"`
	ActiveShare  float64 `json:"activeShare"`   // of function-minutes covered that have an invocation
	PeakMinute   int64   `json:"peakPerMinute"` // most invocations of all functions in a minute
	MedianPerDay float64 `json:"medianInvocationsPerFunctionAndDay"`
	// Rare functions are called less than once an hour, busy ones at least once
	// a minute, on average.
	Rare     int            `json:"rareFunctions"`
	Busy     int            `json:"busyFunctions"`
	Triggers map[string]int `json:"functionsByTrigger"`
	// Functions with known durations and memory, and the median over functions.
	Durations        int      `json:"functionsWithDurations"`
	MedianDurationMS float64  `json:"medianDurationMillis"`
	Memories         int      `json:"functionsWithMemory"`
	MedianMemoryMB   float64  `json:"medianMemoryMB"`
	Notes            []string `json:"notes"`
}

// Summarize describes the covered part of the trace. Medians of what is not
// known are 0.
func (t *Trace) Summarize() Summary {
	s := Summary{
		Functions: len(t.Functions), Minutes: t.Minutes, Covered: t.Covered,
		Triggers: map[string]int{}, Notes: slices.Clone(t.Notes),
	}
	minutes := float64(max(t.Covered.Len(), 1))
	total := make([]int64, t.Minutes)
	apps := map[ID]bool{}
	var perDay, durations, memories []float64
	active := 0
	for i := range t.Functions {
		f := &t.Functions[i]
		app := f.ID
		app.Function = ""
		apps[app] = true
		n := int64(0)
		for m, k := range f.Counts.In(t.Covered) {
			n += int64(k)
			total[m] += int64(k)
			active++
		}
		s.Invocations += n
		rate := float64(n) / minutes
		perDay = append(perDay, rate*MinutesPerDay)
		switch {
		case rate >= 1:
			s.Busy++
		case rate < 1.0/60:
			s.Rare++
		}
		trigger := f.Trigger
		if trigger == "" {
			trigger = "unknown"
		}
		s.Triggers[trigger]++
		if f.Duration.Known() {
			durations = append(durations, f.Duration.Quantile(0.5))
		}
		if f.Memory.Known() {
			memories = append(memories, f.Memory.Mean)
		}
	}
	s.Apps = len(apps)
	s.ActiveShare = float64(active) / (minutes * math.Max(float64(len(t.Functions)), 1))
	s.PeakMinute = slices.Max(append(total, 0))
	s.MedianPerDay = median(perDay)
	s.Durations, s.MedianDurationMS = len(durations), median(durations)
	s.Memories, s.MedianMemoryMB = len(memories), median(memories)
	return s
}

func median(x []float64) float64 {
	if len(x) == 0 {
		return 0
	}
	slices.Sort(x)
	return x[len(x)/2]
}
