package engine_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aquatope/aquatope/engine"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform"
	"github.com/aquatope/aquatope/run"
	"github.com/aquatope/aquatope/store"
	"github.com/aquatope/aquatope/workflow"
)

// The test binary runs itself as the server that is killed: these variables
// say where its database and its functions are.
const (
	childDatabase  = "AQUATOPE_TEST_DATABASE"
	childFunctions = "AQUATOPE_TEST_FUNCTIONS"
)

// child runs the server if this process is one. It resumes what is on the log,
// accepts runs without end, and prints the id of each once it is accepted.
func child() bool {
	path := os.Getenv(childDatabase)
	if path == "" {
		return false
	}
	s, err := store.Open(path, store.Config{})
	fatal(err)
	e := engine.New(engine.Config{Invoker: remote(os.Getenv(childFunctions)), Log: s})
	n, err := e.Resume(context.Background())
	fatal(err)
	fmt.Println("resumed", n)
	p, err := engine.Compile(crashWorkflow())
	fatal(err)
	// Read commands: "start" accepts a run, the end of input ends well.
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		go func() {
			a, err := e.Start(context.Background(), p, engine.Input{Body: []byte(`{"n":1}`), ContentType: "application/json"})
			fatal(err)
			fmt.Println("accepted", a.ID)
		}()
	}
	for e.Active() > 0 {
		time.Sleep(time.Millisecond)
	}
	fatal(e.Close(context.Background()))
	fatal(s.Close())
	return true
}

func fatal(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
}

// crashWorkflow has every kind of thing that a run records: stages in a row, a
// fork, parallel iterations, a retry and a wait.
func crashWorkflow() workflow.Workflow {
	retry := workflow.Catch{Retry: &workflow.Retry{Delay: 2 * time.Millisecond, MaxAttempts: 5}}
	return flowOf(
		call("first", "step"),
		forkOf("both", call("left", "step"), do("right", call("r1", "step"), call("r2", "step"))),
		workflow.Task{Name: "pause", Wait: 3 * time.Millisecond},
		loopOf("each", "[1,2,3]", 2, call("item", "step")),
		tryOf("stubborn", retry, call("flaky", "flaky")),
		call("last", "step"),
	)
}

// remote invokes functions that another process serves.
type remote string

func (r remote) Invoke(ctx context.Context, req platform.Request) (*platform.Response, error) {
	h, err := http.NewRequestWithContext(ctx, http.MethodPost, string(r)+"/"+req.Function, bytes.NewReader(req.Body))
	if err != nil {
		return nil, err
	}
	h.Header = req.Header.Clone()
	h.Header.Set("Attempt", strconv.Itoa(req.Attempt))
	resp, err := http.DefaultClient.Do(h)
	if err != nil {
		return nil, &platform.InvokeError{Outcome: function.OutcomeCrash, Detail: err.Error()}
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, &platform.InvokeError{Outcome: function.OutcomeCrash, Detail: err.Error()}
	}
	return &platform.Response{Status: resp.StatusCode, Header: resp.Header, Body: b}, nil
}

// functions serves step and flaky and remembers the order of the invocations.
type functions struct {
	mu    sync.Mutex
	child string                 // whose invocations are taken: the first element of their path
	began map[string][]time.Time // by idempotency key
}

// serve makes another child the one that lives. What a killed one had sent may still
// come in, and began before its end.
func (f *functions) serve(child string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.child = child
}

func (f *functions) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	key := r.Header.Get("Idempotency-Key")
	child, name, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	f.mu.Lock()
	if child == f.child {
		f.began[key] = append(f.began[key], time.Now())
	}
	f.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if name == "flaky" && r.Header.Get("Attempt") < "2" {
		w.WriteHeader(503)
	}
	_, _ = fmt.Fprintf(w, "%q", key)
}

func (f *functions) saw(key string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.began[key]) > 0
}

// TestKill kills a server with asynchronous runs under way, again and again,
// and then lets one finish. Every accepted run has to end well, and no stage
// may have been invoked after its completion was on the log.
func TestKill(t *testing.T) {
	const rounds, perRound = 20, 8
	f := &functions{began: make(map[string][]time.Time)}
	srv := &http.Server{Handler: f}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = srv.Serve(l) }()
	defer srv.Close()
	db := filepath.Join(t.TempDir(), "runs.db")
	accepted := make(map[string]bool)
	random := rand.New(rand.NewPCG(1, 2))
	resumed := 0
	for round := range rounds {
		c := f.startChild(t, db, l.Addr().String(), round)
		resumed += c.resumed
		c.start(perRound)
		// Let a random number be accepted, and go on for a random while.
		c.collect(accepted, random.IntN(perRound+1))
		time.Sleep(time.Duration(random.IntN(25)) * time.Millisecond)
		if err := c.cmd.Process.Kill(); err != nil {
			t.Fatal(round, err)
		}
		c.collect(accepted, perRound)
		_ = c.cmd.Wait()
		checkRepeats(t, db, f)
	}
	c := f.startChild(t, db, l.Addr().String(), rounds)
	resumed += c.resumed
	_ = c.stdin.Close()
	if err := c.cmd.Wait(); err != nil {
		t.Fatal("the last server: ", err)
	}
	checkRepeats(t, db, f)
	s, err := store.Open(db, store.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	repeated := 0
	for id := range accepted {
		r, err := s.Run(t.Context(), id)
		if err != nil || r.Status != run.StatusCompleted {
			t.Errorf("accepted run %s: %s, %v, %v", id, r.Status, r.Problem, err)
		}
		if n := len(r.Stages); n != 11 {
			t.Errorf("run %s has %d stages", id, n)
		}
	}
	for _, began := range f.began {
		if len(began) > 1 {
			repeated++
		}
	}
	if len(accepted) == 0 || resumed == 0 {
		t.Fatalf("nothing tested: %d runs accepted, %d resumed", len(accepted), resumed)
	}
	t.Logf("%d kills: %d runs accepted, %d resumptions, %d of %d stage attempts invoked again because they were under way",
		rounds, len(accepted), resumed, repeated, len(f.began))
}

// checkRepeats compares the log with what the functions saw: an invocation
// that began after the log had its stage's outcome is a repetition.
func checkRepeats(t *testing.T, db string, f *functions) {
	t.Helper()
	s, err := store.Open(db, store.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	runs, _, err := s.Runs(t.Context(), store.RunFilter{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range runs {
		events, err := s.Events(t.Context(), r.ID)
		if err != nil {
			t.Fatal(err)
		}
		outcomes := make(map[string]int)
		checkOrder := func() {
			for later, needs := range before {
				if !f.saw(r.ID + later) {
					continue
				}
				for _, n := range needs {
					if outcomes[r.ID+n] == 0 {
						t.Errorf("run %s: stage %s was invoked before the outcome of %s was on the log", r.ID, later, n)
					}
				}
			}
		}
		for _, ev := range events {
			if ev.Stage == nil {
				continue
			}
			key := ev.Run + ev.Task
			if ev.At != "" {
				key += "#" + ev.At
			}
			if outcomes[key]++; outcomes[key] > 1 {
				t.Fatalf("stage %s has two outcomes on the log", key)
			}
			f.mu.Lock()
			for _, began := range f.began[key] {
				if began.After(ev.Time) {
					t.Errorf("stage %s began at %v although it had ended at %v", key, began, ev.Time)
				}
			}
			f.mu.Unlock()
		}
		checkOrder()
	}
}

// before says which outcomes have to be on the log when a stage of
// crashWorkflow is invoked.
var before = map[string][]string{
	"/do/1/both/fork/branches/0/left":          {"/do/0/first"},
	"/do/1/both/fork/branches/1/right/do/1/r2": {"/do/1/both/fork/branches/1/right/do/0/r1"},
	"/do/3/each/do/0/item#i0":                  {"/do/1/both/fork/branches/0/left", "/do/1/both/fork/branches/1/right/do/1/r2"},
	"/do/4/stubborn/try/0/flaky#r0":            {"/do/3/each/do/0/item#i0", "/do/3/each/do/0/item#i1", "/do/3/each/do/0/item#i2"},
	"/do/4/stubborn/try/0/flaky#r1":            {"/do/4/stubborn/try/0/flaky#r0"},
	"/do/4/stubborn/try/0/flaky#r2":            {"/do/4/stubborn/try/0/flaky#r1"},
	"/do/5/last":                               {"/do/4/stubborn/try/0/flaky#r2"},
}

type childProcess struct {
	t       *testing.T
	cmd     *exec.Cmd
	stdin   io.WriteCloser
	lines   *bufio.Scanner
	resumed int
	seen    int
}

func (f *functions) startChild(t *testing.T, db, address string, round int) *childProcess {
	t.Helper()
	f.serve(strconv.Itoa(round))
	c := &childProcess{t: t, cmd: exec.Command(os.Args[0])}
	c.cmd.Env = append(os.Environ(), childDatabase+"="+db, fmt.Sprintf("%s=http://%s/%d", childFunctions, address, round))
	c.cmd.Stderr = os.Stderr
	var err error
	if c.stdin, err = c.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c.lines = bufio.NewScanner(out)
	if !c.lines.Scan() {
		t.Fatal("the server did not start")
	}
	if _, err := fmt.Sscanf(c.lines.Text(), "resumed %d", &c.resumed); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *childProcess) start(n int) {
	for range n {
		_, _ = fmt.Fprintln(c.stdin, "start")
	}
}

// collect reads the ids of accepted runs until n were seen, or the process ended.
func (c *childProcess) collect(ids map[string]bool, n int) {
	for ; c.seen < n && c.lines.Scan(); c.seen++ {
		var id string
		if _, err := fmt.Sscanf(c.lines.Text(), "accepted %s", &id); err == nil {
			ids[id] = true
		}
	}
}
