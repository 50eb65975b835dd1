package main

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// burnThread works until the thread has used d of CPU time, so that wall time
// over d is what the quota made of it.
func burnThread(d time.Duration) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for end := threadTime() + d; threadTime() < end; {
		for range 1000 {
			sink = sink*6364136223846793005 + 1442695040888963407
		}
	}
}

var sink uint64

func threadTime() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts); err != nil {
		panic(err)
	}
	return time.Duration(ts.Nano())
}
