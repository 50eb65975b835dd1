package engine_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/aquatope/aquatope/engine"
	"github.com/aquatope/aquatope/run"
	"github.com/aquatope/aquatope/workflow"
)

// resume runs what a log holds on a new engine and returns how it ended.
func resume(t *testing.T, log *memory, inv *script) *engine.Result {
	t.Helper()
	id := log.events[0].Run // before the engine appends to it
	e := engine.New(engine.Config{Invoker: inv, Log: log})
	if n, err := e.Resume(t.Context()); n != 1 || err != nil {
		t.Fatalf("resumed %d runs: %v", n, err)
	}
	return log.await(t, e, id)
}

// TestRetrySurvivesARestart shows that neither the attempts nor the delay of a
// retry begin anew.
func TestRetrySurvivesARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &memory{}
		c := workflow.Catch{Retry: &workflow.Retry{Delay: time.Hour, MaxAttempts: 1}}
		e := engine.New(engine.Config{Invoker: &script{functions: stdFunctions}, Log: log})
		if _, err := e.Start(t.Context(), compile(t, flowOf(tryOf("t", c, call("a", "flaky2")))), body(`1`)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Minute)
		crashed := log.prefix(log.len())
		if err := e.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		inv := &script{functions: stdFunctions}
		res := resume(t, crashed, inv)
		if took := res.End.Sub(begin); took != 10*time.Minute {
			t.Errorf("the retry came after %v more, want what was left of the hour", took)
		}
		if len(inv.calls) != 1 || inv.calls[0].Attempt != 1 || res.Problem == nil || res.Problem.Status != 503 {
			t.Errorf("%d calls, the last retry ended with %v", len(inv.calls), res.Problem)
		}
	})
}

// TestClockSurvivesARestart shows that expressions see the same time again.
func TestClockSurvivesARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &memory{}
		pause := func(name string, d time.Duration) workflow.Task { return workflow.Task{Name: name, Wait: d} }
		e := engine.New(engine.Config{Invoker: pureScript(), Log: log})
		a, err := e.Start(t.Context(), compile(t, flowOf(
			call("a", "f"),
			set("first", "${ [now] }"),
			forkOf("f", pause("short", time.Second), do("long", pause("w", time.Minute), call("b", "g"))),
			set("last", "${ [.[0][0], now, $task.startedAt.epoch.milliseconds, $workflow.startedAt.iso8601] }"),
		)), body(`1`))
		if err != nil {
			t.Fatal(err)
		}
		res := log.await(t, e, a.ID)
		// Virtual time begins with the year 2000; a call takes 10 ms.
		const want = `[946684800.01,946684860.02,946684860020,"2000-01-01T00:00:00Z"]`
		if string(res.Body) != want {
			t.Errorf("got %s, want %s", res.Body, want)
		}
		time.Sleep(time.Hour)
		if again := resume(t, log.prefix(log.len()-1), pureScript()); string(again.Body) != want {
			t.Errorf("after a restart %s, before %s", again.Body, want)
		}
	})
}

// TestWinnerSurvivesARestart replays a competition that the log knows the
// winner of, with branches that would all win at once.
func TestWinnerSurvivesARestart(t *testing.T) {
	p := compile(t, flowOf(with(forkOf("f", set("a", "a"), set("b", "b"), set("c", "c")), func(t *workflow.Task) { t.Fork.Compete = true })))
	for range 20 {
		log := &memory{}
		e := engine.New(engine.Config{Invoker: &script{}, Log: log})
		a, err := e.Start(t.Context(), p, body(`1`))
		if err != nil {
			t.Fatal(err)
		}
		log.await(t, e, a.ID)
		log = log.prefix(2)
		ev := &log.events[1]
		if ev.Kind != run.TaskSettled {
			t.Fatalf("the second event is %s", ev.Kind)
		}
		ev.Branch = 2
		if res := resume(t, log, &script{}); string(res.Body) != `"c"` {
			t.Errorf("%s won, the log says c", res.Body)
		}
	}
}
