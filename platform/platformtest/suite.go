// Package platformtest is the conformance suite of platforms: what the engine,
// the pool scheduler and the tuner rely on, tested against each world with the
// same function. No test in it asserts wall time or hurries: an invocation that is
// to be under way while something else happens waits until the case lets it go on.
// Where time matters it is a ratio to CPU time, or an order of events.
package platformtest

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform"
)

// Options are what a case wants of a world beside its defaults. Zero fields
// leave the choice to the harness.
type Options struct {
	Capacity      function.Resources
	QueueLimit    int
	QueueDeadline time.Duration
	MaxResponse   int64
}

// World is one platform under test.
type World struct {
	Platform platform.Platform
	// Observations returns what the platform's observer was given so far.
	Observations func() []function.Observation
	// Close ends the platform as its owner would.
	Close func(context.Context) error
	// Shared is the folder that instances see as $AQUATOPE_DATA.
	Shared string
}

// Harness makes worlds of one kind.
type Harness struct {
	// New makes a world that is closed at the end of the test, if it was not before.
	New func(t *testing.T, o Options) World
	// Function returns a function called name that runs the suite's program
	// (the folder fn), with neither resources nor limits set.
	Function func(name string) function.Function
	// Limits says that CPU and memory limits take effect and are measured.
	Limits bool
}

// patience is how long to wait for something that has to happen: far longer than
// it takes on any machine, as only a case that fails waits that long.
const patience = 2 * time.Minute

// inVain is how long to wait for something that cannot happen.
const inVain = 500 * time.Millisecond

// small are the resources of functions for which they do not matter.
var small = function.Resources{CPU: 500, Memory: 64 * function.MiB}

// Run runs all cases.
func Run(t *testing.T, h Harness) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, *bench)
	}{
		{"deploy", testDeploy},
		{"unknown function", testUnknown},
		{"cold, then warm", testColdWarm},
		{"contract of a function", testContract},
		{"scale", testScale},
		{"traffic split", testSplit},
		{"one request per instance", testSingleConcurrency},
		{"several requests per instance", testConcurrency},
		{"queue deadline", testQueueDeadline},
		{"queue limit", testQueueLimit},
		{"queue order", testQueueOrder},
		{"eviction for room", testEviction},
		{"warm floors are not evicted", testFloor},
		{"room is shared", testFairness},
		{"timeout", testTimeout},
		{"caller goes away", testCancel},
		{"caller goes away while waiting", testCancelWaiting},
		{"crash", testCrash},
		{"exit at start", testExitAtStart},
		{"never listens", testNeverListens},
		{"error status", testErrorStatus},
		{"garbage", testGarbage},
		{"answer too large", testTooLarge},
		{"remove under load", testRemoveUnderLoad},
		{"close", testClose},
		{"one observation each", testObservations},
		{"memory limit", testMemoryLimit},
		{"CPU limit", testCPULimit},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t, &bench{T: t, h: h})
		})
	}
}

// bench is what a case works with.
type bench struct {
	*testing.T
	h Harness
	w World
}

// world makes the case's world.
func (b *bench) world(o Options) platform.Platform {
	b.Helper()
	o.QueueDeadline = cmp.Or(o.QueueDeadline, patience)
	b.w = b.h.New(b.T, o)
	return b.w.Platform
}

// deploy deploys a function and routes to it. change edits it first.
func (b *bench) deploy(name string, r function.Resources, change func(*function.Function)) function.Revision {
	b.Helper()
	rev := b.revision(name, r, change)
	b.must(b.w.Platform.Deploy(b.Context(), rev))
	b.must(b.w.Platform.Route(b.Context(), name, []platform.Traffic{{Revision: rev.Name, Percent: 100}}))
	b.must(b.w.Platform.Scale(b.Context(), rev.Name, platform.Scale{KeepAlive: time.Hour}))
	return rev
}

// held is the body of an invocation that is under way until letGo.
const held = `{"until":"go"}`

// holding waits until a held invocation has reached its function.
func (b *bench) holding() {
	b.Helper()
	path := filepath.Join(b.w.Shared, "go.awaited")
	for end := time.Now().Add(patience); ; time.Sleep(2 * time.Millisecond) {
		if _, err := os.Stat(path); err == nil {
			return
		}
		if time.Now().After(end) {
			b.Fatal("no invocation reached its function")
		}
	}
}

// letGo lets all held invocations end, the present and the coming ones.
func (b *bench) letGo() {
	b.Helper()
	b.must(os.WriteFile(filepath.Join(b.w.Shared, "go"), nil, 0o600))
}

func (b *bench) revision(name string, r function.Resources, change func(*function.Function)) function.Revision {
	fn := b.h.Function(name)
	fn.Concurrency, fn.Timeout, fn.StartTimeout = 1, patience, patience
	if change != nil {
		change(&fn)
	}
	return function.NewRevision(fn, r)
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// invoke calls a function that has to answer.
func (b *bench) invoke(fn, body string) *platform.Response {
	b.Helper()
	resp, err := b.w.Platform.Invoke(b.Context(), platform.Request{Function: fn, Body: []byte(body)})
	b.must(err)
	return resp
}

// refuse calls a function that must not answer, and checks the outcome.
func (b *bench) refuse(fn, body string, want function.Outcome) *platform.InvokeError {
	b.Helper()
	resp, err := b.w.Platform.Invoke(b.Context(), platform.Request{Function: fn, Body: []byte(body)})
	return b.refused(resp, err, want)
}

func (b *bench) refused(resp *platform.Response, err error, want function.Outcome) *platform.InvokeError {
	b.Helper()
	if err == nil {
		b.Fatalf("got status %d %q, want the outcome %s", resp.Status, resp.Body, want)
	}
	ierr, ok := err.(*platform.InvokeError)
	if !ok {
		b.Fatalf("got %T %v, want an *InvokeError", err, err)
	}
	if ierr.Outcome != want || ierr.Observation.Outcome != want {
		b.Fatalf("got outcome %s (observed %s): %s; want %s", ierr.Outcome, ierr.Observation.Outcome, ierr.Detail, want)
	}
	return ierr
}

// state returns the state of a revision; its zero value if it is not there.
func (b *bench) state(revision string) platform.RevisionState {
	b.Helper()
	s, err := b.w.Platform.Snapshot(b.Context())
	b.must(err)
	for _, r := range s.Revisions {
		if r.Revision == revision {
			return r
		}
	}
	return platform.RevisionState{}
}

// eventually waits until the revision's state satisfies cond.
func (b *bench) eventually(revision, what string, cond func(platform.RevisionState) bool) {
	b.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(2 * time.Millisecond) {
		s := b.state(revision)
		if cond(s) {
			return
		}
		if time.Now().After(end) {
			b.Fatalf("%s: %s never came; the last state is %+v", revision, what, s)
		}
	}
}

// observed waits for n observations and returns them.
func (b *bench) observed(n int) []function.Observation {
	b.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(2 * time.Millisecond) {
		o := b.w.Observations()
		if len(o) >= n || time.Now().After(end) {
			if len(o) != n {
				b.Fatalf("got %d observations, want %d", len(o), n)
			}
			return o
		}
	}
}
