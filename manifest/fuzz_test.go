package manifest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aquatope/aquatope/engine"
	"github.com/aquatope/aquatope/manifest"
	"github.com/aquatope/aquatope/workflow"
)

// FuzzParse looks for input that breaks the reader, and for manifests that are
// accepted but not read back the same when written.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/good/*", "testdata/bad/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
			if b, err := manifest.Parse(file, data); err == nil {
				text, err := manifest.Marshal(b)
				if err != nil {
					f.Fatal(err)
				}
				f.Add(text)
			}
		}
	}
	f.Add([]byte("a: &x [*x]\n---\n? a\n: b\n--- |\n x\n"))
	f.Add([]byte("{\"a\": [1, 2.5, null, true, \"\\ud800\"]}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := manifest.Parse("request", data)
		if err != nil {
			return
		}
		for _, w := range b.Workflows {
			if _, err := engine.Compile(*w); err != nil {
				t.Fatalf("the engine refuses what was read: %v", err)
			}
		}
		text, err := manifest.Marshal(b)
		if err != nil {
			t.Fatalf("writing what was read: %v", err)
		}
		again, err := manifest.Parse("request", text)
		if err != nil {
			t.Fatalf("reading what was written: %v\n%s", err, text)
		}
		if diff := cmp.Diff(b, again, same); diff != "" {
			t.Fatalf("(-read +read again):\n%s\n%s", diff, text)
		}
	})
}

// FuzzExpr looks for expressions that break the check, or pass it but change
// when they stand in ${ }.
func FuzzExpr(f *testing.F) {
	for _, s := range []string{
		".a.b", "$context + {a: .x}", `"a \(.b) c"`, "reduce .[] as $x (0; . + $x)", "def f: .; f", ".x # c",
		"[limit(3; .[])]", ".a // error(\"x\")", "{(.a): .b}", "try error catch .", "label $x | break $x", "@base64 \"\\(.)\"", "..",
		".a # c\r| .b", ".a # c\\\n}\n| .b", ".a # c\\\\\n| .b", ".a # c\\\r\n}\n| .b", ".a # \x00\n| .b",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		if strings.HasPrefix(strings.TrimSpace(src), "${") {
			t.Skip("in ${ } already")
		}
		bare := manifest.CheckExpr(src)
		wrapped := manifest.CheckExpr("${ " + src + " }")
		if bare == nil && wrapped != nil {
			t.Fatalf("%q is accepted, but not in ${ }: %v", src, wrapped)
		}
		if wrapped == nil {
			w := workflow.Workflow{Do: []workflow.Task{{Name: "s", If: workflow.Expr(src), Set: "${ " + src + " }"}}}
			if _, err := engine.Compile(w); err != nil {
				t.Fatalf("the engine refuses %q: %v", src, err)
			}
		}
	})
}
