package platformtest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform"
)

// testRemoveUnderLoad moves a function from one revision to the next while it
// is invoked, and expects that no caller notices.
func testRemoveUnderLoad(_ *testing.T, b *bench) {
	p := b.world(Options{Capacity: function.Resources{CPU: 8000, Memory: 2 * function.GiB}})
	rev := b.deploy("f", small, nil)
	b.invoke("f", "")
	stop := make(chan struct{})
	var calls atomic.Int64
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := p.Invoke(b.Context(), platform.Request{Function: "f", Body: []byte(`{"burnMs":1}`)}); err != nil {
					b.Error(err)
					return
				}
				calls.Add(1)
			}
		})
	}
	for i := range 4 {
		next := b.revision("f", function.Resources{CPU: small.CPU, Memory: small.Memory + function.Bytes(i+1)*function.MiB}, nil)
		b.must(p.Deploy(b.Context(), next))
		b.must(p.Route(b.Context(), "f", []platform.Traffic{{Revision: next.Name, Percent: 100}}))
		b.must(p.Remove(b.Context(), rev.Name))
		b.eventually(rev.Name, "its end", func(s platform.RevisionState) bool { return s.Revision == "" })
		before := calls.Load()
		for end := time.Now().Add(patience); calls.Load() < before+10 && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
		}
		rev = next
	}
	close(stop)
	wg.Wait()
}

func testClose(_ *testing.T, b *bench) {
	b.world(Options{})
	rev := b.deploy("f", small, alone)
	b.invoke("f", "")
	one := b.begin(b.Context(), "f", "", held)
	b.eventually(rev.Name, "a busy instance", func(s platform.RevisionState) bool { return s.Busy == 1 })
	two := b.begin(b.Context(), "f", "", "")
	b.eventually(rev.Name, "a request that waits", func(s platform.RevisionState) bool { return s.Queued == 1 })
	closed := make(chan error, 1)
	go func() { closed <- b.w.Close(b.Context()) }()
	b.closing()
	b.letGo()
	b.must(<-closed)
	b.must((<-one).err)
	b.must((<-two).err)
}

// closing waits until the platform takes no more requests. Until then one whose
// caller is gone already ends as that.
func (b *bench) closing() {
	b.Helper()
	ctx, cancel := context.WithCancel(b.Context())
	cancel()
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		_, err := b.w.Platform.Invoke(ctx, platform.Request{Function: "f"})
		if ierr, ok := err.(*platform.InvokeError); ok && ierr.Outcome == function.OutcomeRejected {
			return
		}
		if time.Now().After(end) {
			b.Fatalf("requests are still accepted: %v", err)
		}
	}
}

// testObservations checks that every invocation is observed once, however it
// ends, under concurrency.
func testObservations(_ *testing.T, b *bench) {
	p := b.world(Options{})
	b.deploy("f", small, nil)
	bodies := []string{`{}`, `{"burnMs":1}`, `{"status":404}`, `{"drop":true}`, `not JSON`, `{"sleepMs":5}`}
	const workers, each = 4, 30
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range each {
				_, _ = p.Invoke(b.Context(), platform.Request{
					Function: "f", RunID: fmt.Sprintf("%d-%d", w, i), Workflow: "w", Stage: "s", Trial: "t", Attempt: i, Body: []byte(bodies[i%len(bodies)]),
				})
			}
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	for _, o := range b.observed(workers * each) {
		if seen[o.RunID] {
			b.Errorf("run %s was observed twice", o.RunID)
		}
		seen[o.RunID] = true
		want := function.OutcomeOK
		switch bodies[o.Attempt%len(bodies)] {
		case `{"status":404}`, `{"drop":true}`, `not JSON`:
			want = function.OutcomeError
		}
		if o.Outcome != want || o.Workflow != "w" || o.Stage != "s" || o.Trial != "t" || o.Instance == "" {
			b.Errorf("observed %+v, want outcome %s", o, want)
		}
	}
}
