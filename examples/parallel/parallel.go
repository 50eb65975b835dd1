// Package parallel spreads work inside one function over the processors that
// its instance was given: the reason why some of the examples' functions get
// faster beyond one CPU and others do not.
package parallel

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// For calls f(0), ..., f(n-1), as many at once as the instance has processors
// (the Go runtime derives GOMAXPROCS from the CPU limit), and waits for all.
func For(n int, f func(i int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				f(int(i))
			}
		})
	}
	wg.Wait()
}
