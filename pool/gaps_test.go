package pool

import (
	"testing"
	"time"
)

// After a burst an instance that is used no more goes within seconds, though of
// what it and all functions were before next to nothing is remembered: it is the
// remainder of what was counted that must not decide.
func TestKeepAfterBurst(t *testing.T) {
	t.Parallel()
	for _, long := range []time.Duration{time.Minute, time.Hour, 3 * time.Hour} {
		var own, pooled gaps
		own.add(long)
		pooled.add(long)
		for i := range 10_000 {
			short := time.Duration(i%700) * time.Millisecond
			own.add(short)
			pooled.add(short)
			if i < 5000 {
				continue // the long gap still counts
			}
			for _, price := range []float64{2.5, 4, 15, 140} {
				if got := own.keep(&pooled, 0.2, price); got > 2*time.Second {
					t.Fatalf("after %d gaps below 0.7 s, and one of %v before, an instance is kept for %v at a price of %g", i+1, long, got, price)
				}
			}
		}
	}
}

// An instance that was used again after a minute, ten times of ten, is kept for a
// minute when that costs less than a cold start, and not at all when it costs more.
func TestKeepForWhatIsLikely(t *testing.T) {
	t.Parallel()
	var own, pooled gaps
	for range 10 {
		own.add(time.Minute)
		pooled.add(time.Minute)
	}
	if got := own.keep(&pooled, 0.2, 30); got < time.Minute || got > 2*time.Minute {
		t.Errorf("kept for %v, a cold start being worth 150 seconds", got)
	}
	if got := own.keep(&pooled, 0.2, 3); got != 0 {
		t.Errorf("kept for %v, a cold start being worth 15 seconds", got)
	}
}
