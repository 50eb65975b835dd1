package platformtest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform"
)

type result struct {
	resp *platform.Response
	err  error
}

// begin invokes in the background.
func (b *bench) begin(ctx context.Context, fn, run, body string) <-chan result {
	c := make(chan result, 1)
	go func() {
		resp, err := b.w.Platform.Invoke(ctx, platform.Request{Function: fn, RunID: run, Body: []byte(body)})
		c <- result{resp, err}
	}()
	return c
}

func alone(f *function.Function) { f.Scale.Max = 1 }

func testSingleConcurrency(_ *testing.T, b *bench) {
	b.world(Options{})
	rev := b.deploy("f", small, nil)
	one, two := b.begin(b.Context(), "f", "", held), b.begin(b.Context(), "f", "", held)
	b.eventually(rev.Name, "two busy instances", func(s platform.RevisionState) bool { return s.Busy == 2 && s.InFlight == 2 })
	b.letGo()
	r1, r2 := <-one, <-two
	b.must(r1.err)
	b.must(r2.err)
	if r1.resp.Observation.Instance == r2.resp.Observation.Instance {
		b.Error("one instance served two requests at once")
	}
}

func testConcurrency(_ *testing.T, b *bench) {
	b.world(Options{})
	rev := b.deploy("f", small, func(f *function.Function) { f.Concurrency, f.Scale.Max = 3, 1 })
	var calls []<-chan result
	for range 4 {
		calls = append(calls, b.begin(b.Context(), "f", "", held))
	}
	b.eventually(rev.Name, "three requests in one instance and one that waits", func(s platform.RevisionState) bool {
		return s.Busy == 1 && s.InFlight == 3 && s.Queued == 1
	})
	b.letGo()
	for _, c := range calls {
		b.must((<-c).err)
	}
}

func testQueueDeadline(_ *testing.T, b *bench) {
	b.world(Options{QueueDeadline: inVain})
	rev := b.deploy("f", small, alone)
	b.must(b.w.Platform.Scale(b.Context(), rev.Name, platform.Scale{Warm: 1, KeepAlive: time.Hour}))
	b.eventually(rev.Name, "an idle instance", func(s platform.RevisionState) bool { return s.Idle == 1 })
	long := b.begin(b.Context(), "f", "", held)
	b.eventually(rev.Name, "a busy instance", func(s platform.RevisionState) bool { return s.Busy == 1 })
	if e := b.refuse("f", "", function.OutcomeRejected); e.RetryAfter <= 0 || e.Observation.Queue <= 0 {
		b.Errorf("got %+v, want how long to wait", e)
	}
	b.letGo()
	b.must((<-long).err)
	b.invoke("f", "")
}

func testQueueLimit(_ *testing.T, b *bench) {
	b.world(Options{QueueLimit: 1})
	rev := b.deploy("f", small, alone)
	b.invoke("f", "")
	one := b.begin(b.Context(), "f", "", held)
	b.eventually(rev.Name, "a busy instance", func(s platform.RevisionState) bool { return s.Busy == 1 })
	two := b.begin(b.Context(), "f", "", "")
	b.eventually(rev.Name, "a request that waits", func(s platform.RevisionState) bool { return s.Queued == 1 })
	if e := b.refuse("f", "", function.OutcomeRejected); e.RetryAfter <= 0 {
		b.Errorf("got %+v, want how long to wait", e)
	}
	b.letGo()
	b.must((<-one).err)
	b.must((<-two).err)
}

func testQueueOrder(_ *testing.T, b *bench) {
	b.world(Options{})
	rev := b.deploy("f", small, alone)
	calls := []<-chan result{b.begin(b.Context(), "f", "0", held)}
	b.eventually(rev.Name, "a request", func(s platform.RevisionState) bool { return s.Queued+s.InFlight == 1 })
	for i := 1; i < 6; i++ {
		calls = append(calls, b.begin(b.Context(), "f", fmt.Sprint(i), `{"sleepMs":20}`))
		b.eventually(rev.Name, "one more that waits", func(s platform.RevisionState) bool { return s.Queued+s.InFlight == i+1 })
	}
	b.letGo()
	for _, c := range calls {
		b.must((<-c).err)
	}
	var order []string
	for _, o := range b.observed(6) {
		order = append(order, o.RunID)
	}
	if !slices.IsSorted(order) {
		b.Errorf("served in the order %v", order)
	}
}

func testEviction(_ *testing.T, b *bench) {
	b.world(Options{Capacity: function.Resources{CPU: 500, Memory: 64 * function.MiB}})
	first, second := b.deploy("first", small, nil), b.deploy("second", small, nil)
	b.invoke("first", "")
	b.invoke("second", "")
	if s := b.state(first.Name); s.Idle+s.Busy+s.Starting != 0 {
		b.Errorf("the idle instance was not evicted: %+v", s)
	}
	busy := b.begin(b.Context(), "second", "", held)
	b.eventually(second.Name, "a busy instance", func(s platform.RevisionState) bool { return s.Busy == 1 })
	waits := b.begin(b.Context(), "first", "", "") // until the busy one is idle
	b.eventually(first.Name, "a request that waits", func(s platform.RevisionState) bool { return s.Queued == 1 && s.Starting == 0 })
	b.letGo()
	b.must((<-busy).err)
	b.must((<-waits).err)
}

func testFloor(_ *testing.T, b *bench) {
	p := b.world(Options{Capacity: function.Resources{CPU: 500, Memory: 64 * function.MiB}, QueueDeadline: inVain})
	first, second := b.deploy("first", small, nil), b.deploy("second", small, nil)
	b.must(p.Scale(b.Context(), first.Name, platform.Scale{Warm: 1}))
	b.eventually(first.Name, "an idle instance", func(s platform.RevisionState) bool { return s.Idle == 1 })
	b.refuse("second", "", function.OutcomeRejected)
	if s := b.state(first.Name); s.Idle != 1 {
		b.Errorf("a warm instance was evicted: %+v", s)
	}
	snap, err := p.Snapshot(b.Context())
	b.must(err)
	if snap.Used != small || snap.Capacity != small {
		b.Errorf("used %s of %s, want %s of the same", snap.Used, snap.Capacity, small)
	}
	b.must(p.Scale(b.Context(), first.Name, platform.Scale{}))
	b.eventually(first.Name, "no instance", func(s platform.RevisionState) bool { return s.Idle+s.Stopping == 0 })
	b.must(p.Scale(b.Context(), second.Name, platform.Scale{Warm: 1}))
	b.eventually(second.Name, "an idle instance", func(s platform.RevisionState) bool { return s.Idle == 1 })
	b.invoke("second", "")
}

// testFairness keeps one function's instance busy without a pause, and expects
// that another's request gets room all the same.
func testFairness(_ *testing.T, b *bench) {
	b.world(Options{Capacity: function.Resources{CPU: 500, Memory: 64 * function.MiB}})
	busy := b.deploy("busy", small, nil)
	b.deploy("patient", small, nil)
	b.invoke("busy", "")
	ctx, cancel := context.WithCancel(b.Context())
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for ctx.Err() == nil {
				_, _ = b.w.Platform.Invoke(ctx, platform.Request{Function: "busy", Body: []byte(`{"sleepMs":20}`)})
			}
		})
	}
	b.eventually(busy.Name, "a queue", func(s platform.RevisionState) bool { return s.Queued > 0 })
	_, err := b.w.Platform.Invoke(b.Context(), platform.Request{Function: "patient"})
	cancel()
	wg.Wait()
	b.must(err)
}
