package control_test

import (
	"math"
	"sync"
	"testing"
	"time"

	"github.com/aquatope/aquatope/control"
)

func TestMeter(t *testing.T) {
	m := control.NewMeter()
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	m.Begin(call("f"), at(0))
	m.Begin(call("f"), at(10))
	m.End(call("f"), at(20))
	m.Begin(call("f"), at(30))
	m.End(call("f"), at(40))
	got := m.Take(at(60))["f"]
	// At work: 1 from 0, 2 from 10, 1 from 20, 2 from 30, 1 from 40 to 60.
	if want := (control.Usage{Arrivals: 3, Peak: 2, Load: 80.0 / 60, AtWork: 1}); got.Arrivals != want.Arrivals ||
		got.Peak != want.Peak || got.AtWork != want.AtWork || math.Abs(got.Load-want.Load) > 1e-9 {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := m.Take(at(120))["f"]; got != (control.Usage{Peak: 1, Load: 1, AtWork: 1}) {
		t.Errorf("what goes on counts on: %+v", got)
	}
	m.Elsewhere("f", at(120)) // counts as demand, and keeps nothing busy
	m.End(call("f"), at(100)) // the clock went back
	if got := m.Take(at(130))["f"]; got.Load < 0 || got.AtWork != 0 || got.Arrivals != 1 || got.Peak != 1 {
		t.Errorf("clock back: %+v", got)
	}
	m.Take(at(140))
	if got := m.Take(at(150)); len(got) != 0 {
		t.Errorf("idle functions cost nothing: %v", got)
	}
}

// Counts are exact even when nobody takes the events.
func TestMeterConcurrent(t *testing.T) {
	m := control.NewMeter()
	const workers, each = 8, 2000
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range each {
				m.Begin(call("f"), start)
				m.End(call("f"), start)
			}
		})
	}
	wg.Wait()
	u := m.Take(start.Add(time.Second))["f"]
	if u.Arrivals != workers*each || u.AtWork != 0 || u.Peak < 1 || u.Peak > workers {
		t.Errorf("%+v", u)
	}
	if got := int64(len(m.Events())) + m.Dropped(); got != 2*workers*each {
		t.Errorf("%d events kept or dropped, want %d", got, 2*workers*each)
	}
}

func BenchmarkMeter(b *testing.B) {
	m := control.NewMeter()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			now := time.Now()
			m.Begin(call("f"), now)
			m.End(call("f"), now)
		}
	})
}
