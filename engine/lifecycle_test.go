package engine_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aquatope/aquatope/engine"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform"
	"github.com/aquatope/aquatope/run"
	"github.com/aquatope/aquatope/workflow"
)

func TestCompileRefuses(t *testing.T) {
	for _, tc := range []struct {
		name string
		wf   workflow.Workflow
		want string
	}{
		{"syntax", flowOf(set("a", "${ .a[ }")), `/do/0/a: set: parsing expression ".a["`},
		{"brace", flowOf(set("a", "${ .a")), "a ${ without its }"},
		{"unknown variable", flowOf(set("a", "${ $nope }")), "variable not defined: $nope"},
		{"secrets", flowOf(set("a", "${ $secrets.key }")), "$secrets is not available"},
		{"authorization", flowOf(set("a", "${ $authorization }")), "$authorization is not available"},
		{"definition", flowOf(set("a", "${ $task.definition }")), "$task.definition is not available"},
		{"loop variable outside", flowOf(loopOf("l", ".", 1, set("a", 1)), set("b", "${ $item }")), "variable not defined: $item"},
		{"error variable in the try", flowOf(tryOf("t", workflow.Catch{}, set("a", "${ $error }"))), "variable not defined: $error"},
		{"unknown jump", flowOf(with(set("a", 1), func(t *workflow.Task) { t.Then = "z" })), `/do/0/a: then: no task "z" in the same list`},
		{"backward jump", flowOf(set("a", 1), with(set("b", 1), func(t *workflow.Task) { t.Then = "a" })), "repeat tasks with for"},
		{"jump out of a branch", flowOf(forkOf("f", with(set("a", 1), func(t *workflow.Task) { t.Then = "b" }), set("b", 1))), `no task "b"`},
		{"endpoint", flowOf(workflow.Task{Name: "h", Call: &workflow.Call{HTTP: &workflow.HTTPCall{Endpoint: "http://x/${ .a"}}}), "a ${ without its }"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := engine.Compile(tc.wf)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

// slow blocks until released, or until the caller goes away.
func slow(release <-chan struct{}) fn {
	return func(ctx context.Context, _ int, _ platform.Request) (*platform.Response, error) {
		select {
		case <-release:
			return reply(200, `"done"`), nil
		case <-ctx.Done():
			return nil, &platform.InvokeError{Outcome: function.OutcomeCanceled, Detail: "the caller went away"}
		}
	}
}

func TestCallerGoesAway(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	hang := func(ctx context.Context, n int, req platform.Request) (*platform.Response, error) {
		cancel()
		return stdFunctions["hang"](ctx, n, req)
	}
	e := engine.New(engine.Config{Invoker: &script{functions: map[string]fn{"hang": hang}}})
	res, err := e.Run(ctx, compile(t, flowOf(tryOf("t", workflow.Catch{}, call("h", "hang")))), body(`1`))
	if err != nil || res.Status != run.StatusCancelled || res.Violated {
		t.Errorf("ended as %+v, %v", res, err)
	}
	ires, err := e.Invoke(ctx, "hang", body(`1`))
	if err != nil || ires.Status != run.StatusCancelled {
		t.Errorf("ended as %+v, %v", ires, err)
	}
}

func TestCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &memory{}
		e := engine.New(engine.Config{Invoker: &script{functions: stdFunctions}, Log: log})
		a, err := e.Start(t.Context(), compile(t, flowOf(tryOf("t", workflow.Catch{}, call("h", "hang")))), body(`1`))
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		before := log.len()
		if err := e.Cancel(t.Context(), a.ID); err != nil {
			t.Fatal(err)
		}
		if res := log.await(t, e, a.ID); res.Status != run.StatusCancelled {
			t.Errorf("ended as %s", res.Status)
		}
		if err := e.Cancel(t.Context(), a.ID); !errors.Is(err, engine.ErrNotActive) {
			t.Errorf("cancelled twice: %v", err)
		}
		// The request survives a crash right after it.
		crashed := log.prefix(before + 1)
		inv := &script{functions: stdFunctions}
		e = engine.New(engine.Config{Invoker: inv, Log: crashed})
		if _, err := e.Resume(t.Context()); err != nil {
			t.Fatal(err)
		}
		if res := crashed.await(t, e, a.ID); res.Status != run.StatusCancelled || len(inv.calls) != 0 {
			t.Errorf("ended as %s after %d calls", res.Status, len(inv.calls))
		}
	})
}

// TestClose shows that a stage under way ends and is recorded, that the run
// stops before the next, and goes on after a restart.
func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		inv := &script{functions: map[string]fn{"slow": slow(release), "inc": increment, "five": answer(200, "5")}}
		log := &memory{}
		e := engine.New(engine.Config{Invoker: inv, Log: log})
		p := compile(t, flowOf(forkOf("f", call("a", "slow"), do("w", workflow.Task{Name: "z", Wait: time.Hour})), call("b", "five"), call("c", "inc")))
		a, err := e.Start(t.Context(), p, body(`1`))
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		closed := make(chan error)
		go func() { closed <- e.Close(t.Context()) }()
		synctest.Wait()
		if _, err := e.Run(t.Context(), p, body(`1`)); !errors.Is(err, engine.ErrClosed) {
			t.Errorf("accepted a run: %v", err)
		}
		time.Sleep(20 * time.Minute)
		close(release)
		if err := <-closed; err != nil {
			t.Fatal(err)
		}
		if ks := log.kinds(); slices.Contains(ks, run.RunEnded) || !slices.Contains(ks, run.TaskCompleted) {
			t.Fatalf("log holds %v", ks)
		}
		begin := time.Now()
		e = engine.New(engine.Config{Invoker: inv, Log: log})
		if n, err := e.Resume(t.Context()); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		res := log.await(t, e, a.ID)
		if string(res.Body) != "6" || res.Resumes != 1 || len(res.Stages) != 3 {
			t.Errorf("ended with %s after %d resumes, stages %v", res.Body, res.Resumes, res.Stages)
		}
		if got := time.Since(begin); got != 40*time.Minute {
			t.Errorf("waited %v more, want what was left of the hour", got)
		}
		if got := inv.called(); !slices.Equal(got, []string{"five", "inc", "slow"}) {
			t.Errorf("called %v", got)
		}
	})
}

// TestCloseHurries shows that the end of Close's context abandons stages
// without ending their runs.
func TestCloseHurries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &memory{}
		e := engine.New(engine.Config{Invoker: &script{functions: stdFunctions}, Log: log})
		if _, err := e.Start(t.Context(), compile(t, flowOf(call("h", "hang"))), body(`1`)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := e.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("closed with %v", err)
		}
		if ks := log.kinds(); slices.Contains(ks, run.RunEnded) || slices.Contains(ks, run.TaskFailed) {
			t.Errorf("log holds %v", ks)
		}
	})
}

func TestTimeoutSurvivesARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &memory{}
		p := compile(t, flowOf(with(call("h", "hang"), func(t *workflow.Task) { t.Timeout = time.Hour })))
		e := engine.New(engine.Config{Invoker: &script{functions: stdFunctions}, Log: log})
		a, err := e.Start(t.Context(), p, body(`1`))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Minute)
		crashed := log.prefix(log.len())
		if err := e.Cancel(t.Context(), a.ID); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		e = engine.New(engine.Config{Invoker: &script{functions: stdFunctions}, Log: crashed})
		if _, err := e.Resume(t.Context()); err != nil {
			t.Fatal(err)
		}
		res := crashed.await(t, e, a.ID)
		if res.Problem == nil || res.Problem.Type != run.TypeTimeout || time.Since(begin) != 10*time.Minute {
			t.Errorf("ended with %v after %v", res.Problem, time.Since(begin))
		}
	})
}

func TestIdempotencyKey(t *testing.T) {
	log := &memory{}
	e := engine.New(engine.Config{Invoker: &script{functions: stdFunctions}, Log: log})
	p := compile(t, flowOf(call("a", "inc")))
	in := body(`1`)
	in.IdempotencyKey = "k"
	var (
		wg  sync.WaitGroup
		mu  sync.Mutex
		ids = map[string]int{}
		new int
	)
	for range 20 {
		wg.Go(func() {
			a, err := e.Start(t.Context(), p, in)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			ids[a.ID]++
			if !a.Repeated {
				new++
			}
		})
	}
	wg.Wait()
	if len(ids) != 1 || new != 1 {
		t.Errorf("accepted %d runs under one key: %v", new, ids)
	}
	in.Body = []byte(`2`)
	if _, err := e.Start(t.Context(), p, in); !errors.Is(err, engine.ErrKeyReused) {
		t.Errorf("accepted another request under the key: %v", err)
	}
	if err := e.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestLogFails(t *testing.T) {
	full := errors.New("disk full")
	log := &memory{fail: full}
	e := engine.New(engine.Config{Invoker: &script{functions: stdFunctions}, Log: log})
	p := compile(t, flowOf(call("a", "inc")))
	if _, err := e.Start(t.Context(), p, body(`1`)); !errors.Is(err, full) {
		t.Errorf("accepted a run without a log: %v", err)
	}
	// A log that fails later stops the run; it is not reported as ended.
	log.fail = nil
	release := make(chan struct{})
	e = engine.New(engine.Config{Invoker: &script{functions: map[string]fn{"slow": slow(release)}}, Log: log})
	a, err := e.Start(t.Context(), compile(t, flowOf(call("a", "slow"))), body(`1`))
	if err != nil {
		t.Fatal(err)
	}
	waited := make(chan error)
	go func() {
		_, err := e.Wait(t.Context(), a.ID)
		waited <- err
	}()
	log.mu.Lock()
	log.fail = full
	log.mu.Unlock()
	close(release)
	if err := <-waited; !errors.Is(err, full) && !errors.Is(err, engine.ErrNotActive) {
		t.Errorf("waited until %v", err)
	}
	if err := e.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestPatience shows that an asynchronous run waits for capacity, and a
// synchronous one says when to come back.
func TestPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		busy := func(_ context.Context, n int, _ platform.Request) (*platform.Response, error) {
			if n < 4 {
				return nil, &platform.InvokeError{Outcome: function.OutcomeRejected, Detail: "busy", RetryAfter: 2 * time.Second}
			}
			return reply(200, `"in"`), nil
		}
		p := compile(t, flowOf(call("a", "busy")))
		log := &memory{}
		e := engine.New(engine.Config{Invoker: &script{functions: map[string]fn{"busy": busy}}, Log: log, Patience: 10 * time.Second})
		res, err := e.Run(t.Context(), p, body(`1`))
		if err != nil || res.Problem == nil || res.Problem.Status != 503 || res.RetryAfter != 2*time.Second {
			t.Errorf("ended with %v, %v, retry after %v", res.Problem, err, res.RetryAfter)
		}
		begin := time.Now()
		a, err := e.Start(t.Context(), p, body(`1`))
		if err != nil {
			t.Fatal(err)
		}
		if res := log.await(t, e, a.ID); string(res.Body) != `"in"` || time.Since(begin) != 6*time.Second {
			t.Errorf("ended with %s, %v after %v", res.Body, res.Problem, time.Since(begin))
		}
		// Patience ends.
		log = &memory{}
		e = engine.New(engine.Config{Invoker: &script{functions: map[string]fn{"busy": busy}}, Log: log, Patience: 3 * time.Second})
		if a, err = e.Start(t.Context(), p, body(`1`)); err != nil {
			t.Fatal(err)
		}
		if res := log.await(t, e, a.ID); res.Problem == nil || res.Problem.Status != 503 {
			t.Errorf("ended with %s, %v", res.Status, res.Problem)
		}
	})
}

func TestTraceContext(t *testing.T) {
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
	for _, tc := range []struct{ name, parent, id, flags string }{
		{"continues", parent, "0af7651916cd43dd8448eb211c80319c", "00"},
		{"later version", "cc" + parent[2:] + "-more", "0af7651916cd43dd8448eb211c80319c", "00"},
		{"none", "", "", "01"},
		{"malformed", "00-xyz", "", "01"},
		{"upper case", strings.ToUpper(parent), "", "01"},
		{"all zeros", "00-00000000000000000000000000000000-b7ad6b7169203331-01", "", "01"},
		{"version ff", "ff" + parent[2:], "", "01"},
		{"too long for version 00", parent + "-more", "", "01"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inv := &script{functions: stdFunctions}
			e := engine.New(engine.Config{Invoker: inv})
			in := body(`1`)
			in.Header = http.Header{"Tracestate": {"a=1"}}
			if tc.parent != "" {
				in.Header.Set("Traceparent", tc.parent)
			}
			res, err := e.Run(t.Context(), compile(t, flowOf(call("a", "inc"), call("b", "inc"))), in)
			if err != nil {
				t.Fatal(err)
			}
			if tc.id != "" && res.TraceID != tc.id || len(res.TraceID) != 32 {
				t.Errorf("trace id %q", res.TraceID)
			}
			var spans []string
			for i, c := range inv.calls {
				parts := strings.Split(c.Header.Get("Traceparent"), "-")
				if len(parts) != 4 || parts[1] != res.TraceID || parts[2] != res.Stages[i].SpanID || parts[3] != tc.flags {
					t.Errorf("stage %d got %v", i, parts)
				}
				spans = append(spans, parts[2])
				if state := c.Header.Get("Tracestate"); (state == "a=1") != (tc.id != "") {
					t.Errorf("stage %d got tracestate %q", i, state)
				}
			}
			if spans[0] == spans[1] {
				t.Error("two stages share a span")
			}
		})
	}
}

func TestInvoke(t *testing.T) {
	var recorded []run.Run
	inv := &script{functions: stdFunctions}
	e := engine.New(engine.Config{Invoker: inv, MaxBody: 10, Record: func(r run.Run) { recorded = append(recorded, r) }})
	for _, tc := range []struct {
		fn      string
		status  run.Status
		code    int
		body    string
		problem int
	}{
		{"five", run.StatusCompleted, 200, "5", 0},
		{"teapot", run.StatusFaulted, 418, `{"why":"short"}`, 418},
		{"oom", run.StatusFaulted, 0, "", 507},
		{"nope", run.StatusFaulted, 0, "", 503},
	} {
		res, err := e.Invoke(t.Context(), tc.fn, body(`1`))
		if err != nil {
			t.Fatal(err)
		}
		code := 0
		if res.Problem != nil {
			code = res.Problem.Status
		}
		if res.Status != tc.status || res.StatusCode != tc.code || string(res.Body) != tc.body || code != tc.problem {
			t.Errorf("%s: %+v, %v", tc.fn, res, res.Problem)
		}
		if r := recorded[len(recorded)-1]; r.ID != res.ID || r.Function != tc.fn || len(r.Stages) != 1 {
			t.Errorf("%s: recorded %+v", tc.fn, r)
		}
	}
	var p *run.Problem
	if _, err := e.Invoke(t.Context(), "five", body(`12345678901`)); !errors.As(err, &p) || p.Status != 413 {
		t.Errorf("took a body that is too large: %v", err)
	}
}

func TestQoS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := engine.New(engine.Config{Invoker: &script{functions: stdFunctions}})
		for _, tc := range []struct {
			task     workflow.Task
			violated bool
		}{
			{workflow.Task{Name: "w", Wait: time.Second}, false},
			{workflow.Task{Name: "w", Wait: 3 * time.Second}, true},
			{call("c", "crash"), true},
		} {
			wf := flowOf(tc.task)
			wf.QoS = workflow.QoS{Latency: 2 * time.Second, Percentile: 95}
			res, err := e.Run(t.Context(), compile(t, wf), body(`1`))
			if err != nil || res.Violated != tc.violated {
				t.Errorf("violated %v after %v, %v", res.Violated, res.Latency(), err)
			}
		}
	})
}

func TestBodyLimits(t *testing.T) {
	e := engine.New(engine.Config{Invoker: &script{functions: map[string]fn{"big": answer(200, `"0123456789"`), "echo": echo}}, MaxBody: 10})
	for _, wf := range []workflow.Workflow{
		flowOf(call("a", "big")),
		flowOf(set("s", map[string]any{"long": "0123456789"}), call("a", "echo")),
	} {
		res, err := e.Run(t.Context(), compile(t, wf), body(`1`))
		if err != nil || res.Problem == nil || res.Problem.Status != 413 {
			t.Errorf("ended with %v, %v", res.Problem, err)
		}
	}
}

func TestEndlessExpression(t *testing.T) {
	e := engine.New(engine.Config{Invoker: &script{}, EvalTimeout: 20 * time.Millisecond})
	for _, src := range []string{"${ last(range(infinite)) }", "${ def f: f; f }", "${ [limit(3; repeat(1))] | until(false; .) }"} {
		res, err := e.Run(t.Context(), compile(t, flowOf(set("s", src))), body(`1`))
		if err != nil || res.Problem == nil || res.Problem.Type != run.TypeExpression {
			t.Errorf("%s: %v, %v", src, res.Problem, err)
		}
	}
}

// TestUnknownDefinition shows that a run whose recorded definition cannot be
// compiled any more ends, and says why.
func TestUnknownDefinition(t *testing.T) {
	log := &memory{}
	e := engine.New(engine.Config{Invoker: &script{functions: stdFunctions}, Log: log})
	a, err := e.Start(t.Context(), compile(t, flowOf(call("a", "inc"))), body(`1`))
	if err != nil {
		t.Fatal(err)
	}
	log.await(t, e, a.ID)
	crashed := log.prefix(1)
	for d := range crashed.definitions {
		crashed.definitions[d] = []byte(`{"Do":[{"Name":"x","Then":"nowhere"}]}`)
	}
	e = engine.New(engine.Config{Invoker: &script{functions: stdFunctions}, Log: crashed})
	if _, err := e.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	if res := crashed.await(t, e, a.ID); res.Problem == nil || res.Problem.Type != run.TypeConfiguration {
		t.Errorf("ended with %v", res.Problem)
	}
}
