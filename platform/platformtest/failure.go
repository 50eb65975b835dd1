package platformtest

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform"
)

func env(name, value string) func(*function.Function) {
	return func(f *function.Function) { f.Env = []function.EnvVar{{Name: name, Value: value}} }
}

func testTimeout(_ *testing.T, b *bench) {
	p := b.world(Options{})
	rev := b.deploy("f", small, func(f *function.Function) { f.Timeout = inVain })
	b.must(p.Scale(b.Context(), rev.Name, platform.Scale{Warm: 1}))
	b.eventually(rev.Name, "an idle instance", func(s platform.RevisionState) bool { return s.Idle == 1 })
	hangs := b.refuse("f", `{"sleepMs":600000}`, function.OutcomeTimeout).Observation.Instance
	for end := time.Now().Add(patience); ; {
		resp, err := p.Invoke(b.Context(), platform.Request{Function: "f"})
		if err == nil {
			if resp.Observation.Instance == hangs {
				b.Error("an instance that hangs in a request got another one")
			}
			return
		}
		// On a busy machine any answer may come too late.
		if b.refused(resp, err, function.OutcomeTimeout); time.Now().After(end) {
			b.Fatal("after a timeout all invocations end so")
		}
	}
}

func testCancel(_ *testing.T, b *bench) {
	b.world(Options{})
	rev := b.deploy("f", small, alone)
	before := b.invoke("f", "").Observation
	ctx, cancel := context.WithCancel(b.Context())
	call := b.begin(ctx, "f", "", held)
	b.holding()
	cancel()
	r := <-call
	b.refused(r.resp, r.err, function.OutcomeCanceled)
	// The instance still works for the caller who left, and must not get more
	// before it is done.
	next := b.begin(b.Context(), "f", "", "")
	b.eventually(rev.Name, "a request that waits", func(s platform.RevisionState) bool { return s.Queued == 1 && s.Busy == 1 })
	b.letGo()
	after := <-next
	b.must(after.err)
	if after.resp.Observation.Instance != before.Instance {
		b.Error("an instance was given up because a caller went away")
	}
	b.observed(3)
}

func testCancelWaiting(_ *testing.T, b *bench) {
	b.world(Options{})
	rev := b.deploy("f", small, alone)
	busy := b.begin(b.Context(), "f", "", held)
	b.eventually(rev.Name, "a busy instance", func(s platform.RevisionState) bool { return s.Busy == 1 })
	ctx, cancel := context.WithCancel(b.Context())
	call := b.begin(ctx, "f", "", "")
	b.eventually(rev.Name, "a request that waits", func(s platform.RevisionState) bool { return s.Queued == 1 })
	cancel()
	r := <-call
	b.refused(r.resp, r.err, function.OutcomeCanceled)
	b.eventually(rev.Name, "an empty queue", func(s platform.RevisionState) bool { return s.Queued == 0 })
	b.letGo()
	b.must((<-busy).err)
	b.observed(2)
}

func testCrash(_ *testing.T, b *bench) {
	p := b.world(Options{})
	rev := b.deploy("f", small, nil)
	b.must(p.Scale(b.Context(), rev.Name, platform.Scale{Warm: 1, KeepAlive: time.Hour}))
	b.eventually(rev.Name, "an idle instance", func(s platform.RevisionState) bool { return s.Idle == 1 })
	e := b.refuse("f", `{"exit":7}`, function.OutcomeCrash)
	if !strings.Contains(e.Detail, "asked to exit") || !strings.Contains(e.Detail, "7") {
		b.Errorf("%q says neither the status nor what was printed", e.Detail)
	}
	b.eventually(rev.Name, "a new idle instance", func(s platform.RevisionState) bool { return s.Idle == 1 && s.Stopping == 0 })
	if o := b.invoke("f", "").Observation; o.Instance == e.Observation.Instance {
		b.Error("an instance that ended was used again")
	}
}

func testExitAtStart(_ *testing.T, b *bench) {
	b.world(Options{})
	rev := b.deploy("f", small, env("FN_START", "exit"))
	e := b.refuse("f", "", function.OutcomeStart)
	if !strings.Contains(e.Detail, "cannot read the model") {
		b.Errorf("%q does not say what was printed", e.Detail)
	}
	// The next one is told at once, and nothing is started for it.
	e = b.refuse("f", "", function.OutcomeStart)
	if e.RetryAfter <= 0 {
		b.Errorf("got %+v, want how long to wait", e)
	}
	if s := b.state(rev.Name); s.Starting != 0 {
		b.Errorf("a broken function is started again at once: %+v", s)
	}
}

func testNeverListens(_ *testing.T, b *bench) {
	b.world(Options{})
	// On a busy machine it takes a while until there is an instance, and until it
	// comes to print something.
	for wait := inVain; ; wait *= 2 {
		b.deploy("f", small, func(f *function.Function) {
			env("FN_START", "hang")(f)
			f.StartTimeout = wait
		})
		e := b.refuse("f", "", function.OutcomeStart)
		if strings.Contains(e.Detail, "PORT") && strings.Contains(e.Detail, "never comes") {
			return
		}
		if wait > patience/4 {
			b.Fatalf("%q does not say what is expected and what was printed", e.Detail)
		}
	}
}

func testErrorStatus(_ *testing.T, b *bench) {
	b.world(Options{})
	b.deploy("f", small, nil)
	resp := b.invoke("f", `{"status":500}`)
	if o := resp.Observation; resp.Status != http.StatusInternalServerError || o.Status != 500 || o.Outcome != function.OutcomeError {
		b.Errorf("got status %d, observed %+v", resp.Status, o)
	}
}

func testGarbage(_ *testing.T, b *bench) {
	b.world(Options{})
	b.deploy("f", small, nil)
	for _, body := range []string{
		`{"raw":"hello, world\r\n\r\n"}`,
		`{"raw":"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"}`,
		`{"raw":"HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n"}`,
		`{"raw":"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"}`,
		`{"drop":true}`,
	} {
		b.refuse("f", body, function.OutcomeError)
	}
	// What comes after a whole answer must not become the next one's.
	if resp := b.invoke("f", `{"raw":"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad"}`); string(resp.Body) != "{}" {
		b.Errorf("got %q", resp.Body)
	}
	if resp := b.invoke("f", `{"echo":true}`); string(resp.Body) != `{"echo":true}` {
		b.Errorf("got %q", resp.Body)
	}
}

func testTooLarge(_ *testing.T, b *bench) {
	b.world(Options{MaxResponse: 100_000})
	b.deploy("f", small, nil)
	if resp := b.invoke("f", `{"bytes":100000}`); len(resp.Body) != 100_000 {
		b.Errorf("got %d bytes", len(resp.Body))
	}
	b.refuse("f", `{"bytes":100001}`, function.OutcomeError)
	b.refuse("f", `{"raw":"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"}`, function.OutcomeError)
	b.invoke("f", "")
}
