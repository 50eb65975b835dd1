package rehearsal

import (
	"testing"
	"time"

	"github.com/aquatope/aquatope/stats"
)

// The share of violations that a burst makes small says little of quiet times.
func TestUnrestTellsBurstsFromSteadyRuns(t *testing.T) {
	t.Parallel()
	steady, burst := unrest{until: 10 * time.Hour}, unrest{until: 10 * time.Hour}
	rng := stats.Stream(1, "unrest")
	for m := range 600 {
		at := time.Duration(m) * time.Minute
		steady.add(at, rng.Float64() < 0.05)
		if m%20 == 0 { // a run in 20 minutes waits for a cold start
			burst.add(at, true)
		}
		if m < 570 {
			burst.add(5*time.Hour+time.Duration(m)*time.Second, false)
		}
	}
	if d := steady.deviation(); d > 0.01 {
		t.Errorf("steady runs by chance: %v beyond chance, want hardly anything", d)
	}
	// Half of the burst would double the share.
	if d := burst.deviation(); d < 0.03 {
		t.Errorf("30 lost runs in quiet hours and 570 kept in a burst of ten minutes: %v, want more than half of the share", d)
	}
	var none unrest
	if none.add(time.Second, true); none.deviation() != 0 {
		t.Error("says something of nothing")
	}
}
