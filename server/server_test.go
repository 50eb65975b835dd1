package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/aquatope/aquatope/internal/testfn"
	"github.com/aquatope/aquatope/server"
	"github.com/aquatope/aquatope/server/api"
)

// TestMain makes this test binary a function when it is started as one.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "testfn" {
		os.Exit(testfn.Main(os.Args[2:]))
	}
	os.Exit(m.Run())
}

// world is a server on a real platform, behind a real address.
type world struct {
	t      *testing.T
	server *server.Server
	http   *httptest.Server
	config server.Config // with the folder that is used
	closed bool
}

func newWorld(t *testing.T, c server.Config) *world {
	t.Helper()
	if c.DataDir == "" {
		c.DataDir = t.TempDir()
	}
	if c.QueueDeadline == 0 {
		c.QueueDeadline = patience
	}
	s, err := server.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, server: s, http: httptest.NewServer(s.Handler()), config: c}
	t.Cleanup(w.close)
	return w
}

// close ends the server; once is enough.
func (w *world) close() {
	if w.closed {
		return
	}
	w.closed = true
	w.http.Close()
	if err := w.server.Close(context.Background()); err != nil {
		w.t.Errorf("closing the server: %v", err)
	}
}

// reopen ends the server and opens another one on the same data folder.
func (w *world) reopen() *world {
	w.t.Helper()
	w.close()
	return newWorld(w.t, w.config)
}

// answer is a response that was read.
type answer struct {
	status int
	header http.Header
	body   string
}

// problem decodes the answer, which has to be one.
func (a answer) problem(t *testing.T) api.Problem {
	t.Helper()
	var p api.Problem
	if ct := a.header.Get("Content-Type"); ct != "application/problem+json" {
		t.Fatalf("content type %q, want a problem: %d %s", ct, a.status, a.body)
	}
	if err := json.Unmarshal([]byte(a.body), &p); err != nil {
		t.Fatalf("problem %q: %v", a.body, err)
	}
	if p.Status != a.status {
		t.Errorf("the problem says status %d, HTTP says %d", p.Status, a.status)
	}
	return p
}

func (w *world) do(method, path, body string, header ...string) answer {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.http.URL+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return w.send(req)
}

func (w *world) send(req *http.Request) answer {
	w.t.Helper()
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(text)}
}

// patience is how long to wait for what has to happen, on however slow a machine.
const patience = 3 * time.Minute

// until waits until a condition holds.
func (w *world) until(holds func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.t.Fatalf("what was waited for did not happen within %s", patience)
		}
	}
}

// get decodes the answer to a request that has to succeed.
func (w *world) get(path string, to any) {
	w.t.Helper()
	a := w.do("GET", path, "")
	if a.status != http.StatusOK {
		w.t.Fatalf("GET %s: %d %s", path, a.status, a.body)
	}
	if err := json.Unmarshal([]byte(a.body), to); err != nil {
		w.t.Fatal(err)
	}
}

// deploy deploys manifests, in which $FN is the command of the test function.
func (w *world) deploy(manifests string) {
	w.t.Helper()
	if a := w.do("PUT", "/api/v1/manifests", expand(w.t, manifests), "Content-Type", "application/yaml"); a.status != 200 {
		w.t.Fatalf("deploying: %d %s", a.status, a.body)
	}
}

func expand(t *testing.T, manifests string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(manifests, "$FN", self+", testfn")
}

// function is the manifest of a test function. It has time, unless told otherwise.
func function(name, behaviour string, annotations ...string) string {
	if !slices.Contains(annotations, startSoon) {
		annotations = append(annotations, "aquatope.dev/start-timeout: 3m")
	}
	return `
---
apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  name: ` + name + `
spec:
  template:
    metadata: {annotations: {` + strings.Join(annotations, ", ") + `}}
    spec:
      timeoutSeconds: 180
      containers:
        - command: [$FN, ` + behaviour + `]
          resources: {limits: {cpu: 100m, memory: 64Mi}}
`
}

// calls is the manifest of a workflow that calls one function.
func calls(name, fn string) string {
	return `
---
document: {dsl: '1.0.3', namespace: default, name: ` + name + `, version: '1.0.0'}
do:
  - only: {call: ` + fn + `}
`
}

const startSoon = `aquatope.dev/start-timeout: 500ms`

// impatient is the manifest of a function with a timeout of a second.
func impatient(manifest string) string {
	return strings.Replace(manifest, "timeoutSeconds: 180", "timeoutSeconds: 1", 1)
}

func TestSynchronousRun(t *testing.T) {
	before := goleak.IgnoreCurrent()
	w := newWorld(t, server.Config{})
	w.deploy(function("echo", "echo") + calls("greet", "echo"))
	a := w.do("POST", "/workflows/greet", `{"name":"Ada"}`)
	if a.status != 200 || a.body != `{"name":"Ada"}` || a.header.Get("Content-Type") != "application/json" {
		t.Fatalf("got %+v", a)
	}
	id := a.header.Get("Aquatope-Run-Id")
	if a := w.do("GET", "/api/v1/runs/"+id, ""); a.status != 200 || !strings.Contains(a.body, `"status":"completed"`) || !strings.Contains(a.body, `"function":"echo"`) {
		t.Errorf("the run is %+v", a)
	}
	for _, path := range []string{"/", "/runs/" + id, "/metrics", "/api/v1/status", "/openapi.json"} {
		if a := w.do("GET", path, ""); a.status != 200 || !strings.Contains(a.body, "greet") && path != "/openapi.json" {
			t.Errorf("%s: %d, without the workflow's name: %s", path, a.status, a.body)
		}
	}
	if a := w.do("GET", "/runs/nonesuch", ""); a.status != 404 {
		t.Errorf("the page of an unknown run: %d", a.status)
	}
	w.close()
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	for deadline := time.Now().Add(patience); ; {
		leak := goleak.Find(before)
		if leak == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(leak)
		}
	}
}

// A function gets the caller's header and its answer goes back as it is.
func TestFunctionIsTransparent(t *testing.T) {
	w := newWorld(t, server.Config{})
	w.deploy(function("echo", "echo") + function("gone", "status, '410'"))
	if a := w.do("POST", "/functions/echo", "not JSON", "Content-Type", "text/plain"); a.status != 200 || a.body != "not JSON" {
		t.Errorf("got %+v", a)
	}
	a := w.do("POST", "/functions/gone", "{}")
	if a.status != 410 || a.body != "as asked\n" || a.header.Get("Aquatope-Run-Id") == "" {
		t.Errorf("got %+v", a)
	}
}

func TestAsynchronousRun(t *testing.T) {
	w := newWorld(t, server.Config{})
	w.deploy(function("echo", "echo") + calls("greet", "echo"))
	start := func(body, key string) answer {
		return w.do("POST", "/api/v1/workflows/greet/runs", body, "Content-Type", "application/json", "Idempotency-Key", key)
	}
	a := start(`{"n":1}`, "k")
	if a.status != 202 || !strings.HasPrefix(a.header.Get("Location"), "/api/v1/runs/") {
		t.Fatalf("got %+v", a)
	}
	if again := start(`{"n":1}`, "k"); again.status/100 != 2 || again.header.Get("Location") != a.header.Get("Location") {
		t.Errorf("the same key gave %+v", again)
	}
	if p := start(`{"n":2}`, "k"); p.status != 422 {
		t.Errorf("the same key with another input gave %+v", p)
	}
	if done := w.do("POST", "/api/v1/workflows/greet/runs?waitNanos=20000000000", `[7]`); done.status != 200 || !strings.Contains(done.body, `"output":[7]`) {
		t.Errorf("waiting for the end gave %+v", done)
	}
	if p := w.do("POST", "/workflows/greet", `{}`, "Prefer", "respond-async"); p.status != 202 || p.header.Get("Location") == "" {
		t.Errorf("Prefer: respond-async gave %+v", p)
	}
	if p := w.do("POST", "/api/v1/runs/nonesuch/cancel", ""); p.status != 404 {
		t.Errorf("cancelling an unknown run gave %+v", p)
	}
}

func TestCancel(t *testing.T) {
	w := newWorld(t, server.Config{})
	w.deploy(function("echo", "echo") + `
---
document: {dsl: '1.0.3', namespace: default, name: waits, version: '1.0.0'}
do:
  - rest: {wait: {minutes: 5}}
  - only: {call: echo}
`)
	a := w.do("POST", "/api/v1/workflows/waits/runs", `{}`)
	location := a.header.Get("Location")
	if c := w.do("POST", location+"/cancel", ""); c.status != 200 || !strings.Contains(c.body, `"status":"cancelled"`) {
		t.Errorf("got %+v", c)
	}
	if c := w.do("POST", location+"/cancel", ""); c.status != 409 {
		t.Errorf("cancelling again gave %+v", c)
	}
}

// Everything is there again after a restart, and a run that waited goes on.
func TestRestart(t *testing.T) {
	w := newWorld(t, server.Config{})
	w.deploy(function("echo", "echo") + calls("greet", "echo"))
	// On a busy machine the run may have gone on before the server was closed.
	for seconds := 1; ; seconds *= 2 {
		w.deploy(fmt.Sprintf(`
document: {dsl: '1.0.3', namespace: default, name: waits, version: '1.0.0'}
do:
  - rest: {wait: {seconds: %d}}
  - only: {call: echo}
`, seconds))
		location := w.do("POST", "/api/v1/workflows/waits/runs", `{"n":1}`).header.Get("Location")
		w = w.reopen()
		if a := w.do("POST", "/workflows/greet", `[1]`); a.status != 200 || a.body != `[1]` {
			t.Errorf("after the restart: %+v", a)
		}
		var last string
		w.until(func() bool {
			last = w.do("GET", location, "").body
			return strings.Contains(last, `"status":"completed"`)
		})
		if !strings.Contains(last, `"output":{"n":1}`) {
			t.Errorf("the run ended as %s", last)
		}
		if strings.Contains(last, `"resumes":1`) {
			return
		}
		if seconds > 30 {
			t.Fatalf("no run goes on after a restart: %s", last)
		}
	}
}

// Closing waits for runs under way and refuses new ones.
func TestDrain(t *testing.T) {
	w := newWorld(t, server.Config{})
	under, goOn := make(chan struct{}), make(chan struct{})
	asked := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(under)
		<-goOn
	}))
	defer asked.Close()
	slow := strings.Replace(function("slow", "record"), "resources:", "env: [{name: RECORD, value: '"+asked.URL+"'}]\n          resources:", 1)
	w.deploy(slow + calls("slowly", "slow"))
	ended := make(chan answer)
	go func() { ended <- w.do("POST", "/workflows/slowly", `{"n":1}`) }()
	<-under
	if body := w.do("GET", "/api/v1/workflows/slowly", "").body; !strings.Contains(body, `"running":1`) {
		t.Errorf("a run under way is not counted: %s", body)
	}
	closed := make(chan error)
	go func() { closed <- w.server.Close(context.Background()) }()
	w.until(func() bool { return w.do("GET", "/readyz", "").status == 503 })
	if p := w.do("POST", "/workflows/slowly", `{}`); p.status != 503 || p.header.Get("Retry-After") == "" {
		t.Errorf("a new run while closing gave %+v", p)
	}
	close(goOn)
	if a := <-ended; a.status != 200 || a.body != `{"n":1}` {
		t.Errorf("the run under way ended as %+v", a)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}
