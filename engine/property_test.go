package engine_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/aquatope/aquatope/engine"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform"
	"github.com/aquatope/aquatope/run"
	"github.com/aquatope/aquatope/workflow"
)

// generator draws workflows whose expressions are total and whose branches
// never fail, so that the result does not depend on timing.
type generator struct {
	t      *rapid.T
	inFork bool
	vars   []string
}

// shrink keeps values small, whatever they were.
const shrink = `(tojson | if length > 60 then length else fromjson end)`

func (g *generator) expr() string {
	choices := []string{".", "[.]", "{v: .}", `tojson | length`, shrink, "$context", "[$input, 1]", ".. | numbers"}
	choices[len(choices)-1] = "[.. | numbers] | add // 0"
	for _, v := range g.vars {
		choices = append(choices, "[$"+v+", .]")
	}
	return rapid.SampledFrom(choices).Draw(g.t, "expr")
}

func (g *generator) value() any {
	if rapid.Bool().Draw(g.t, "object") {
		return map[string]any{"a": "${ " + g.expr() + " }", "b": rapid.IntRange(0, 9).Draw(g.t, "b")}
	}
	return "${ " + g.expr() + " }"
}

func (g *generator) maybe(what string, one int) bool {
	return rapid.IntRange(1, one).Draw(g.t, what) == 1
}

func (g *generator) list(depth int) []workflow.Task {
	n := rapid.IntRange(1, 3).Draw(g.t, "tasks")
	l := make([]workflow.Task, n)
	for i := range l {
		l[i] = g.task(depth)
		l[i].Name = fmt.Sprintf("t%d", i)
	}
	for i := range l {
		target := func() string {
			c := []string{"continue", "exit"}
			if !g.inFork {
				c = append(c, "end")
			}
			for j := i + 1; j < n; j++ {
				c = append(c, l[j].Name)
			}
			return rapid.SampledFrom(c).Draw(g.t, "then")
		}
		if g.maybe("jumps", 6) {
			l[i].Then = target()
		}
		for j := range l[i].Switch {
			l[i].Switch[j].Then = target()
		}
	}
	return l
}

func (g *generator) task(depth int) (t workflow.Task) {
	kinds := []string{"call", "set", "call", "wait"}
	if depth > 0 {
		kinds = append(kinds, "do", "fork", "for", "try", "switch", "try", "for")
	}
	if !g.inFork {
		kinds = append(kinds, "raise")
	}
	switch kind := rapid.SampledFrom(kinds).Draw(g.t, "kind"); kind {
	case "call":
		t.Call = &workflow.Call{Function: rapid.SampledFrom([]string{"f", "g"}).Draw(g.t, "fn")}
		if !g.inFork {
			t.Call.Function = rapid.SampledFrom([]string{"f", "g", "flaky", "bad"}).Draw(g.t, "fn")
		}
		if g.maybe("with", 2) {
			t.Call.With = g.value()
		}
	case "set":
		t.Set = g.value()
	case "wait":
		t.Wait = time.Duration(rapid.IntRange(1, 5).Draw(g.t, "wait")) * time.Second
	case "raise":
		t.Raise = &workflow.Error{Type: "https://example.com/x", Status: rapid.SampledFrom([]int{418, 503}).Draw(g.t, "status")}
	case "do":
		t.Do = g.list(depth - 1)
	case "switch":
		for i := range rapid.IntRange(1, 3).Draw(g.t, "cases") {
			c := workflow.Case{Name: fmt.Sprint(i), When: workflow.Expr("(" + g.expr() + ") == (" + g.expr() + ")")}
			t.Switch = append(t.Switch, c)
		}
	case "fork":
		was := g.inFork
		g.inFork = true
		t.Fork = &workflow.Fork{}
		for i := range rapid.IntRange(1, 3).Draw(g.t, "branches") {
			b := g.task(depth - 1)
			b.Name = fmt.Sprintf("b%d", i)
			b.Switch = nil
			t.Fork.Branches = append(t.Fork.Branches, b)
		}
		g.inFork = was
	case "for":
		was, vars := g.inFork, g.vars
		t.For = &workflow.For{
			Each: "item", At: "index", Parallel: rapid.IntRange(1, 3).Draw(g.t, "parallel"),
			In: rapid.SampledFrom([]workflow.Expr{"[range(3)]", "[.]", "[]", "[., 1]"}).Draw(g.t, "in"),
		}
		g.inFork = was || t.For.Parallel > 1
		g.vars = append(vars[:len(vars):len(vars)], "item", "index")
		t.For.Do = g.list(depth - 1)
		g.inFork, g.vars = was, vars
	case "try":
		was, vars := g.inFork, g.vars
		// Inside a fork the catch catches everything, and its handler cannot fail.
		c := workflow.Catch{}
		if was || g.maybe("handler", 2) {
			g.vars = append(vars[:len(vars):len(vars)], "error.status")
			g.inFork = true
			c.Do = g.list(depth - 1)
			g.inFork, g.vars = was, vars
		}
		if !was && g.maybe("match", 3) {
			c.Match.Status = 503
		}
		if g.maybe("retry", 2) {
			c.Retry = &workflow.Retry{Delay: time.Second, Backoff: workflow.BackoffLinear, MaxAttempts: rapid.IntRange(1, 3).Draw(g.t, "retries")}
		}
		g.inFork = false
		l := g.list(depth - 1)
		if was { // no end directive may come out of a branch
			stripEnd(l)
		}
		g.inFork = was
		t.Try = &workflow.Try{Do: l, Catch: c}
	}
	if g.maybe("if", 5) {
		t.If = workflow.Expr("(" + g.expr() + ") != 1")
	}
	if g.maybe("input", 4) {
		t.Input = workflow.Expr(g.expr())
	}
	if g.maybe("output", 4) {
		t.Output = workflow.Expr(g.expr())
	}
	if g.maybe("export", 4) {
		t.Export = workflow.Expr(fmt.Sprintf("(if ($context | type) == \"object\" then $context else {} end) + {k%d: %s}", rapid.IntRange(0, 2).Draw(g.t, "key"), shrink))
	}
	return t
}

func stripEnd(l []workflow.Task) {
	for i := range l {
		if l[i].Then == "end" {
			l[i].Then = ""
		}
		for j := range l[i].Switch {
			if l[i].Switch[j].Then == "end" {
				l[i].Switch[j].Then = ""
			}
		}
		for _, inner := range l[i].Lists() {
			stripEnd(inner)
		}
	}
}

func randomWorkflow(t *rapid.T) workflow.Workflow {
	g := &generator{t: t}
	return flowOf(g.list(3)...)
}

// pureInvoker answers as pure does, after a while.
func pureInvoker(ctx context.Context, _ int, req platform.Request) (*platform.Response, error) {
	timer := time.NewTimer(10 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return nil, &platform.InvokeError{Outcome: function.OutcomeCanceled}
	}
	status, b := pure(req.Function, req.Attempt, req.Body)
	return reply(status, string(b)), nil
}

func pureScript() *script {
	return &script{functions: map[string]fn{"f": pureInvoker, "g": pureInvoker, "flaky": pureInvoker, "bad": pureInvoker}}
}

// TestRandomWorkflows compares the engine with a naive interpreter, and then
// crashes the asynchronous run after each of its events and resumes it.
func TestRandomWorkflows(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		wf := randomWorkflow(rt)
		in := rapid.SampledFrom([]string{`1`, `{"x":[1,2]}`, `null`}).Draw(rt, "in")
		want, wantErr := naiveRun(wf, mustParse([]byte(in)))
		// A failure leaves the bubble as a value: rapid must not stop inside it.
		var failure error
		synctest.Test(t, func(t *testing.T) { failure = crossCheck(t, wf, in, want, wantErr) })
		if failure != nil {
			rt.Fatal(failure)
		}
	})
}

func crossCheck(t *testing.T, wf workflow.Workflow, in string, want any, wantErr error) error {
	p := compile(t, wf)
	res, err := engine.New(engine.Config{Invoker: pureScript()}).Run(t.Context(), p, body(in))
	if err != nil {
		return err
	}
	if err := differs(res, want, wantErr); err != nil {
		return fmt.Errorf("sync: %w", err)
	}
	whole := &memory{}
	e := engine.New(engine.Config{Invoker: pureScript(), Log: whole})
	a, err := e.Start(t.Context(), p, body(in))
	if err != nil {
		return err
	}
	if err := differs(whole.await(t, e, a.ID), want, wantErr); err != nil {
		return fmt.Errorf("async: %w", err)
	}
	for n := 1; n < len(whole.events); n += 1 + len(whole.events)/12 {
		log, inv := whole.prefix(n), pureScript()
		done := settledStages(log.events)
		e := engine.New(engine.Config{Invoker: inv, Log: log})
		if got, err := e.Resume(t.Context()); err != nil || got != 1 {
			return fmt.Errorf("resumed %d runs: %w", got, err)
		}
		if err := differs(log.await(t, e, a.ID), want, wantErr); err != nil {
			return fmt.Errorf("resumed after event %d: %w", n, err)
		}
		for _, c := range inv.calls {
			if key := c.Header.Get("Idempotency-Key"); done[key] {
				return fmt.Errorf("resumed after event %d: stage %s repeated", n, key)
			}
		}
	}
	return nil
}

// differs says how a result is not what the naive interpreter made.
func differs(res *engine.Result, want any, wantErr error) error {
	var p *run.Problem
	if errors.As(wantErr, &p) {
		if res.Problem == nil || res.Problem.Status != p.Status || res.Problem.Instance != p.Instance {
			return fmt.Errorf("%s with %v, want problem %w", res.Status, res.Problem, p)
		}
		return nil
	}
	if wantErr != nil {
		return fmt.Errorf("naive: %w", wantErr)
	}
	if res.Status != run.StatusCompleted {
		return fmt.Errorf("%s, want %v: %w", res.Status, want, res.Problem)
	}
	if diff := cmp.Diff(jsonOf(want), string(res.Body)); diff != "" {
		return fmt.Errorf("(-want +got)\n%s", diff)
	}
	return nil
}

// settledStages are the idempotency keys of the stages that a log knows the
// outcome of.
func settledStages(events []run.Event) map[string]bool {
	done := make(map[string]bool)
	for _, ev := range events {
		if ev.Stage != nil {
			key := ev.Run + ev.Task
			if ev.At != "" {
				key += "#" + ev.At
			}
			done[key] = true
		}
	}
	return done
}

func jsonOf(v any) string {
	b, err := marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}
