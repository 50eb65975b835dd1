package engine_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/aquatope/aquatope/engine"
	"github.com/aquatope/aquatope/run"
	"github.com/aquatope/aquatope/workflow"
)

// FuzzExpression compiles and evaluates arbitrary expressions on arbitrary
// bodies. Whatever they are, the run ends soon: with JSON or with a problem.
func FuzzExpression(f *testing.F) {
	for _, s := range [][2]string{
		{".a", `{"a":1}`},
		{"${ .a }", `{"a":{"b":[1,"x",null]}}`},
		{`"\(.a) } { \("x")"`, `{"a":"}"}`},
		{"# comment }\n .", `[1]`},
		{"$context | $input, now", `1`},
		{"def f: f; f", `{}`},
		{"[range(1e5)] | add", `null`},
		{`try error("x") catch .`, `"s"`},
		{"input", `1`},
		{"$__now", `1`},
		{`"a" * 1000`, `1`},
		{".[1:] = [2]", `[1,2,3]`},
		{"halt_error", `"x"`},
		{"env | $ENV", `1e999`},
		{"@json", "\xff\xfe"},
	} {
		f.Add(s[0], s[1])
	}
	e := engine.New(engine.Config{Invoker: &script{functions: stdFunctions}, EvalTimeout: 50 * time.Millisecond})
	f.Fuzz(func(t *testing.T, src, in string) {
		if len(src) > 200 || len(in) > 1000 {
			t.Skip("long texts find nothing new")
		}
		for _, wf := range []workflow.Workflow{
			flowOf(set("s", map[string]any{"v": src, "w": "${" + src + "}"})),
			flowOf(with(set("s", 1), func(t *workflow.Task) {
				t.If, t.Output, t.Export = workflow.Expr(src), workflow.Expr(src), workflow.Expr(src)
			})),
			flowOf(workflow.Task{Name: "r", Raise: &workflow.Error{Status: 400, Detail: "x ${" + src + "} y"}}),
		} {
			p, err := engine.Compile(wf)
			if err != nil {
				continue
			}
			res, err := e.Run(t.Context(), p, engine.Input{Body: []byte(in)})
			if err != nil {
				t.Fatal(err)
			}
			switch res.Status {
			case run.StatusCompleted:
				if len(wf.Do[0].Output) == 0 && !json.Valid(res.Body) {
					t.Errorf("%q on %q gave %q", src, in, res.Body)
				}
			case run.StatusFaulted:
				if res.Problem == nil || res.Problem.Status == 0 {
					t.Errorf("%q on %q: faulted without a problem", src, in)
				}
			default:
				t.Errorf("%q on %q ended as %s", src, in, res.Status)
			}
		}
	})
}
