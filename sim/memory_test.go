package sim_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/aquatope/aquatope/sim"
)

// heapOf simulates so many days and returns the most heap that the simulation
// held, the trace left out.
func heapOf(days int) int64 {
	t := generated(15, days*24*60)
	live := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := live()
	s := sim.New(functionsOf(t, 1), keepFor(10*time.Minute), sim.Config{Window: time.Minute, Until: time.Duration(days) * 24 * time.Hour})
	a := sim.NewArrivals(t, t.Covered, sim.Measured, 1)
	most := int64(0)
	for {
		batch, minute, ok := a.Next()
		if !ok {
			break
		}
		s.Feed(batch)
		if minute%360 == 359 {
			most = max(most, live()-before)
		}
	}
	runtime.KeepAlive(t)
	s.Finish()
	return most
}

// A simulation holds what is, not what was: eight days need no more than one.
func TestMemoryIsFlat(t *testing.T) { // not parallel: the heap is everybody's
	one, eight := heapOf(1), heapOf(8)
	t.Logf("most heap: %d KiB for one day, %d KiB for eight", one>>10, eight>>10)
	if eight > 2*one+1<<20 {
		t.Errorf("%d KiB of heap for one day, %d KiB for eight", one>>10, eight>>10)
	}
}
