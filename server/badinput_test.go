package server_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aquatope/aquatope/server"
)

// Whatever comes in, the caller gets the right status and a reason, and the
// server goes on.
func TestBadInput(t *testing.T) {
	w := newWorld(t, server.Config{})
	w.deploy(function("echo", "echo") + calls("good", "echo") +
		function("deaf", "deaf", startSoon) + calls("calls-deaf", "deaf") +
		function("exits", "exit", startSoon) + calls("calls-exits", "exits") +
		impatient(function("hangs", "hang")) + calls("calls-hangs", "hangs") +
		function("fails", "status, '500'") + calls("calls-fails", "fails") +
		function("missing", "status, '404'") + calls("calls-missing", "missing") +
		function("garbage", "garbage") + calls("calls-garbage", "garbage") +
		function("crashes", "crash") + calls("calls-crashes", "crashes") +
		function("invalid", "invalid") + `
---
document: {dsl: '1.0.3', namespace: default, name: reads-invalid, version: '1.0.0'}
do:
  - only: {call: invalid, output: {as: .cut}}
---
document: {dsl: '1.0.3', namespace: default, name: late, version: '1.0.0'}
timeout: {after: {milliseconds: 300}}
do:
  - only: {call: hangs}
---
document: {dsl: '1.0.3', namespace: default, name: refuses, version: '1.0.0'}
do:
  - only:
      raise:
        error: {type: 'https://example.com/errors/refused', status: 409, title: Refused}
`)
	run := func(name string) func() answer {
		return func() answer { return w.do("POST", "/workflows/"+name, `{}`) }
	}
	put := func(manifests string) func() answer {
		return func() answer {
			return w.do("PUT", "/api/v1/manifests", expand(t, manifests), "Content-Type", "application/yaml")
		}
	}
	for _, c := range []struct {
		name   string
		do     func() answer
		status int
		says   string
	}{
		{"malformed YAML", put("document: {dsl: '1.0.3'\ndo: ["), 422, "manifests:"},
		{"a cycle", put(`
document: {dsl: '1.0.3', namespace: default, name: c, version: '1.0.0'}
do:
  - first: {set: {a: 1}}
  - second: {set: {a: 2}, then: first}
`), 422, "manifests:5:"},
		{"an unknown function", put(calls("c", "nonesuch")), 422, "function nonesuch is neither in these manifests nor deployed"},
		{"an unknown key", put(calls("c", "echo") + "use: {secrets: []}\n"), 422, "manifests:6:"},
		{"a function larger than the machine", put(strings.ReplaceAll(function("huge", "echo"), "cpu: 100m", "cpu: 4000")), 422, "more than all that instances may use"},
		{"no manifest", put(""), 400, "body is required"},
		{"an unknown workflow", run("god"), 404, "did you mean good?"},
		{"an unknown function to call", func() answer { return w.do("POST", "/functions/ecko", "{}") }, 404, "did you mean echo?"},
		{"an unknown path", func() answer { return w.do("GET", "/nonesuch", "") }, 404, "nothing is at /nonesuch"},
		{"a run of an unknown workflow", func() answer { return w.do("POST", "/api/v1/workflows/god/runs", "{}") }, 404, "did you mean good?"},
		{"a GET that should be a POST", func() answer { return w.do("GET", "/workflows/good", "") }, 405, "send the input with POST"},
		{"an unknown query parameter", func() answer { return w.do("GET", "/api/v1/runs?colour=blue", "") }, 422, "colour"},
		{"a limit out of range", func() answer { return w.do("GET", "/api/v1/runs?limit=0", "") }, 422, "limit"},
		{"invalid JSON", func() answer { return w.do("POST", "/workflows/good", `{"a":`) }, 400, "not JSON: unexpected end of JSON input"},
		{"invalid JSON, asynchronously", func() answer { return w.do("POST", "/api/v1/workflows/good/runs", `{"a":`) }, 400, "not JSON"},
		{"a function that never gets ready", run("calls-deaf"), 502, "did not start"},
		{"a function that exits at start", run("calls-exits"), 502, "did not start"},
		{"a function that hangs", run("calls-hangs"), 504, "timed out"},
		{"a workflow's timeout", run("late"), 504, ""},
		{"a function that answers 500", run("calls-fails"), 502, "Function answered 500 Internal Server Error"},
		{"a function that answers 404", run("calls-missing"), 502, "Function answered 404 Not Found"},
		{"a function that answers garbage", run("calls-garbage"), 502, "broke the protocol"},
		{"a function that crashes", run("calls-crashes"), 502, "crashed"},
		{"a function whose JSON is not", run("reads-invalid"), 500, "not valid JSON"},
		{"a workflow that raises an error", run("refuses"), 409, "Refused"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := *w
			w.t = t
			a := c.do()
			if a.status != c.status || !strings.Contains(a.body, c.says) {
				t.Errorf("got %d %s; want %d and %q", a.status, a.body, c.status, c.says)
			}
			a.problem(t)
			if g := w.do("POST", "/workflows/good", `[1]`); g.status != 200 || g.body != "[1]" {
				t.Fatalf("after that the server answers %+v", g)
			}
		})
	}
}

// endless is a body of any length that counts what is read of it.
type endless struct {
	left int64
	read atomic.Int64
}

func (e *endless) Read(p []byte) (int, error) {
	if e.left <= 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), e.left)
	for i := range p[:n] {
		p[i] = ' '
	}
	e.left -= n
	e.read.Add(n)
	return int(n), nil
}

// A body of 100 MB is refused without being taken in, declared or not.
func TestHugeBodies(t *testing.T) {
	w := newWorld(t, server.Config{MaxBody: 1 << 20})
	w.deploy(function("echo", "echo") + calls("good", "echo"))
	const huge = 100 << 20
	for _, c := range []struct{ method, path string }{
		{"POST", "/workflows/good"},
		{"POST", "/functions/echo"},
		{"POST", "/api/v1/workflows/good/runs"},
		{"PUT", "/api/v1/manifests"},
	} {
		for _, length := range []int64{huge, -1} {
			body := &endless{left: huge}
			req, err := http.NewRequestWithContext(t.Context(), c.method, w.http.URL+c.path, body)
			if err != nil {
				t.Fatal(err)
			}
			req.ContentLength = length
			req.Header.Set("Content-Type", "application/json")
			// The server answers before the body is through; how the rest of it
			// fails to be sent must not hide the answer.
			req.Header.Set("Expect", "100-continue")
			a := w.send(req)
			if a.status != http.StatusRequestEntityTooLarge {
				t.Errorf("%s, length %d: got %d %s", c.path, length, a.status, a.body)
			}
			if n := body.read.Load(); n > 16<<20 {
				t.Errorf("%s, length %d: %d MB were sent", c.path, length, n>>20)
			}
		}
	}
}

// Requests that find no instance within the deadline are turned away with
// advice on when to come back.
func TestNoCapacity(t *testing.T) {
	w := newWorld(t, server.Config{QueueDeadline: 200 * time.Millisecond})
	w.deploy(function("hangs", "hang", `autoscaling.knative.dev/min-scale: "1"`, `autoscaling.knative.dev/max-scale: "1"`) + calls("calls-hangs", "hangs"))
	// Its start-up would count against the deadline.
	w.until(func() bool { return strings.Contains(w.do("GET", "/api/v1/functions", "").body, `"idle":1`) })
	ctx, leave := context.WithCancel(t.Context())
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		req, _ := http.NewRequestWithContext(ctx, http.MethodPost, w.http.URL+"/workflows/calls-hangs", strings.NewReader("{}"))
		if resp, err := http.DefaultTransport.RoundTrip(req); err == nil {
			_ = resp.Body.Close()
			t.Errorf("what hangs was answered with %s", resp.Status)
		}
	}()
	w.until(func() bool { return strings.Contains(w.do("GET", "/api/v1/functions", "").body, `"busy":1`) })
	a := w.do("POST", "/workflows/calls-hangs", `{}`)
	if a.status != 503 || a.header.Get("Retry-After") == "" {
		t.Errorf("got %+v", a)
	}
	leave()
	<-gone
}
