package workflow_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/aquatope/aquatope/workflow"
)

// drawList returns random tasks, every one of them a call, a choice of jumps or
// a composite. Paths are unique.
func drawList(t *rapid.T, depth int, count *int) []workflow.Task {
	n := rapid.IntRange(1, 4).Draw(t, "tasks")
	tasks := make([]workflow.Task, n)
	names := make([]string, n)
	for i := range tasks {
		*count++
		names[i] = fmt.Sprintf("t%d", *count)
	}
	for i := range tasks {
		later := append([]string{"continue", "exit", "end"}, names[i+1:]...)
		k := workflow.Task{Name: names[i], Path: "/" + names[i], Then: rapid.SampledFrom(append(later, "", "", "", "")).Draw(t, "then")}
		if rapid.IntRange(0, 4).Draw(t, "if") == 0 {
			k.If = ".x"
		}
		kind := rapid.IntRange(0, 9).Draw(t, "kind")
		switch {
		case kind == 0:
			for c := range rapid.IntRange(1, 3).Draw(t, "cases") {
				k.Switch = append(k.Switch, workflow.Case{Name: fmt.Sprint(c), When: ".x", Then: rapid.SampledFrom(later).Draw(t, "case")})
			}
			if rapid.Bool().Draw(t, "default") {
				k.Switch[len(k.Switch)-1].When = ""
			}
		case kind == 1:
			k.Wait = time.Duration(rapid.IntRange(1, 9).Draw(t, "wait")) * time.Second
		case kind == 2:
			k.Raise = &workflow.Error{Status: 500}
		case kind == 3 && depth > 0:
			k.Do = drawList(t, depth-1, count)
		case kind == 4 && depth > 0:
			k.Fork = &workflow.Fork{Branches: drawList(t, depth-1, count), Compete: rapid.Bool().Draw(t, "compete")}
			for i := range k.Fork.Branches {
				k.Fork.Branches[i].Then = ""
				if k.Fork.Branches[i].Switch != nil || k.Fork.Branches[i].Try != nil {
					k.Fork.Branches[i] = workflow.Task{Name: k.Fork.Branches[i].Name, Path: k.Fork.Branches[i].Path, Wait: time.Second}
				}
			}
		case kind == 5 && depth > 0:
			k.For = &workflow.For{In: "[1, 2, 3]", Parallel: rapid.IntRange(1, 4).Draw(t, "parallel"), Do: drawList(t, depth-1, count)}
		case kind == 6 && depth > 0:
			k.Try = &workflow.Try{Do: drawList(t, depth-1, count), Catch: workflow.Catch{
				Do: drawList(t, depth-1, count), Then: rapid.SampledFrom(append(later, "", "")).Draw(t, "catch then"),
			}}
		default:
			k.Call = &workflow.Call{Function: names[i]}
		}
		tasks[i] = k
	}
	return tasks
}

// naive runs the tasks as the specification says, step by step, in the way
// that the engine does: deciding at random and adding up the seconds of the
// calls. It ends composites by what NewGraph states as its approximations.
type naive struct {
	r       *rand.Rand
	seconds map[string]float64 // by path
	calls   map[string]float64
}

// outcome is how a list ended: how long it took, whether the run is over, and
// whether an error is on its way.
type outcome struct {
	took         float64
	ended, error bool
}

func (m *naive) list(tasks []workflow.Task) (o outcome) {
	for i := 0; i < len(tasks); {
		t := &tasks[i]
		if t.If != "" && m.r.Float64() >= 0.75 {
			i++
			continue
		}
		then := t.Then
		got := m.task(t, &then)
		o.took += got.took
		if got.ended || got.error {
			o.ended, o.error = got.ended, got.error
			return o
		}
		switch then {
		case "", "continue":
			i++
		case "exit":
			return o
		case "end":
			o.ended = true
			return o
		default:
			i = slices.IndexFunc(tasks, func(t workflow.Task) bool { return t.Name == then })
		}
	}
	return o
}

func (m *naive) task(t *workflow.Task, then *string) (o outcome) {
	switch {
	case t.Call != nil:
		m.calls[t.Path]++
		o.took = m.seconds[t.Path]
	case t.Wait > 0:
		o.took = t.Wait.Seconds()
	case t.Raise != nil:
		o.error = true
	case t.Do != nil:
		return m.list(t.Do)
	case t.Switch != nil:
		n := len(t.Switch)
		if t.Switch[n-1].When != "" {
			n++
		}
		if c := m.r.IntN(n); c < len(t.Switch) {
			*then = t.Switch[c].Then
		}
	case t.Fork != nil:
		for i := range t.Fork.Branches {
			took := m.list(t.Fork.Branches[i : i+1]).took
			if i == 0 || t.Fork.Compete == (took < o.took) {
				o.took = took
			}
		}
	case t.For != nil:
		free := make([]float64, t.For.Parallel)
		for range 3 {
			slices.Sort(free)
			free[0] += m.list(t.For.Do).took
		}
		o.took = slices.Max(free)
	case t.Try != nil:
		o = m.list(t.Try.Do)
		if !o.ended && (o.error || m.r.Float64() < 0.5) {
			caught := m.list(t.Try.Catch.Do)
			caught.took += o.took
			if t.Try.Catch.Then != "" {
				*then = t.Try.Catch.Then
			}
			return caught
		}
	}
	return o
}

// The graph, its composition and its visit ratios agree with running the
// workflow step by step.
func TestCompositionAgreesWithRunning(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		count := 0
		w := &workflow.Workflow{Name: "w", Do: drawList(t, 2, &count)}
		b := workflow.Branching{Runs: map[string]float64{}, Errors: map[string]float64{}}
		m := &naive{r: rand.New(rand.NewPCG(1, 2)), seconds: map[string]float64{}, calls: map[string]float64{}}
		for task := range w.Tasks {
			b.Runs[task.Path], b.Errors[task.Path] = 0.75, 0.5
			m.seconds[task.Path] = float64(rapid.IntRange(1, 9).Draw(t, "seconds"))
		}
		g, err := workflow.NewGraph(w, b)
		if err != nil {
			if strings.Contains(err.Error(), "overlap") {
				t.Skip("too many ways")
			}
			t.Fatal(err)
		}
		c, err := workflow.NewComposition(g)
		if err != nil {
			t.Fatal(err)
		}
		const runs = 3000
		service, uniform := make([]float64, len(c.Slots())), make([]float64, c.Uniforms())
		r := rand.New(rand.NewPCG(3, 4))
		var sum, squares, want, wantSquares float64
		for range runs {
			c.Fill(service, uniform, func(s int) float64 { return m.seconds[g.Stages[s].Path] }, r)
			v := c.Latency(service, uniform)
			sum, squares = sum+v, squares+v*v
			v = m.list(w.Do).took
			want, wantSquares = want+v, wantSquares+v*v
			checkPath(t, c, service, uniform)
		}
		// Six standard errors of the difference of two means.
		mean := func(s float64) float64 { return s / runs }
		variance := mean(squares) - mean(sum)*mean(sum) + mean(wantSquares) - mean(want)*mean(want)
		if diff := math.Abs(mean(sum) - mean(want)); diff > 1e-6+6*math.Sqrt(max(variance, 0)/runs) {
			t.Errorf("mean latency %g, running gives %g\n%s", mean(sum), mean(want), print(g, g.Root))
		}
		for i, v := range g.VisitRatios() {
			if got := m.calls[g.Stages[i].Path] / runs; math.Abs(got-v) > 0.05+6*math.Sqrt(9*max(v, 1)/runs) {
				t.Errorf("stage %s: visit ratio %g, running gives %g\n%s", g.Stages[i].Name, v, got, print(g, g.Root))
			}
		}
	})
}

// checkPath checks that shortening what is off the critical path is in vain.
func checkPath(t *rapid.T, c *workflow.Composition, service, uniform []float64) {
	latency := c.Latency(service, uniform)
	path := c.CriticalPath(service, uniform, nil)
	sum := 0.0
	for _, slot := range path {
		sum += service[slot]
	}
	if sum > latency+1e-9 {
		t.Errorf("the critical path takes %g, the run %g", sum, latency)
	}
}

func graphOf(t testing.TB, tasks ...workflow.Task) (*workflow.Graph, *workflow.Composition) {
	t.Helper()
	g, err := workflow.NewGraph(&workflow.Workflow{Name: "w", Do: tasks}, workflow.Branching{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := workflow.NewComposition(g)
	if err != nil {
		t.Fatal(err)
	}
	return g, c
}

// wide is a graph of every kind of node, about as large as real ones are.
func wide(t testing.TB) (*workflow.Graph, *workflow.Composition) {
	loop := workflow.Task{Name: "for", Path: "/for", For: &workflow.For{In: "[1,2,3,4,5,6]", Parallel: 2, Do: []workflow.Task{call("l"), call("m")}}}
	return graphOf(t, call("a"), fork(false, call("b"), do("d", call("c"), call("e")), fork(true, call("f"), call("g"))),
		choose("s", "h", "i"), then(call("h"), "for"), call("i"), loop, call("z"))
}

func TestLatencyDoesNotAllocate(t *testing.T) {
	_, c := wide(t)
	service, uniform, start := make([]float64, len(c.Slots())), make([]float64, c.Uniforms()), make([]float64, len(c.Slots()))
	path := make([]int, 0, len(c.Slots()))
	if n := testing.AllocsPerRun(100, func() {
		c.Latency(service, uniform)
		c.Starts(service, uniform, start)
		path = c.CriticalPath(service, uniform, path[:0])
	}); n != 0 {
		t.Errorf("%g allocations", n)
	}
}

// A loop with a fractional count takes its mean; a very long one is compressed.
func TestLoops(t *testing.T) {
	for _, test := range []struct {
		count  float64
		width  int
		want   float64 // mean latency with service times of 1
		stages int     // slots
	}{
		{0, 1, 0, 0}, {0.25, 1, 0.25, 1}, {2.5, 1, 2.5, 3}, {2.5, 2, 1.5, 3}, {1000, 1, 1000, 64}, {1000, 10, 100, 64}, {100, 100, 1, 64}, {70, 1000, 1, 64},
	} {
		loop := workflow.Task{Name: "for", Path: "/for", For: &workflow.For{In: ".x", Parallel: test.width, Do: []workflow.Task{call("a")}}}
		g, err := workflow.NewGraph(&workflow.Workflow{Do: []workflow.Task{loop}}, workflow.Branching{Iterations: map[string]float64{"/for": test.count}})
		if err != nil {
			t.Fatal(err)
		}
		c, err := workflow.NewComposition(g)
		if err != nil {
			t.Fatal(err)
		}
		if len(c.Slots()) != test.stages || g.VisitRatios()[0] != test.count {
			t.Errorf("%+v: %d slots, visit ratio %g", test, len(c.Slots()), g.VisitRatios()[0])
		}
		service, uniform := make([]float64, len(c.Slots())), make([]float64, c.Uniforms())
		sum := 0.0
		r := rand.New(rand.NewPCG(1, 2))
		for range 4000 {
			c.Fill(service, uniform, func(int) float64 { return 1 }, r)
			sum += c.Latency(service, uniform)
		}
		if got := sum / 4000; math.Abs(got-test.want) > 0.1*test.want {
			t.Errorf("%+v: mean latency %g", test, got)
		}
	}
}

// Nested long loops are refused, not composed for ever.
func TestTooManyInvocations(t *testing.T) {
	body := []workflow.Task{call("a")}
	for i := range 4 {
		body = []workflow.Task{{Name: "for", Path: fmt.Sprintf("/for%d", i), For: &workflow.For{In: workflow.Expr("[" + strings.Repeat("1,", 99) + "1]"), Parallel: 1, Do: body}}}
	}
	g, err := workflow.NewGraph(&workflow.Workflow{Do: body}, workflow.Branching{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := workflow.NewComposition(g); err == nil || !strings.Contains(err.Error(), "more than 65536 invocations") {
		t.Errorf("error %v", err)
	}
}

func BenchmarkLatency(b *testing.B) {
	_, c := wide(b)
	service, uniform := make([]float64, len(c.Slots())), make([]float64, c.Uniforms())
	c.Fill(service, uniform, func(int) float64 { return 1 }, rand.New(rand.NewPCG(1, 2)))
	b.ReportAllocs()
	for b.Loop() {
		c.Latency(service, uniform)
	}
}

// Loops within loops are refused before they fill the memory, also where what they
// repeat invokes nothing.
func TestNestedLoopsAreBounded(t *testing.T) {
	n := &workflow.Node{Kind: workflow.KindDelay, Delay: time.Second}
	for range 4 {
		n = &workflow.Node{Kind: workflow.KindLoop, Count: 64, Width: 1, Children: []*workflow.Node{n}}
	}
	if _, err := workflow.NewComposition(&workflow.Graph{Root: n}); err == nil || !strings.Contains(err.Error(), "loops") {
		t.Errorf("%v", err)
	}
}
