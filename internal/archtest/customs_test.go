package archtest_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestOnePackageComment(t *testing.T) {
	for _, p := range load(t) {
		_, files := p.parsed(t)
		var commented []string
		for i, f := range files {
			if f.Doc == nil {
				continue
			}
			commented = append(commented, filepath.Base(p.files[i]))
			if want := "Package " + p.name + " "; p.name != "main" && !strings.HasPrefix(f.Doc.Text(), want) {
				t.Errorf("%s: the package comment starts with %q, not with %q", p.path, strings.SplitN(f.Doc.Text(), "\n", 2)[0], want)
			}
		}
		switch len(commented) {
		case 1:
		case 0:
			if len(files) > 0 {
				t.Errorf("package %s has no package comment: say in doc.go what it is for", p.path)
			}
		default:
			t.Errorf("package %s has a package comment in each of %s: keep one", p.path, strings.Join(commented, ", "))
		}
	}
}

func TestNamesSaySomething(t *testing.T) {
	empty := []string{"util", "utils", "common", "helper", "helpers", "misc", "shared", "base", "lib"}
	for _, p := range load(t) {
		for part := range strings.SplitSeq(p.path, "/") {
			if slices.Contains(empty, part) {
				t.Errorf("package %s: %q says nothing; name it by what it provides", p.path, part)
			}
		}
	}
}

// main is wiring.
func TestMainIsShort(t *testing.T) {
	const most = 40
	for _, p := range load(t) {
		if !strings.HasPrefix(p.path, "cmd/") || p.name != "main" {
			continue
		}
		set, files := p.parsed(t)
		for _, f := range files {
			if lines := set.File(f.Pos()).LineCount(); lines > most {
				t.Errorf("%s has %d lines, at most %d are wiring: move the rest to internal/cli", set.Position(f.Pos()).Filename, lines, most)
			}
		}
	}
}
