package manifest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/aquatope/aquatope/engine"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/manifest"
	"github.com/aquatope/aquatope/workflow"
)

// same compares what bundles declare.
var same = cmpopts.IgnoreUnexported(manifest.Bundle{})

// What is written is read back as it was.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := &manifest.Bundle{}
		for i := range rapid.IntRange(0, 2).Draw(t, "workflows") {
			w := drawWorkflow(t)
			w.Name = fmt.Sprintf("w%d", i)
			b.Workflows = append(b.Workflows, w)
		}
		for i := range rapid.IntRange(0, 2).Draw(t, "functions") {
			f := drawFunction(t)
			f.Name = fmt.Sprintf("f%d", i)
			b.Functions = append(b.Functions, f)
		}
		text, err := manifest.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range b.Workflows {
			if _, err := engine.Compile(*w); err != nil {
				t.Fatalf("the engine refuses what is accepted here: %v", err)
			}
		}
		// The name decides the syntax: what is written is valid YAML as well.
		got, err := manifest.Parse(rapid.SampledFrom([]string{"a.json", "request"}).Draw(t, "name"), text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if diff := cmp.Diff(b, got, same); diff != "" {
			t.Fatalf("(-written +read):\n%s\n%s", diff, text)
		}
	})
}

// Every good manifest is accepted, its calls resolve, and it survives writing.
func TestGood(t *testing.T) {
	b, err := manifest.Load("testdata/good")
	if err != nil {
		t.Fatal(err)
	}
	text, err := manifest.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	got, err := manifest.Parse("request", text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(b, got, same); diff != "" {
		t.Errorf("(-written +read):\n%s", diff)
	}
}

var (
	// A text that looks like an expression would be refused.
	text  = rapid.StringMatching(`[ -~é\n"\\]{0,20}`).Filter(func(s string) bool { return !strings.Contains(s, "${") })
	word  = rapid.StringMatching(`[a-z][a-z0-9]{0,8}`)
	exprs = rapid.SampledFrom([]workflow.Expr{"", "", ".", ".a.b", `.a | map("x\(.)")`, "$context.x", `{"a": 1, b: [.c]}`, "reduce .[] as $x (0; . + $x)"})
	need  = exprs.Filter(func(e workflow.Expr) bool { return e != "" })
	spans = rapid.Custom(func(t *rapid.T) time.Duration {
		return time.Duration(rapid.Int64Range(1, int64(100*24*time.Hour)).Draw(t, "d"))
	})
)

func maybe[T any](t *rapid.T, label string, g *rapid.Generator[T]) (v T) {
	if rapid.Bool().Draw(t, label+"?") {
		v = g.Draw(t, label)
	}
	return v
}

func drawWorkflow(t *rapid.T) *workflow.Workflow {
	w := &workflow.Workflow{
		Namespace: word.Draw(t, "namespace"), Version: "1.2.3",
		Title: text.Draw(t, "title"), Summary: text.Draw(t, "summary"),
		Input: rapid.SampledFrom([]workflow.Expr{"", ".x", "$workflow.id"}).Draw(t, "input"), Output: exprs.Draw(t, "output"),
		Timeout: maybe(t, "timeout", spans),
		Tags:    maybe(t, "tags", rapid.MapOfN(text, text, 1, 3)), Payloads: drawPayloads(t),
	}
	if rapid.Bool().Draw(t, "qos") {
		w.QoS = workflow.QoS{Latency: spans.Draw(t, "latency"), Percentile: rapid.Float64Range(1, 99.999).Draw(t, "percentile")}
	}
	w.Do = drawTasks(t, "/do", 3)
	return w
}

func drawTasks(t *rapid.T, path string, depth int) []workflow.Task {
	tasks := make([]workflow.Task, rapid.IntRange(1, 3).Draw(t, "tasks"))
	for i := range tasks {
		name := fmt.Sprintf("%s %d", rapid.SampledFrom([]string{"t", "a/b", "ü~"}).Draw(t, "name"), i)
		tasks[i] = drawTask(t, name, path, i, depth)
		if i > 0 && rapid.Bool().Draw(t, "jump") {
			tasks[i-1].Then = rapid.SampledFrom([]string{"continue", "exit", "end", name}).Draw(t, "then")
		}
	}
	return tasks
}

func drawTask(t *rapid.T, name, path string, i, depth int) workflow.Task {
	pointer := fmt.Sprintf("%s/%d/%s", path, i, rapid.Just(escape(name)).Draw(t, "pointer"))
	k := workflow.Task{
		Name: name, Path: pointer,
		If: exprs.Draw(t, "if"), Input: exprs.Draw(t, "from"), Output: exprs.Draw(t, "as"), Export: exprs.Draw(t, "export"),
		Timeout: maybe(t, "timeout", spans),
	}
	kinds := []string{"call", "http", "set", "raise", "wait", "switch"}
	if depth > 0 {
		kinds = append(kinds, "do", "fork", "for", "try", "try")
	}
	switch rapid.SampledFrom(kinds).Draw(t, "kind") {
	case "call":
		k.Call = &workflow.Call{Function: word.Draw(t, "function")}
		if rapid.Bool().Draw(t, "with?") {
			k.Call.With = drawObject(t, 2)
		}
	case "http":
		k.Call = &workflow.Call{HTTP: &workflow.HTTPCall{
			Method: "POST", Endpoint: rapid.SampledFrom([]string{"https://example.com/a", `${ "http://" + .host }`}).Draw(t, "endpoint"),
			Headers: maybe(t, "headers", rapid.MapOfN(word, word, 1, 2)), Query: maybe(t, "query", rapid.MapOfN(text, word, 1, 2)),
			Body: drawValue(t, 2), Output: rapid.SampledFrom([]string{"content", "raw", "response"}).Draw(t, "output"), Redirect: rapid.Bool().Draw(t, "redirect"),
		}}
	case "set":
		k.Set = drawObject(t, 3)
	case "raise":
		k.Raise = &workflow.Error{
			Type: "https://example.com/errors/x", Status: rapid.IntRange(100, 599).Draw(t, "status"),
			Title: text.Draw(t, "title"), Detail: `${ "no " + .name }`, Instance: word.Draw(t, "instance"),
		}
	case "wait":
		k.Wait = spans.Draw(t, "wait")
	case "switch":
		k.Switch = []workflow.Case{{Name: "one", When: need.Draw(t, "when"), Then: "exit"}, {Name: "other", Then: "continue"}}
	case "do":
		k.Do = drawTasks(t, pointer+"/do", depth-1)
	case "fork":
		k.Fork = &workflow.Fork{Branches: drawTasks(t, pointer+"/fork/branches", depth-1), Compete: rapid.Bool().Draw(t, "compete")}
		for i := range k.Fork.Branches {
			k.Fork.Branches[i].Then = ""
		}
	case "for":
		k.For = &workflow.For{Each: "one", At: "i", In: need.Draw(t, "in"), Parallel: rapid.IntRange(1, 9).Draw(t, "parallel"), Do: drawTasks(t, pointer+"/do", depth-1)}
		if k.For.Parallel == 1 {
			k.For.While = exprs.Draw(t, "while")
		}
	case "try":
		k.Try = &workflow.Try{Do: drawTasks(t, pointer+"/try", depth-1), Catch: drawCatch(t, pointer+"/catch", depth-1)}
	}
	return k
}

func drawCatch(t *rapid.T, path string, depth int) workflow.Catch {
	c := workflow.Catch{
		As: "problem", When: exprs.Draw(t, "when"), ExceptWhen: exprs.Draw(t, "exceptWhen"),
		Match: workflow.ErrorFilter{Type: text.Draw(t, "type"), Status: rapid.SampledFrom([]int{0, 503}).Draw(t, "status"), Detail: text.Draw(t, "detail")},
	}
	if rapid.Bool().Draw(t, "retry?") {
		c.Retry = &workflow.Retry{
			When: exprs.Draw(t, "retry when"), Delay: maybe(t, "delay", spans),
			Backoff:     rapid.SampledFrom([]workflow.Backoff{workflow.BackoffConstant, workflow.BackoffLinear, workflow.BackoffExponential}).Draw(t, "backoff"),
			MaxAttempts: rapid.IntRange(0, 9).Draw(t, "attempts"), MaxDuration: maybe(t, "max", spans), AttemptTime: maybe(t, "attempt", spans),
		}
		if rapid.Bool().Draw(t, "jitter") {
			c.Retry.Jitter = [2]time.Duration{time.Millisecond, time.Second}
		}
	}
	c.Then = rapid.SampledFrom([]string{"", "continue", "exit", "end"}).Draw(t, "catch then")
	if rapid.Bool().Draw(t, "do?") {
		c.Do = drawTasks(t, path+"/do", depth)
	}
	return c
}

func drawObject(t *rapid.T, depth int) workflow.Value {
	m := map[string]any{}
	for range rapid.IntRange(1, 3).Draw(t, "keys") {
		m[text.Draw(t, "key")] = drawValue(t, depth-1)
	}
	return m
}

func drawValue(t *rapid.T, depth int) workflow.Value {
	switch n := rapid.IntRange(0, 6).Draw(t, "value"); {
	case n == 0:
		return true
	case n == 1:
		return rapid.Int().Draw(t, "int")
	case n == 2:
		f := rapid.Float64().Draw(t, "float")
		if f == float64(int64(f)) && f > -1<<53 && f < 1<<53 {
			return int(f) // what is whole is an int
		}
		return f
	case n == 3 && depth > 0:
		return drawObject(t, depth)
	case n == 4 && depth > 0:
		return []any{drawValue(t, depth-1), drawValue(t, depth-1)}
	case n == 5:
		return "${ .a[0] // $context.b }"
	}
	return text.Draw(t, "text")
}

func drawFunction(t *rapid.T) function.Function {
	f := function.Function{
		Namespace:   maybe(t, "namespace", word),
		Resources:   function.Resources{CPU: function.MilliCPU(rapid.IntRange(1, 9000).Draw(t, "cpu")), Memory: function.Bytes(rapid.Int64Range(1, 1<<40).Draw(t, "memory"))},
		Labels:      maybe(t, "labels", rapid.MapOfN(text, text, 1, 2)),
		Args:        maybe(t, "args", rapid.SliceOfN(text, 1, 3)),
		Env:         maybe(t, "env", rapid.Map(text, func(v string) []function.EnvVar { return []function.EnvVar{{Name: "A", Value: v}} })),
		Concurrency: rapid.IntRange(1, 1000).Draw(t, "concurrency"),
		Timeout:     time.Duration(rapid.IntRange(1, 86400).Draw(t, "timeout")) * time.Second, StartTimeout: spans.Draw(t, "start"),
		Digest: maybe(t, "digest", word),
	}
	f.Space.CPU = drawRange(t, int64(f.Resources.CPU))
	f.Space.Memory = drawRange(t, int64(f.Resources.Memory))
	f.Scale.Max = rapid.IntRange(0, 10).Draw(t, "max")
	f.Scale.Min = rapid.IntRange(0, f.Scale.Max).Draw(t, "min")
	if rapid.Bool().Draw(t, "image") {
		f.Image = "example.com/" + word.Draw(t, "image")
		f.Entrypoint = maybe(t, "entrypoint", rapid.SliceOfN(text, 1, 3))
	} else {
		f.Command = append([]string{"/bin/" + word.Draw(t, "command")}, rapid.SliceOfN(text, 0, 2).Draw(t, "leading")...)
		f.Dir = "/srv/" + word.Draw(t, "dir")
	}
	f.Payloads = drawPayloads(t)
	return f
}

func drawPayloads(t *rapid.T) (list []function.Payload) {
	for range rapid.IntRange(0, 2).Draw(t, "payloads") {
		list = append(list, function.Payload{
			Name: text.Draw(t, "payload"), Weight: float64(rapid.IntRange(1, 100).Draw(t, "weight")) / 4,
			Body: rapid.SampledFrom([][]byte{[]byte(`{"a":[1,2.5,null]}`), []byte(`{ "a": 1 }`), {0xff, 0}, []byte("null"), []byte("")}).Draw(t, "body"),
		})
	}
	return list
}

// drawRange returns a range that holds v.
func drawRange(t *rapid.T, v int64) function.Range {
	step := rapid.Int64Range(1, 1000).Draw(t, "step")
	below := rapid.Int64Range(0, (v-1)/step).Draw(t, "below")
	return function.Range{Min: v - below*step, Max: v + rapid.Int64Range(0, 9).Draw(t, "above")*step, Step: step}
}
