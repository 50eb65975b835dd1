package trace_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/aquatope/aquatope/trace"
)

// tracesDir returns a folder of the real traces, or skips the test.
func tracesDir(t *testing.T, name string) string {
	t.Helper()
	root := os.Getenv("AQUATOPE_TRACES")
	if root == "" {
		root = filepath.Join("..", "..", "shared", "traces")
	}
	dir := filepath.Join(root, name)
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no real traces: set AQUATOPE_TRACES (%v)", err)
	}
	return dir
}

func TestLoadRealTraces(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name               string
		functions, minutes int
		covered            trace.Span
		durations, memory  bool
	}{
		{"azure2019-functiondays", 1126, 1440, trace.Span{From: 0, To: 1440}, false, false},
		{"azure2019-sample500", 402, 1440, trace.Span{From: 479, To: 959}, true, true},
		{"azure2019-fullday15", 15, 1440, trace.Span{From: 0, To: 1440}, true, true},
		{"azure2019-femux-apps100", 74, 1440, trace.Span{From: 0, To: 1440}, false, false},
		{"azure2019-platform-total-14d", 1, 14 * 1440, trace.Span{From: 0, To: 14 * 1440}, false, false},
		{"alibaba-gentd26-24d/azure2019format", 126, 24 * 1440, trace.Span{From: 1017, To: 23*1440 + 1054}, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f, err := trace.OpenFolder(os.DirFS(tracesDir(t, c.name)))
			if err != nil {
				t.Fatal(err)
			}
			tr, err := f.Load()
			if err != nil {
				t.Fatal(err)
			}
			if len(tr.Functions) != c.functions || tr.Minutes != c.minutes || tr.Covered != c.covered {
				t.Errorf("got %d functions, %d minutes, covered %v; want %d, %d, %v", len(tr.Functions), tr.Minutes, tr.Covered, c.functions, c.minutes, c.covered)
			}
			if d, m := tr.Functions[0].Duration.Known(), tr.Functions[0].Memory.Known(); d != c.durations || m != c.memory {
				t.Errorf("durations known %v, memory %v; want %v, %v", d, m, c.durations, c.memory)
			}
		})
	}
}
