package archtest_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const module = "github.com/aquatope/aquatope"

// pkg is a package of the module, tests not included.
type pkg struct {
	path    string // in the module
	name    string
	dir     string
	files   []string
	imports []string
}

// packages lists the packages of the module.
var packages = sync.OnceValues(func() ([]pkg, error) {
	cmd := exec.Command("go", "list", "-json=Dir,ImportPath,Name,GoFiles,CgoFiles,IgnoredGoFiles,Imports,Module", module+"/...")
	cmd.Dir = "../.."
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, errors.New("go list: " + stderr.String())
	}
	var list []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			Dir, ImportPath, Name                      string
			GoFiles, CgoFiles, IgnoredGoFiles, Imports []string
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return list, nil
		} else if err != nil {
			return nil, err
		}
		path := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		one := pkg{path: path, name: p.Name, dir: p.Dir, imports: p.Imports}
		for _, f := range append(p.GoFiles, append(p.CgoFiles, p.IgnoredGoFiles...)...) {
			if !strings.HasSuffix(f, "_test.go") {
				one.files = append(one.files, filepath.Join(p.Dir, f))
			}
		}
		list = append(list, one)
	}
})

func load(t *testing.T) []pkg {
	t.Helper()
	list, err := packages()
	if err != nil {
		t.Fatal(err)
	}
	if len(list) < 10 {
		t.Fatalf("only %d packages found", len(list))
	}
	return list
}

// parsed returns the syntax trees of a package's files.
func (p pkg) parsed(t *testing.T) (*token.FileSet, []*ast.File) {
	t.Helper()
	set := token.NewFileSet()
	var files []*ast.File
	for _, name := range p.files {
		f, err := parser.ParseFile(set, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	return set, files
}

// inside returns the path within the module of one of its packages.
func inside(imported string) (string, bool) {
	return strings.CutPrefix(imported, module+"/")
}
