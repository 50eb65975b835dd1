package server

import (
	"testing"
	"testing/synctest"
	"time"
)

// Training takes its share of the time and no more, however it is cut up.
func TestPaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		s := &Server{config: Config{}.withDefaults()}
		wait := s.paced(t.Context())
		for _, work := range []time.Duration{100 * time.Millisecond, 0, time.Second, time.Microsecond} {
			time.Sleep(work)
			if !wait() {
				t.Fatal("training is told to end")
			}
		}
		worked := 1100*time.Millisecond + time.Microsecond
		if got, want := time.Since(begin), time.Duration(float64(worked)/s.config.BackgroundCPU); got < want-time.Millisecond || got > want+time.Millisecond {
			t.Errorf("%v of work took %v, want %v", worked, got, want)
		}
	})
}
