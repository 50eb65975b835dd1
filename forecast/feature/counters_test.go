package feature

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// TestCounters against a map, with counters that need more than two bytes.
func TestCounters(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var c counters
		want := map[int]uint32{}
		for range rapid.IntRange(0, 30).Draw(t, "adds") {
			i := rapid.SampledFrom([]int{0, 1, 31, 32, 200, 720}).Draw(t, "counter")
			for range rapid.SampledFrom([]int{1, 2, math.MaxUint16}).Draw(t, "times") {
				c.add(i)
				want[i]++
			}
		}
		for i := range 800 {
			if c.at(i) != want[i] {
				t.Fatalf("counter %d is %d, want %d", i, c.at(i), want[i])
			}
		}
	})
}
