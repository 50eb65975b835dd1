package store_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/aquatope/aquatope/engine"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/run"
	"github.com/aquatope/aquatope/store"
)

var _ engine.Log = (*store.Store)(nil)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t testing.TB, c store.Config) *store.Store {
	t.Helper()
	s, err := store.Open(filepath.Join(t.TempDir(), "test.db"), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestSmoke(t *testing.T) {
	s := open(t, store.Config{})
	ctx := context.Background()
	s.Observe(function.Observation{Time: time.Now(), Function: "f"})
	s.Record(run.Run{ID: "a", Function: "f", Status: run.StatusCompleted, Start: time.Now(), End: time.Now()})
	if err := s.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	rs, _, err := s.Runs(ctx, store.RunFilter{})
	if err != nil || len(rs) != 1 {
		t.Fatal(rs, err)
	}
	sum, err := s.Summaries(ctx, store.RunFilter{}, true)
	t.Log(sum, err)
}
