package engine_test

import (
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aquatope/aquatope/engine"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/run"
	"github.com/aquatope/aquatope/workflow"
)

var stdFunctions = map[string]fn{
	"echo": echo, "inc": increment, "hang": hang,
	"five": answer(200, `5`), "obj": answer(200, `{"a":{"b":[1,2,3]}}`), "empty": answer(200, ``),
	"text": answer(200, `not json`), "teapot": answer(418, `{"why":"short"}`),
	"oom": failing(function.OutcomeOOM), "crash": failing(function.OutcomeCrash), "slow": failing(function.OutcomeTimeout),
	"full": failing(function.OutcomeRejected), "start": failing(function.OutcomeStart), "broken": failing(function.OutcomeError),
	"flaky2": failTimes(2, 503, `"at last"`),
}

// TestTasks runs small workflows, each in virtual time: synchronously, then
// asynchronously, and then resumed after each event of its log.
func TestTasks(t *testing.T) {
	boom := workflow.Task{Name: "boom", Raise: &workflow.Error{Type: "https://example.com/boom", Status: 422, Title: "Boom", Detail: "it went ${ .what }"}}
	retry := func(n int, b workflow.Backoff) *workflow.Retry {
		return &workflow.Retry{Delay: time.Second, Backoff: b, MaxAttempts: n}
	}
	for _, tc := range []struct {
		name    string
		tasks   []workflow.Task
		change  func(*workflow.Workflow)
		in      string
		want    string
		problem *run.Problem // all but Detail compared
		detail  string       // compared if not empty
		takes   time.Duration
	}{
		{name: "no tasks", in: `{"a":1}`, want: `{"a":1}`},
		{name: "call passes through", tasks: []workflow.Task{call("a", "echo")}, in: `{ "x": 1.0 }`, want: `{"fn":"echo","in":{ "x": 1.0 }}`},
		{name: "calls in a row", tasks: []workflow.Task{call("a", "inc"), call("b", "inc"), call("c", "inc")}, in: `1`, want: `4`},
		{name: "call with", tasks: []workflow.Task{with(call("a", "echo"), func(t *workflow.Task) {
			t.Call.With = map[string]any{"n": "${ .x + 1 }", "s": "plain", "l": []any{1, "${ . }"}}
		})}, in: `{"x":1}`, want: `{"fn":"echo","in":{"l":[1,{"x":1}],"n":2,"s":"plain"}}`},
		{name: "input from, output as", tasks: []workflow.Task{with(call("a", "echo"), func(t *workflow.Task) {
			t.Input, t.Output = ".x", "{out: .in, was: $input}"
		})}, in: `{"x":7}`, want: `{"out":7,"was":7}`},
		{name: "output and input of the workflow", tasks: []workflow.Task{call("a", "inc")}, in: `{"n":1}`, want: `{"r":2}`, change: func(w *workflow.Workflow) {
			w.Input, w.Output = ".n", "{r: .}"
		}},
		{name: "large integers survive", tasks: []workflow.Task{set("s", map[string]any{"n": "${ .n }"})}, in: `{"n":12345678901234567890}`, want: `{"n":12345678901234567890}`},
		{name: "empty answer is null", tasks: []workflow.Task{call("a", "empty"), set("s", map[string]any{"v": "${ . }"})}, in: `1`, want: `{"v":null}`},
		{
			name: "answer is not JSON", tasks: []workflow.Task{call("a", "text"), set("s", "${ . }")}, in: `1`,
			problem: &run.Problem{Type: run.TypeExpression, Status: 400, Title: "Expression failed", Instance: "/do/1/s"},
		},
		{name: "answer that is not JSON passes where nothing needs it", tasks: []workflow.Task{call("a", "text")}, in: `1`, want: `not json`},
		{
			name: "input is not JSON", tasks: []workflow.Task{set("s", "${ .a }")}, in: `{"a":`,
			problem: &run.Problem{Type: run.TypeExpression, Status: 400, Title: "Expression failed", Instance: "/do/0/s"},
			detail:  "the task's input is not valid JSON: it ends too early",
		},
		{name: "set a constant", tasks: []workflow.Task{set("s", map[string]any{"a": []any{1, 2.5, nil, true}})}, in: `0`, want: `{"a":[1,2.5,null,true]}`},
		{name: "set null", tasks: []workflow.Task{set("s", nil)}, in: `0`, want: `null`},
		{name: "if skips and goes on with the next", tasks: []workflow.Task{
			with(set("a", 1), func(t *workflow.Task) { t.If, t.Then = ". > 5", "end" }), call("b", "inc"),
		}, in: `3`, want: `4`},
		{name: "if runs", tasks: []workflow.Task{with(set("a", 1), func(t *workflow.Task) { t.If = ". > 5" })}, in: `6`, want: `1`},
		{name: "if on the identity", tasks: []workflow.Task{with(set("a", 1), func(t *workflow.Task) { t.If = "." })}, in: `false`, want: `false`},
		{name: "then jumps", tasks: []workflow.Task{
			with(call("a", "inc"), func(t *workflow.Task) { t.Then = "c" }), set("b", 0), call("c", "inc"),
		}, in: `1`, want: `3`},
		{name: "then exit leaves the list", tasks: []workflow.Task{
			do("d", with(call("a", "inc"), func(t *workflow.Task) { t.Then = "exit" }), set("b", 0)), call("c", "inc"),
		}, in: `1`, want: `3`},
		{name: "then end ends the run", tasks: []workflow.Task{
			do("d", with(call("a", "inc"), func(t *workflow.Task) { t.Then = "end" }), set("b", 0)), call("c", "inc"),
		}, in: `1`, want: `2`},
		{name: "switch", tasks: []workflow.Task{
			{Name: "s", Switch: []workflow.Case{{Name: "big", When: ". > 10", Then: "big"}, {Name: "else", Then: "end"}}},
			set("skipped", 0), set("big", "large"),
		}, in: `11`, want: `"large"`},
		{name: "switch default is last", tasks: []workflow.Task{
			{Name: "s", Switch: []workflow.Case{{Name: "else", Then: "end"}, {Name: "big", When: ". > 10", Then: "big"}}},
			set("skipped", 0), set("big", "large"),
		}, in: `11`, want: `"large"`},
		{name: "switch without a match goes on", tasks: []workflow.Task{
			{Name: "s", Switch: []workflow.Case{{Name: "big", When: ". > 10", Then: "end"}}}, call("a", "inc"),
		}, in: `1`, want: `2`},
		{name: "fork gathers in order", tasks: []workflow.Task{forkOf("f", with(set("w", 1), func(t *workflow.Task) {
			*t = workflow.Task{Name: "w", Do: []workflow.Task{{Name: "z", Wait: time.Second}, set("v", "slow")}}
		}), call("i", "inc"))}, in: `1`, want: `["slow",2]`, takes: time.Second},
		{
			name: "fork fails with the first failure and stops the others", tasks: []workflow.Task{forkOf("f", call("h", "hang"), call("t", "teapot"))}, in: `1`,
			problem: &run.Problem{Type: run.TypeCommunication, Status: 418, Title: "Function answered 418 I'm a teapot", Instance: "/do/0/f/fork/branches/1/t"},
			detail:  `teapot: {"why":"short"}`,
		},
		{name: "fork compete", tasks: []workflow.Task{with(forkOf("f", call("h", "hang"), call("t", "teapot"), call("i", "inc")), func(t *workflow.Task) {
			t.Fork.Compete = true
		})}, in: `1`, want: `2`},
		{
			name: "fork compete where all fail", tasks: []workflow.Task{with(forkOf("f", call("t", "teapot")), func(t *workflow.Task) { t.Fork.Compete = true })}, in: `1`,
			problem: &run.Problem{Type: run.TypeCommunication, Status: 418, Title: "Function answered 418 I'm a teapot", Instance: "/do/0/f/fork/branches/0/t"},
		},
		{name: "fork end ends the run", tasks: []workflow.Task{
			forkOf("f", call("h", "hang"), with(call("i", "inc"), func(t *workflow.Task) { t.Then = "end" })), set("s", 0),
		}, in: `1`, want: `2`},
		{name: "fork merges contexts in order", tasks: []workflow.Task{
			with(set("base", 0), func(t *workflow.Task) { t.Export = "{keep: 1, gone: 2}" }),
			forkOf("f",
				with(set("a", 1), func(t *workflow.Task) { t.Export = "$context + {a: 1, both: 1}" }),
				with(set("b", 2), func(t *workflow.Task) { t.Export = "$context + {b: 2, both: 2} | del(.gone)" })),
			set("s", "${ $context }"),
		}, in: `1`, want: `{"a":1,"b":2,"both":2,"keep":1}`},
		{name: "for passes outputs on", tasks: []workflow.Task{loopOf("l", ".colors", 1, set("m", map[string]any{
			"colors": "${ .colors }", "seen": "${ .seen + [$item], .x // empty }", "at": "${ [.at[]?, $index] }",
		}))}, in: `{"colors":["r","g"]}`, want: `{"at":[0,1],"colors":["r","g"],"seen":["r","g"]}`},
		{name: "for over nothing", tasks: []workflow.Task{loopOf("l", "[]", 1, set("m", 1))}, in: `3`, want: `3`},
		{name: "for while", tasks: []workflow.Task{with(loopOf("l", "[range(10)]", 1, call("i", "inc")), func(t *workflow.Task) {
			t.For.While = ". < 5"
		})}, in: `1`, want: `5`},
		{
			name: "for in parallel gathers", tasks: []workflow.Task{loopOf("l", ".", 2,
				workflow.Task{Name: "w", Wait: time.Second}, set("m", "${ [$index, $item, .] }"))},
			in: `[7,8,9]`, want: `[[0,7,[7,8,9]],[1,8,[7,8,9]],[2,9,[7,8,9]]]`, takes: 2 * time.Second,
		},
		{
			name: "for needs an array", tasks: []workflow.Task{loopOf("l", ".a", 1, set("m", 1))}, in: `{"a":{}}`,
			problem: &run.Problem{Type: run.TypeExpression, Status: 400, Title: "Not an array", Instance: "/do/0/l"},
		},
		{name: "nested loops", tasks: []workflow.Task{loopOf("o", ".", 3, with(loopOf("i", "$item", 1, set("m", "${ [.] + [$item, $index] | flatten }")), func(t *workflow.Task) {
			t.Input = "[]"
		}))}, in: `[[1,2],[3]]`, want: `[[1,0,2,1],[3,0]]`},
		{
			name: "raise", tasks: []workflow.Task{boom}, in: `{"what":"off"}`,
			problem: &run.Problem{Type: "https://example.com/boom", Status: 422, Title: "Boom", Instance: "/do/0/boom"}, detail: "it went off",
		},
		{name: "catch", tasks: []workflow.Task{tryOf("t", workflow.Catch{
			Match: workflow.ErrorFilter{Type: "https://example.com/boom"}, As: "oops",
			Do: []workflow.Task{set("s", "${ [$oops.status, $oops.instance, .what] }")},
		}, boom)}, in: `{"what":"off"}`, want: `[422,"/do/0/t/try/0/boom","off"]`},
		{
			name: "catch another", tasks: []workflow.Task{tryOf("t", workflow.Catch{Match: workflow.ErrorFilter{Status: 400}}, boom)}, in: `{}`,
			problem: &run.Problem{Type: "https://example.com/boom", Status: 422, Title: "Boom", Instance: "/do/0/t/try/0/boom"},
		},
		{name: "catch with nothing to do passes the input on", tasks: []workflow.Task{tryOf("t", workflow.Catch{}, set("x", 9), call("c", "crash"))}, in: `3`, want: `3`},
		{name: "catch then", tasks: []workflow.Task{tryOf("t", workflow.Catch{Then: "c"}, boom), set("b", 0), set("c", "${ [.what] }")}, in: `{"what":"off"}`, want: `["off"]`},
		{
			name: "catch then after a handler", in: `{}`, want: `1`, tasks: []workflow.Task{
				with(tryOf("t", workflow.Catch{Do: []workflow.Task{set("s", 1)}, Then: "end"}, boom), func(t *workflow.Task) { t.Then = "c" }), set("b", 0), set("c", 2),
			},
		},
		{
			name: "catch then without an error", in: `{}`, want: `2`, tasks: []workflow.Task{
				with(tryOf("t", workflow.Catch{Then: "end"}, set("s", 1)), func(t *workflow.Task) { t.Then = "c" }), set("b", 0), set("c", 2),
			},
		},
		{name: "catch when", tasks: []workflow.Task{tryOf("t", workflow.Catch{When: ".status == 422 and $error.status == 422"}, boom)}, in: `{}`, want: `{}`},
		{
			name: "catch exceptWhen", tasks: []workflow.Task{tryOf("t", workflow.Catch{ExceptWhen: ".status == 422"}, boom)}, in: `{}`,
			problem: &run.Problem{Type: "https://example.com/boom", Status: 422, Title: "Boom", Instance: "/do/0/t/try/0/boom"},
		},
		{
			name: "oom is told from a crash", tasks: []workflow.Task{
				tryOf("t", workflow.Catch{Match: workflow.ErrorFilter{Type: run.TypeRuntime, Status: 502}}, call("a", "crash")),
				tryOf("u", workflow.Catch{Match: workflow.ErrorFilter{Type: run.TypeRuntime, Status: 502}}, call("a", "oom")),
			},
			in: `1`, problem: &run.Problem{Type: run.TypeRuntime, Status: 507, Title: "Out of memory", Instance: "/do/1/u/try/0/a"}, detail: "oom: as scripted",
		},
		{name: "function timeout", tasks: []workflow.Task{call("a", "slow")}, in: `1`, problem: &run.Problem{Type: run.TypeTimeout, Status: 408, Title: "Function timed out", Instance: "/do/0/a"}},
		{name: "no capacity", tasks: []workflow.Task{call("a", "full")}, in: `1`, problem: &run.Problem{Type: run.TypeCommunication, Status: 503, Title: "No capacity", Instance: "/do/0/a"}},
		{name: "does not start", tasks: []workflow.Task{call("a", "start")}, in: `1`, problem: &run.Problem{Type: run.TypeRuntime, Status: 500, Title: "Function did not start", Instance: "/do/0/a"}},
		{name: "breaks the protocol", tasks: []workflow.Task{call("a", "broken")}, in: `1`, problem: &run.Problem{Type: run.TypeCommunication, Status: 502, Title: "Function broke the protocol", Instance: "/do/0/a"}},
		{name: "retry constant", tasks: []workflow.Task{tryOf("t", workflow.Catch{Retry: retry(5, workflow.BackoffConstant)}, call("a", "flaky2"))}, in: `1`, want: `"at last"`, takes: 2 * time.Second},
		{name: "retry linear", tasks: []workflow.Task{tryOf("t", workflow.Catch{Retry: retry(5, workflow.BackoffLinear)}, call("a", "flaky2"))}, in: `1`, want: `"at last"`, takes: 3 * time.Second},
		{name: "retry exponential", tasks: []workflow.Task{tryOf("t", workflow.Catch{Retry: retry(4, workflow.BackoffExponential), Do: []workflow.Task{set("s", "gave up")}}, boom)}, in: `{}`, want: `"gave up"`, takes: 15 * time.Second},
		{
			name: "retry used up without a handler", tasks: []workflow.Task{tryOf("t", workflow.Catch{Retry: retry(1, workflow.BackoffConstant)}, call("a", "flaky2"))}, in: `1`, takes: time.Second,
			problem: &run.Problem{Type: run.TypeCommunication, Status: 503, Title: "Function answered 503 Service Unavailable", Instance: "/do/0/t/try/0/a"},
		},
		{
			name: "retry only when", tasks: []workflow.Task{tryOf("t", workflow.Catch{Retry: with2(retry(5, ""), func(r *workflow.Retry) { r.When = ".status == 500" })}, call("a", "flaky2"))}, in: `1`,
			problem: &run.Problem{Type: run.TypeCommunication, Status: 503, Title: "Function answered 503 Service Unavailable", Instance: "/do/0/t/try/0/a"},
		},
		{name: "retry for so long", tasks: []workflow.Task{tryOf("t", workflow.Catch{Retry: with2(retry(0, ""), func(r *workflow.Retry) { r.MaxDuration = 3500 * time.Millisecond }), Do: []workflow.Task{set("s", 0)}}, boom)}, in: `{}`, want: `0`, takes: 3 * time.Second},
		{name: "an attempt takes too long", tasks: []workflow.Task{tryOf("t", workflow.Catch{Retry: with2(retry(2, ""), func(r *workflow.Retry) { r.AttemptTime = 5 * time.Second }), Do: []workflow.Task{set("s", "${ $error.type }")}}, call("h", "hang"))}, in: `{}`, want: `"` + run.TypeTimeout + `"`, takes: 17 * time.Second},
		{name: "a failed attempt's exports are forgotten", tasks: []workflow.Task{tryOf("t", workflow.Catch{Retry: retry(5, "")},
			with(set("e", 1), func(t *workflow.Task) { t.Export = "($context // []) + [1]" }), call("a", "flaky2")), set("s", "${ $context }")}, in: `1`, want: `[1]`, takes: 2 * time.Second},
		{name: "wait", tasks: []workflow.Task{{Name: "w", Wait: time.Hour}, call("a", "inc")}, in: `1`, want: `2`, takes: time.Hour},
		{
			name: "task timeout", tasks: []workflow.Task{with(call("h", "hang"), func(t *workflow.Task) { t.Timeout = time.Minute })}, in: `1`, takes: time.Minute,
			problem: &run.Problem{Type: run.TypeTimeout, Status: 408, Title: "Timeout", Instance: "/do/0/h"}, detail: "the task did not end within 1m0s",
		},
		{name: "task timeout is caught", tasks: []workflow.Task{tryOf("t", workflow.Catch{Match: workflow.ErrorFilter{Type: run.TypeTimeout}}, with(do("d", call("h", "hang")), func(t *workflow.Task) { t.Timeout = time.Minute }))}, in: `1`, want: `1`, takes: time.Minute},
		{
			name: "run timeout cannot be caught", tasks: []workflow.Task{tryOf("t", workflow.Catch{}, call("h", "hang"))}, in: `1`, takes: time.Minute, change: func(w *workflow.Workflow) { w.Timeout = time.Minute },
			problem: &run.Problem{Type: run.TypeTimeout, Status: 408, Title: "Timeout"}, detail: "the run did not end within 1m0s",
		},
		{name: "outer timeout ends inner tasks", tasks: []workflow.Task{tryOf("t", workflow.Catch{As: "e", Do: []workflow.Task{set("s", "${ $e.instance }")}}, with(do("d", tryOf("u", workflow.Catch{}, with(call("h", "hang"), func(t *workflow.Task) { t.Timeout = time.Hour }))), func(t *workflow.Task) { t.Timeout = time.Minute }))}, in: `1`, want: `"/do/0/t/try/0/d"`, takes: time.Minute},
		{name: "variables", tasks: []workflow.Task{with(set("v", map[string]any{
			"task": "${ [$task.name, $task.reference, $task.input] }", "wf": "${ [$workflow.definition.document.name, $workflow.input, ($workflow.id | length)] }",
			"rt": "${ $runtime.name }", "ctx": "${ $context }",
		}), func(t *workflow.Task) { t.Input = ".n" })}, in: `{"n":1}`, want: `{"ctx":null,"rt":"aquatope","task":["v","/do/0/v",1],"wf":["test",{"n":1},26]}`},
		{name: "now is the run's clock", tasks: []workflow.Task{set("a", "${ [now, $workflow.startedAt.epoch.seconds, $task.startedAt.iso8601] }")}, in: `1`, want: `[946684800,946684800,"2000-01-01T00:00:00Z"]`},
		{
			name: "expression fails", tasks: []workflow.Task{set("a", "${ .a.b }")}, in: `{"a":[]}`,
			problem: &run.Problem{Type: run.TypeExpression, Status: 400, Title: "Expression failed", Instance: "/do/0/a"},
		},
		{
			name: "expression without a result", tasks: []workflow.Task{set("a", "${ empty }")}, in: `1`, detail: "it gave no result; use // to give a default",
			problem: &run.Problem{Type: run.TypeExpression, Status: 400, Title: "Expression failed", Instance: "/do/0/a"},
		},
		{
			name: "expression with two results", tasks: []workflow.Task{set("a", "${ 1, 2 }")}, in: `1`, detail: "it gave more than one result; put it in [ ] to gather them",
			problem: &run.Problem{Type: run.TypeExpression, Status: 400, Title: "Expression failed", Instance: "/do/0/a"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				wf := flowOf(tc.tasks...)
				if tc.change != nil {
					tc.change(&wf)
				}
				for _, mode := range []string{"sync", "async"} {
					e := engine.New(engine.Config{Invoker: &script{functions: stdFunctions}})
					begin := time.Now()
					if mode == "async" {
						time.Sleep(time.Date(2000, 1, 2, 0, 0, 0, 0, time.UTC).Sub(begin))
						begin = time.Now()
						if tc.name == "now is the run's clock" {
							continue
						}
					}
					res := runOn(t, e, mode, wf, tc.in)
					if got := res.End.Sub(begin); got != tc.takes {
						t.Errorf("%s: took %v, want %v", mode, got, tc.takes)
					}
					check(t, mode, res, tc.want, tc.problem, tc.detail)
				}
			})
		})
	}
}

func with2(r *workflow.Retry, f func(*workflow.Retry)) *workflow.Retry {
	f(r)
	return r
}

func runOn(t *testing.T, e *engine.Engine, mode string, wf workflow.Workflow, in string) *engine.Result {
	t.Helper()
	p := compile(t, wf)
	if mode == "sync" {
		res, err := e.Run(t.Context(), p, body(in))
		if err != nil {
			t.Fatal(err)
		}
		return res
	}
	log := &memory{}
	e = engine.New(engine.Config{Invoker: &script{functions: stdFunctions}, Log: log})
	a, err := e.Start(t.Context(), p, body(in))
	if err != nil {
		t.Fatal(err)
	}
	res := log.await(t, e, a.ID)
	for n := 1; n < log.len(); n++ {
		crashed, inv := log.prefix(n), &script{functions: stdFunctions}
		done := settledStages(crashed.events)
		e := engine.New(engine.Config{Invoker: inv, Log: crashed})
		if _, err := e.Resume(t.Context()); err != nil {
			t.Fatal(err)
		}
		again := crashed.await(t, e, a.ID)
		if again.Status != res.Status || string(again.Body) != string(res.Body) || !cmp.Equal(again.Problem, res.Problem) {
			t.Errorf("resumed after event %d of %v:\n%s %s %v, was\n%s %s %v", n, log.kinds(),
				again.Status, again.Body, again.Problem, res.Status, res.Body, res.Problem)
		}
		for _, c := range inv.calls {
			if key := c.Header.Get("Idempotency-Key"); done[key] {
				t.Errorf("resumed after event %d of %v: stage %s repeated", n, log.kinds(), key)
			}
		}
	}
	return res
}

func check(t *testing.T, mode string, res *engine.Result, want string, problem *run.Problem, detail string) {
	t.Helper()
	if problem == nil {
		if res.Status != run.StatusCompleted {
			t.Fatalf("%s: ended as %s: %v", mode, res.Status, res.Problem)
		}
		if diff := cmp.Diff(parse(want), parse(string(res.Body))); diff != "" {
			t.Errorf("%s: output (-want +got):\n%s", mode, diff)
		}
		return
	}
	if res.Status != run.StatusFaulted {
		t.Fatalf("%s: ended as %s with %s, want a fault", mode, res.Status, res.Body)
	}
	got := *res.Problem
	if detail != "" && got.Detail != detail {
		t.Errorf("%s: detail %q, want %q", mode, got.Detail, detail)
	}
	got.Detail = ""
	if diff := cmp.Diff(*problem, got); diff != "" {
		t.Errorf("%s: problem (-want +got):\n%s", mode, diff)
	}
}

// parse decodes JSON with numbers as written; other text stays text.
func parse(s string) any {
	var v any
	if err := json.Unmarshal([]byte(s), &v); err != nil {
		return s
	}
	return v
}
