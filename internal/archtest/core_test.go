package archtest_test

import (
	"go/ast"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// outside are the packages of the standard library that reach out of the
// process, which the core must not: it is given readers, times and streams.
var outside = []string{
	"os", "net", "log", "syscall", "database/sql", "plugin", "testing", "html/template", "expvar", "unsafe", "C",
	"math/rand", // version 1 is seeded globally
}

// exceptions are imports of the core that are allowed, with the reason.
var exceptions = map[string]map[string]string{
	"platform": {"net/http": "the type Header of requests and responses"},
	"forecast/forecasttest": {
		"testing":            "a suite of tests for every forecaster",
		"pgregory.net/rapid": "the suite draws histories",
	},
}

// impure are the functions that read a clock or a global random source.
var impure = map[string]func(string) bool{
	"time": func(name string) bool {
		return slices.Contains([]string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}, name)
	},
	"math/rand/v2": func(name string) bool { // its types and constructors start from a seed
		return !slices.Contains([]string{"New", "NewPCG", "NewChaCha8", "NewZipf", "Rand", "Source", "PCG", "ChaCha8", "Zipf"}, name)
	},
}

// core returns the packages of the functional core.
func core(t *testing.T) []pkg {
	var list []pkg
	for _, p := range load(t) {
		if e, ok := find(p.path); ok && e.layer >= 0 && layers[e.layer].pure {
			list = append(list, p)
		}
	}
	if len(list) < 5 {
		t.Fatalf("only %d packages in the core", len(list))
	}
	return list
}

func TestCoreImports(t *testing.T) {
	for _, p := range core(t) {
		for _, i := range p.imports {
			if _, ok := inside(i); ok {
				continue
			}
			first, _, _ := strings.Cut(i, "/")
			switch {
			case exceptions[p.path][i] != "":
			case strings.Contains(first, ".") && !strings.HasPrefix(i, "gonum.org/v1/gonum/"):
				t.Errorf("%s imports %s: the functional core uses the standard library and gonum only", p.path, i)
			case slices.ContainsFunc(outside, func(o string) bool { return i == o || o != "math/rand" && strings.HasPrefix(i, o+"/") }):
				t.Errorf("%s imports %s: the functional core reaches nothing outside; take an io.Reader, a time or a random source as an argument", p.path, i)
			}
		}
	}
}

func TestCoreIsDeterministic(t *testing.T) {
	for _, p := range core(t) {
		set, files := p.parsed(t)
		for _, f := range files {
			names := map[string]func(string) bool{}
			for _, i := range f.Imports {
				path, err := strconv.Unquote(i.Path.Value)
				if err != nil {
					t.Fatal(err)
				}
				if check := impure[path]; check != nil {
					name := strings.TrimSuffix(path, "/v2")
					name = name[strings.LastIndex(name, "/")+1:]
					if i.Name != nil {
						name = i.Name.Name
					}
					names[name] = check
				}
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok {
					x, ok := s.X.(*ast.Ident)
					if ok && names[x.Name] != nil && names[x.Name](s.Sel.Name) {
						t.Errorf("%s: %s.%s: the functional core takes time and random sources as arguments", set.Position(s.Pos()), x.Name, s.Sel.Name)
					}
				}
				return true
			})
		}
	}
}

// The simulator runs in virtual time and in one goroutine.
func TestSimulatorHasNoGoroutines(t *testing.T) {
	for _, p := range load(t) {
		if e, _ := find(p.path); e.folder != "sim" {
			continue
		}
		set, files := p.parsed(t)
		for _, f := range files {
			ast.Inspect(f, func(n ast.Node) bool {
				if g, ok := n.(*ast.GoStmt); ok {
					t.Errorf("%s: the simulator starts no goroutines, its order of events must not depend on a scheduler", set.Position(g.Pos()))
				}
				return true
			})
		}
	}
}
