package workflow_test

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/aquatope/aquatope/workflow"
)

// call returns a task that calls a function of its own name.
func call(name string) workflow.Task {
	return workflow.Task{Name: name, Path: "/" + name, Call: &workflow.Call{Function: name}}
}

func then(t workflow.Task, where string) workflow.Task {
	t.Then = where
	return t
}

func do(name string, tasks ...workflow.Task) workflow.Task {
	return workflow.Task{Name: name, Path: "/" + name, Do: tasks}
}

func fork(compete bool, branches ...workflow.Task) workflow.Task {
	return workflow.Task{Name: "fork", Path: "/fork", Fork: &workflow.Fork{Branches: branches, Compete: compete}}
}

// choose returns a switch on the given targets, the last one the default.
func choose(name string, targets ...string) workflow.Task {
	t := workflow.Task{Name: name, Path: "/" + name}
	for i, target := range targets {
		c := workflow.Case{Name: target, When: ".x", Then: target}
		if i == len(targets)-1 {
			c.When = ""
		}
		t.Switch = append(t.Switch, c)
	}
	return t
}

// print writes a tree on one line: a>b is a series, [a b] parallel, {a b} a
// race, (a b) a choice, a*3 a loop.
func print(g *workflow.Graph, n *workflow.Node) string {
	var parts []string
	for _, c := range n.Children {
		parts = append(parts, print(g, c))
	}
	switch n.Kind {
	case workflow.KindStage:
		return g.Stages[n.Stage].Name
	case workflow.KindSeries:
		return "<" + strings.Join(parts, ">") + ">"
	case workflow.KindParallel:
		return "[" + strings.Join(parts, " ") + "]"
	case workflow.KindRace:
		return "{" + strings.Join(parts, " ") + "}"
	case workflow.KindChoice:
		for i, p := range n.Probability {
			parts[i] = fmt.Sprintf("%.3g:%s", p, parts[i])
		}
		return "(" + strings.Join(parts, " ") + ")"
	case workflow.KindLoop:
		return fmt.Sprintf("%s*%g/%d", parts[0], n.Count, n.Width)
	case workflow.KindDelay:
		return n.Delay.String()
	}
	return "?"
}

func TestNewGraph(t *testing.T) {
	skip := call("b")
	skip.If = ".x"
	retried := workflow.Task{Name: "try", Path: "/try", Try: &workflow.Try{
		Do:    []workflow.Task{call("a")},
		Catch: workflow.Catch{Retry: &workflow.Retry{Delay: time.Second}, Do: []workflow.Task{call("b")}},
	}}
	caught := workflow.Task{Name: "try", Path: "/try", Try: &workflow.Try{
		Do:    []workflow.Task{call("a"), {Name: "r", Path: "/r", Raise: &workflow.Error{Status: 500}}, call("dead")},
		Catch: workflow.Catch{Do: []workflow.Task{call("b")}},
	}}
	loop := workflow.Task{Name: "for", Path: "/for", For: &workflow.For{
		In: `[1, 2, 3]`, Parallel: 2, Do: []workflow.Task{call("a"), call("b")},
	}}
	for name, test := range map[string]struct {
		tasks     []workflow.Task
		branching workflow.Branching
		want      string
	}{
		"nothing":  {want: "<>"},
		"one":      {tasks: []workflow.Task{call("a")}, want: "a"},
		"series":   {tasks: []workflow.Task{call("a"), call("b")}, want: "<a>b>"},
		"set":      {tasks: []workflow.Task{{Name: "s", Path: "/s", Set: map[string]any{}}}, want: "<>"},
		"wait":     {tasks: []workflow.Task{{Name: "w", Path: "/w", Wait: time.Second}, call("b")}, want: "<1s>b>"},
		"nested":   {tasks: []workflow.Task{do("d", call("a"), call("b")), call("c")}, want: "<a>b>c>"},
		"parallel": {tasks: []workflow.Task{fork(false, call("a"), do("d", call("b"), call("c"))), call("e")}, want: "<[a <b>c>]>e>"},
		"race":     {tasks: []workflow.Task{fork(true, call("a"), call("b"))}, want: "{a b}"},
		"loop":     {tasks: []workflow.Task{loop}, want: "<a>b>*3/2"},
		"loop measured": {
			tasks: []workflow.Task{loop}, branching: workflow.Branching{Iterations: map[string]float64{"/for": 1.5}},
			want: "<a>b>*1.5/2",
		},
		"if": {tasks: []workflow.Task{call("a"), skip, call("c")}, want: "<a>(1:b 0:<>)>c>"},
		"if measured": {
			tasks: []workflow.Task{call("a"), skip}, branching: workflow.Branching{Runs: map[string]float64{"/b": 0.25}},
			want: "<a>(0.25:b 0.75:<>)>",
		},
		// The ways join at c, so c is not duplicated.
		"diamond": {
			tasks: []workflow.Task{choose("s", "a", "b"), then(call("a"), "c"), call("b"), call("c")},
			want:  "<(0.5:a 0.5:b)>c>",
		},
		"diamond measured": {
			tasks:     []workflow.Task{choose("s", "a", "b"), then(call("a"), "c"), call("b"), call("c")},
			branching: workflow.Branching{Cases: map[string][]float64{"/s": {3, 1}}},
			want:      "<(0.75:a 0.25:b)>c>",
		},
		"no default": {
			tasks: []workflow.Task{
				{Name: "s", Path: "/s", Switch: []workflow.Case{{Name: "x", When: ".x", Then: "c"}}}, call("b"), call("c"),
			},
			want: "<(0.5:<> 0.5:b)>c>",
		},
		"end": {
			tasks: []workflow.Task{choose("s", "a", "b"), then(call("a"), "end"), call("b"), call("c")},
			want:  "(0.5:a 0.5:<b>c>)",
		},
		// exit leaves the nested list only, end all of them.
		"nested exit": {
			tasks: []workflow.Task{do("d", choose("s", "exit", "b"), call("b")), call("c")},
			want:  "<(0.5:<> 0.5:b)>c>",
		},
		"nested end": {
			tasks: []workflow.Task{do("d", choose("s", "end", "b"), call("b")), call("c")},
			want:  "(0.5:<> 0.5:<b>c>)",
		},
		// Overlapping jumps: b lies on two of three ways and is duplicated.
		"overlap": {
			tasks: []workflow.Task{choose("s", "a", "b", "c"), then(call("a"), "b"), then(call("b"), "d"), call("c"), call("d")},
			want:  "<(0.333:<a>b> 0.333:b 0.333:c)>d>",
		},
		"retry": {tasks: []workflow.Task{retried}, want: "<a>(1:<> 0:b)>"},
		"retry measured": {
			tasks: []workflow.Task{retried},
			branching: workflow.Branching{
				Attempts: map[string]float64{"/try": 1.25}, Errors: map[string]float64{"/try": 0.1},
			},
			want: "<a><1s>a>*0.25/1>(0.9:<> 0.1:b)>",
		},
		"catch then": {
			tasks: []workflow.Task{
				{Name: "try", Path: "/try", Try: &workflow.Try{Do: []workflow.Task{call("a")}, Catch: workflow.Catch{Do: []workflow.Task{call("b")}, Then: "d"}}},
				call("c"), call("d"),
			},
			branching: workflow.Branching{Errors: map[string]float64{"/try": 0.1}},
			want:      "<a>(0.9:c 0.1:b)>d>",
		},
		"retry, catch then": {
			tasks: []workflow.Task{
				{Name: "try", Path: "/try", Try: &workflow.Try{Do: []workflow.Task{call("a")}, Catch: workflow.Catch{Retry: &workflow.Retry{}, Then: "end"}}},
				call("c"),
			},
			branching: workflow.Branching{Errors: map[string]float64{"/try": 0.1}, Attempts: map[string]float64{"/try": 2}},
			want:      "<a>a*1/1>(0.9:c 0.1:<>)>",
		},
		"raise": {tasks: []workflow.Task{caught}, want: "<a>b>"},
	} {
		t.Run(name, func(t *testing.T) {
			g, err := workflow.NewGraph(&workflow.Workflow{Name: "w", Do: test.tasks}, test.branching)
			if err != nil {
				t.Fatal(err)
			}
			if got := print(g, g.Root); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestNewGraphRefuses(t *testing.T) {
	var overlapping []workflow.Task
	for i := range 60 {
		name := fmt.Sprintf("s%d", i)
		overlapping = append(overlapping, choose(name, fmt.Sprintf("s%d", i+1), fmt.Sprintf("s%d", i+2)), call(fmt.Sprintf("c%d", i)))
	}
	overlapping = append(overlapping, call("s60"), call("s61"))
	for want, tasks := range map[string][]workflow.Task{
		`there is no task "x"`:   {then(call("a"), "x")},
		`goes back to "a"`:       {call("a"), then(call("b"), "a")},
		`goes back to "s"`:       {choose("s", "s")},
		`overlap in too many`:    overlapping,
		`there is no task "out"`: {do("d", then(call("a"), "out")), call("out")},
	} {
		_, err := workflow.NewGraph(&workflow.Workflow{Name: "w", Do: tasks}, workflow.Branching{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want one with %q", err, want)
		}
	}
}

// A long chain of switches that join is linear, not exponential.
func TestManySwitches(t *testing.T) {
	var tasks []workflow.Task
	for i := range 1000 {
		a, b, next := fmt.Sprintf("a%d", i), fmt.Sprintf("b%d", i), fmt.Sprintf("s%d", i+1)
		tasks = append(tasks, choose(fmt.Sprintf("s%d", i), a, b), then(call(a), next), call(b))
	}
	tasks = append(tasks, call("s1000"))
	g, err := workflow.NewGraph(&workflow.Workflow{Name: "w", Do: tasks}, workflow.Branching{})
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, v := range g.VisitRatios() {
		sum += v
	}
	if math.Abs(sum-1001) > 1e-6 {
		t.Errorf("a run makes %g invocations, want 1001", sum)
	}
}

func TestComposition(t *testing.T) {
	time := map[string]float64{"a": 1, "b": 2, "c": 4, "d": 8}
	loop := func(parallel int, in string, tasks ...workflow.Task) workflow.Task {
		return workflow.Task{Name: "for", Path: "/for", For: &workflow.For{In: workflow.Expr(in), Parallel: parallel, Do: tasks}}
	}
	for name, test := range map[string]struct {
		tasks   []workflow.Task
		uniform float64
		want    float64
		path    string
	}{
		"empty":         {want: 0},
		"series":        {tasks: []workflow.Task{call("a"), call("b")}, want: 3, path: "a b"},
		"parallel":      {tasks: []workflow.Task{fork(false, call("a"), do("d", call("b"), call("c")))}, want: 6, path: "b c"},
		"race":          {tasks: []workflow.Task{fork(true, call("a"), call("d"))}, want: 1, path: "a"},
		"first choice":  {tasks: []workflow.Task{choose("s", "a", "b"), then(call("a"), "end"), call("b")}, uniform: 0.4, want: 1, path: "a"},
		"second choice": {tasks: []workflow.Task{choose("s", "a", "b"), then(call("a"), "end"), call("b")}, uniform: 0.6, want: 2, path: "b"},
		"loop":          {tasks: []workflow.Task{loop(1, "[1,2,3]", call("b"))}, want: 6, path: "b b b"},
		"two at once":   {tasks: []workflow.Task{loop(2, "[1,2,3]", call("b"))}, want: 4, path: "b b"},
		"all at once":   {tasks: []workflow.Task{loop(9, "[1,2,3]", call("b"))}, want: 2, path: "b"},
	} {
		t.Run(name, func(t *testing.T) {
			g, err := workflow.NewGraph(&workflow.Workflow{Name: "w", Do: test.tasks}, workflow.Branching{})
			if err != nil {
				t.Fatal(err)
			}
			c, err := workflow.NewComposition(g)
			if err != nil {
				t.Fatal(err)
			}
			service, uniform := make([]float64, len(c.Slots())), make([]float64, c.Uniforms())
			for i, stage := range c.Slots() {
				service[i] = time[g.Stages[stage].Name]
			}
			for i := range uniform {
				uniform[i] = test.uniform
			}
			if got := c.Latency(service, uniform); got != test.want {
				t.Errorf("latency %g, want %g", got, test.want)
			}
			var path []string
			for _, slot := range c.CriticalPath(service, uniform, nil) {
				path = append(path, g.Stages[c.Slots()[slot]].Name)
			}
			if got := strings.Join(path, " "); got != test.path {
				t.Errorf("critical path %q, want %q", got, test.path)
			}
		})
	}
}

// composed makes the graph of tasks in which the switch at /s takes its second way
// three times as often as its first.
func composed(t *testing.T, tasks []workflow.Task) (*workflow.Graph, *workflow.Composition) {
	t.Helper()
	g, err := workflow.NewGraph(&workflow.Workflow{Name: "w", Do: tasks}, workflow.Branching{Cases: map[string][]float64{"/s": {1, 3}}})
	if err != nil {
		t.Fatal(err)
	}
	c, err := workflow.NewComposition(g)
	if err != nil {
		t.Fatal(err)
	}
	return g, c
}

func TestLags(t *testing.T) {
	tasks := []workflow.Task{
		call("a"), choose("s", "b", "c"), then(call("b"), "end"), call("c"), fork(true, call("d"), do("n", call("e"), call("f"))),
	}
	g, c := composed(t, tasks)
	one := func(int) float64 { return 1 }
	lags := c.Lags(len(g.Stages), 4000, one, rand.New(rand.NewPCG(1, 2)))
	for i, want := range []struct{ lag, reached float64 }{{0, 1}, {1, 0.25}, {1, 0.75}, {2, 0.75}, {2, 0.75}, {3, 0.75}} {
		l := lags[i]
		if l.Quantile(0.5) != want.lag || l.Mean() != want.lag || math.Abs(l.Reached-want.reached) > 0.03 {
			t.Errorf("stage %s: lag %g (mean %g) reached %g, want %+v", g.Stages[i].Name, l.Quantile(0.5), l.Mean(), l.Reached, want)
		}
	}
	// f starts when d has won: it does not start at all if d is quicker.
	quick := func(stage int) float64 {
		if g.Stages[stage].Name == "d" {
			return 0.5
		}
		return 1
	}
	if l := c.Lags(len(g.Stages), 100, quick, rand.New(rand.NewPCG(1, 2)))[5]; l.Reached != 0 || !math.IsNaN(l.Quantile(0)) {
		t.Errorf("the loser's second stage is reached: %+v", l)
	}
}

// The first stage of a run tells which way of a switch it took, and lags count
// from that stage on.
func TestLagsFrom(t *testing.T) {
	tasks := []workflow.Task{
		{Name: "w", Path: "/w", Wait: 5 * time.Second},
		choose("s", "b", "fork"), then(call("b"), "end"), fork(false, call("c"), do("n", call("d"), call("e"))), call("f"),
	}
	g, c := composed(t, tasks)
	from := c.LagsFrom(len(g.Stages), 400, func(int) float64 { return 1 }, rand.New(rand.NewPCG(1, 2)))
	got := map[string]string{}
	for entry, lags := range from {
		for _, l := range lags {
			if l.Reached > 0 {
				got[g.Stages[entry].Name] += fmt.Sprintf("%s %g in %g; ", g.Stages[l.Stage].Name, l.Mean(), l.Reached)
			}
		}
	}
	after := "c 0 in 1; d 0 in 1; e 1 in 1; f 2 in 1; "
	want := map[string]string{"b": "b 0 in 1; ", "c": after, "d": after}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestLagsBetween(t *testing.T) {
	tasks := []workflow.Task{call("a"), choose("s", "b", "c"), then(call("b"), "end"), call("c"), fork(false, call("d"), do("n", call("e"), call("f")))}
	g, c := composed(t, tasks)
	r := rand.New(rand.NewPCG(1, 2))
	draw := func(int) float64 { return 1 + 0.5*r.Float64() }
	between := c.LagsBetween(len(g.Stages), 2000, draw, r)
	const a, b, cc, d, e, f = 0, 1, 2, 3, 4, 5
	for _, want := range []struct {
		from, to             int
		least, most, reached float64
	}{
		{a, b, 1, 1.5, 0.25},
		{a, cc, 1, 1.5, 0.75},
		{a, f, 3, 4.5, 0.75},
		{cc, f, 2, 3, 1},
		{cc, d, 1, 1.5, 1},
		{e, f, 1, 1.5, 1},
		{d, f, 1, 1.5, 1},
		{b, cc, 0, 0, 0},
		{f, a, 0, 0, 0},
		{a, a, 0, 0, 0},
	} {
		l := between[want.from][want.to]
		if math.Abs(l.Reached-want.reached) > 0.04 || l.Stage != want.to {
			t.Errorf("%d tells of %d in %v of its runs, want %v", want.from, want.to, l.Reached, want.reached)
		}
		if want.reached > 0 && (l.Quantile(0) < want.least || l.Quantile(1) > want.most) {
			t.Errorf("%d follows %d after %v to %v s, want %v to %v", want.to, want.from, l.Quantile(0), l.Quantile(1), want.least, want.most)
		}
	}
}
