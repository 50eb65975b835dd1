package local_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform"
	"github.com/aquatope/aquatope/platform/local"
	"github.com/aquatope/aquatope/platform/platformtest"
)

// TestSoak sends 2,000 invocations at concurrency 50 through three functions
// that compete for a small machine, and expects that none is lost and nothing
// is left.
func TestSoak(t *testing.T) {
	ignore := goleak.IgnoreCurrent()
	dir, bin := t.TempDir(), platformtest.Build(t)
	var observed atomic.Int64
	p, err := local.New(local.Config{
		DataDir: dir, Capacity: function.Resources{CPU: 2000, Memory: function.GiB}, QueueDeadline: patience,
		Observer: func(function.Observation) { observed.Add(1) },
	})
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"one", "two", "three"}
	for i, name := range names {
		rev := function.NewRevision(function.Function{Name: name, Command: []string{bin}, Concurrency: 1, Timeout: patience, StartTimeout: patience},
			function.Resources{CPU: function.MilliCPU(250 * (i + 1)), Memory: 64 * function.MiB})
		if err := p.Deploy(t.Context(), rev); err != nil {
			t.Fatal(err)
		}
		if err := p.Route(t.Context(), name, []platform.Traffic{{Revision: rev.Name, Percent: 100}}); err != nil {
			t.Fatal(err)
		}
	}
	const total, concurrency = 2000, 50
	var next atomic.Int64
	var wg sync.WaitGroup
	for range concurrency {
		wg.Go(func() {
			for i := next.Add(1); i <= total; i = next.Add(1) {
				_, err := p.Invoke(t.Context(), platform.Request{Function: names[i%3], Body: []byte(`{"burnMs":1}`)})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n := observed.Load(); n != total {
		t.Errorf("%d invocations were observed as %d", total, n)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := p.Close(ctx); err != nil {
		t.Error(err)
	}
	if got := running(bin); len(got) > 0 {
		t.Errorf("processes %v are left", got)
	}
	if got := groups(dir); len(got) > 0 {
		t.Errorf("control groups %v are left", got)
	}
	if got, _ := filepath.Glob(filepath.Join(dir, "instances", "*")); len(got) > 0 {
		t.Errorf("folders %v are left", got)
	}
	leak := goleak.Find(ignore)
	for end := time.Now().Add(patience); leak != nil && time.Now().Before(end); {
		leak = goleak.Find(ignore)
	}
	if leak != nil {
		t.Error(leak)
	}
}

// groups lists the control groups that belong to a platform's folder.
func groups(dir string) []string {
	sum := sha256.Sum256([]byte(dir))
	name := "aquatope-" + hex.EncodeToString(sum[:6])
	var found []string
	_ = filepath.WalkDir("/sys/fs/cgroup", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && d.Name() == name {
			found = append(found, path)
		}
		return nil
	})
	return found
}
