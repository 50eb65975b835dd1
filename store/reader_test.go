package store_test

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/run"
	"github.com/aquatope/aquatope/store"
)

// A reader sees what a server that runs has written, and the same after its end.
func TestReader(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "test.db")
	s := open(t, path, store.Config{})
	const n = 2100 // more than two pages
	for i := range n {
		r := at(i, "w")
		r.Stages = []run.Stage{{Path: "/do/0/a", Function: "f", Start: r.Start, Outcome: function.OutcomeOK}}
		s.Record(r)
	}
	o := function.Observation{Time: start, Function: "f", Revision: "f-1", Resources: function.Resources{CPU: 100, Memory: 5}}
	s.Observe(o)
	s.Observe(o)
	o.Trial = "t"
	s.Observe(o)
	must(t, s.Flush(ctx))
	check := func() {
		t.Helper()
		r, err := store.OpenReader(ctx, path)
		must(t, err)
		defer func() { must(t, r.Close()) }()
		got := 0
		for x, err := range r.Runs(ctx, start.Add(5*time.Second), start.Add((n-5)*time.Second)) {
			must(t, err)
			if want := start.Add(time.Duration(got+5) * time.Second); !x.Start.Equal(want) || len(x.Stages) != 1 {
				t.Fatalf("run %d began at %v with %d stages, want %v and 1", got, x.Start, len(x.Stages), want)
			}
			got++
		}
		if got != n-10 {
			t.Errorf("%d runs, want %d", got, n-10)
		}
		uses, err := r.Revisions(ctx, time.Time{})
		must(t, err)
		if want := (store.RevisionUse{Function: "f", Revision: "f-1", Resources: o.Resources, Invocations: 2}); len(uses) != 1 || uses[0] != want {
			t.Errorf("revisions %+v, want %+v", uses, want)
		}
	}
	check()
	must(t, s.Close())
	check()
}

func TestReaderRefuses(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	if _, err := store.OpenReader(ctx, filepath.Join(dir, "none.db")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of an absent file: %v", err)
	}
	foreign := filepath.Join(dir, "foreign.db")
	db, err := sql.Open("sqlite", foreign)
	must(t, err)
	_, err = db.Exec("create table x (y)")
	must(t, err)
	must(t, db.Close())
	if _, err := store.OpenReader(ctx, foreign); err == nil || !strings.Contains(err.Error(), "not a database of Aquatope") {
		t.Errorf("of a foreign file: %v", err)
	}
}
