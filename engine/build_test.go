package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/aquatope/aquatope/engine"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform"
	"github.com/aquatope/aquatope/run"
	"github.com/aquatope/aquatope/workflow"
)

func TestMain(m *testing.M) {
	if child() {
		return
	}
	code := m.Run()
	leak := goleak.Find()
	for end := time.Now().Add(patience); leak != nil && time.Now().Before(end); {
		leak = goleak.Find()
	}
	if leak != nil {
		fmt.Fprintln(os.Stderr, leak)
		code = max(code, 1)
	}
	os.Exit(code)
}

// flowOf names the tasks' paths as a reader of documents does.
func flowOf(tasks ...workflow.Task) workflow.Workflow {
	name(tasks, "/do")
	return workflow.Workflow{Name: "test", Version: "1.0.0", Do: tasks}
}

func name(tasks []workflow.Task, prefix string) {
	for i := range tasks {
		t := &tasks[i]
		t.Path = prefix + "/" + strconv.Itoa(i) + "/" + t.Name
		name(t.Do, t.Path+"/do")
		if t.Fork != nil {
			name(t.Fork.Branches, t.Path+"/fork/branches")
		}
		if t.For != nil {
			name(t.For.Do, t.Path+"/do")
		}
		if t.Try != nil {
			name(t.Try.Do, t.Path+"/try")
			name(t.Try.Catch.Do, t.Path+"/catch/do")
		}
	}
}

func call(name, fn string) workflow.Task {
	return workflow.Task{Name: name, Call: &workflow.Call{Function: fn}}
}

func set(name string, v any) workflow.Task { return workflow.Task{Name: name, Set: v} }

func do(name string, tasks ...workflow.Task) workflow.Task {
	return workflow.Task{Name: name, Do: tasks}
}

func forkOf(name string, branches ...workflow.Task) workflow.Task {
	return workflow.Task{Name: name, Fork: &workflow.Fork{Branches: branches}}
}

func loopOf(name, in string, parallel int, tasks ...workflow.Task) workflow.Task {
	return workflow.Task{Name: name, For: &workflow.For{Each: "item", At: "index", In: workflow.Expr(in), Parallel: parallel, Do: tasks}}
}

func tryOf(name string, c workflow.Catch, tasks ...workflow.Task) workflow.Task {
	return workflow.Task{Name: name, Try: &workflow.Try{Do: tasks, Catch: c}}
}

func with(t workflow.Task, f func(*workflow.Task)) workflow.Task {
	f(&t)
	return t
}

// script is an invoker whose functions are Go functions, and which remembers
// what it was asked.
type script struct {
	functions map[string]func(ctx context.Context, n int, req platform.Request) (*platform.Response, error)

	mu    sync.Mutex
	calls []platform.Request
	count map[string]int
}

func (s *script) Invoke(ctx context.Context, req platform.Request) (*platform.Response, error) {
	s.mu.Lock()
	if s.count == nil {
		s.count = make(map[string]int)
	}
	n := s.count[req.Function]
	s.count[req.Function]++
	s.calls = append(s.calls, req)
	s.mu.Unlock()
	f, ok := s.functions[req.Function]
	if !ok {
		return nil, &platform.InvokeError{Outcome: function.OutcomeRejected, Detail: "not deployed"}
	}
	return f(ctx, n, req)
}

func (s *script) called() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for _, c := range s.calls {
		names = append(names, c.Function)
	}
	slices.Sort(names)
	return names
}

type fn = func(ctx context.Context, n int, req platform.Request) (*platform.Response, error)

// answer is a function that always answers the same.
func answer(status int, body string) fn {
	return func(context.Context, int, platform.Request) (*platform.Response, error) {
		return reply(status, body), nil
	}
}

func reply(status int, body string) *platform.Response {
	return &platform.Response{
		Status: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(body),
		Observation: function.Observation{Outcome: function.OutcomeOK},
	}
}

func failing(o function.Outcome) fn {
	return func(context.Context, int, platform.Request) (*platform.Response, error) {
		return nil, &platform.InvokeError{Outcome: o, Detail: "as scripted"}
	}
}

// failTimes fails with a status in the first n attempts, then answers.
func failTimes(n, status int, body string) fn {
	return func(_ context.Context, _ int, req platform.Request) (*platform.Response, error) {
		if req.Attempt < n {
			return reply(status, `{"title":"not yet"}`), nil
		}
		return reply(200, body), nil
	}
}

// hang blocks until the caller goes away.
func hang(ctx context.Context, _ int, _ platform.Request) (*platform.Response, error) {
	<-ctx.Done()
	return nil, &platform.InvokeError{Outcome: function.OutcomeCanceled, Detail: "the caller went away"}
}

// echo answers with {"fn": name, "in": input}.
func echo(_ context.Context, _ int, req platform.Request) (*platform.Response, error) {
	return reply(200, fmt.Sprintf(`{"fn":%q,"in":%s}`, req.Function, req.Body)), nil
}

// increment answers with its input plus one.
func increment(_ context.Context, _ int, req platform.Request) (*platform.Response, error) {
	var n float64
	if err := json.Unmarshal(req.Body, &n); err != nil {
		return reply(400, `"not a number"`), nil
	}
	return reply(200, strconv.FormatFloat(n+1, 'g', -1, 64)), nil
}

// memory is a log in memory. It shares nothing with what it is given.
type memory struct {
	mu          sync.Mutex
	events      []run.Event
	definitions map[string][]byte
	fail        error // returned by Append
}

func (m *memory) Append(_ context.Context, events ...run.Event) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return m.fail
	}
	m.events = append(m.events, events...)
	return nil
}

func (m *memory) Note(events ...run.Event) { _ = m.Append(context.Background(), events...) }

func (m *memory) SaveDefinition(_ context.Context, digest string, d []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.definitions == nil {
		m.definitions = make(map[string][]byte)
	}
	m.definitions[digest] = d
	return nil
}

func (m *memory) Definition(_ context.Context, digest string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.definitions[digest], nil
}

func (m *memory) Unfinished(context.Context) iter.Seq2[[]run.Event, error] {
	m.mu.Lock()
	defer m.mu.Unlock()
	byRun := make(map[string][]run.Event)
	var order []string
	for _, ev := range m.events {
		if byRun[ev.Run] == nil {
			order = append(order, ev.Run)
		}
		byRun[ev.Run] = append(byRun[ev.Run], ev)
	}
	return func(yield func([]run.Event, error) bool) {
		for _, id := range order {
			evs := byRun[id]
			slices.SortFunc(evs, func(a, b run.Event) int { return int(a.Seq - b.Seq) })
			if evs[len(evs)-1].Kind != run.RunEnded && !yield(evs, nil) {
				return
			}
		}
	}
}

func (m *memory) FindKey(_ context.Context, wf, key string) (string, run.Accepted, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, ev := range m.events {
		if a := ev.Accepted; a != nil && a.Workflow == wf && a.IdempotencyKey == key {
			return ev.Run, *a, true, nil
		}
	}
	return "", run.Accepted{}, false, nil
}

// prefix is a log that holds the first n events of m, as after a crash.
func (m *memory) prefix(n int) *memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	return &memory{events: slices.Clone(m.events[:n]), definitions: m.definitions}
}

func (m *memory) len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.events)
}

func (m *memory) kinds() []run.Kind {
	m.mu.Lock()
	defer m.mu.Unlock()
	var ks []run.Kind
	for _, ev := range m.events {
		ks = append(ks, ev.Kind)
	}
	return ks
}

// await waits for the end of a run and returns it as the log has it.
func (m *memory) await(t testing.TB, e *engine.Engine, id string) *engine.Result {
	t.Helper()
	if _, err := e.Wait(context.Background(), id); err != nil && !errors.Is(err, engine.ErrNotActive) {
		t.Fatal(err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, ev := range m.events {
		if ev.Run == id && ev.Kind == run.RunEnded {
			return &engine.Result{Run: *ev.Summary, Body: ev.Body, ContentType: ev.ContentType}
		}
	}
	t.Fatalf("run %s is not active and has not ended", id)
	return nil
}

func compile(t testing.TB, wf workflow.Workflow) *engine.Plan {
	t.Helper()
	p, err := engine.Compile(wf)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func body(s string) engine.Input {
	return engine.Input{Body: []byte(s), ContentType: "application/json"}
}
