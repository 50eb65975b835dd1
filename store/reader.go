package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"net/url"
	"os"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/run"
)

// Reader reads a database, also while another process has it open to write.
type Reader struct{ store *Store }

// OpenReader opens the database at path to read it. It changes nothing, so that
// a database of an older version is refused rather than migrated. An absent file
// is fs.ErrNotExist.
func OpenReader(ctx context.Context, path string) (*Reader, error) {
	r, err := openReader(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("reading database %s: %w", path, explain(err))
	}
	return r, nil
}

func openReader(ctx context.Context, path string) (*Reader, error) {
	switch info, err := os.Stat(path); {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, fmt.Errorf("it is a folder: %w", fs.ErrInvalid)
	}
	// The file is opened for writing, although nothing is written: readers of a
	// write-ahead log keep their marks beside it.
	dsn := (&url.URL{Scheme: "file", Path: path}).String() + "?mode=rw&_pragma=busy_timeout(10000)&_pragma=query_only(1)"
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, err
	}
	if err := checkSchema(ctx, db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &Reader{&Store{path: path, read: db}}, nil
}

func checkSchema(ctx context.Context, db *sql.DB) error {
	var version, app int
	if err := db.QueryRowContext(ctx, "pragma application_id").Scan(&app); err != nil {
		return err
	}
	if err := db.QueryRowContext(ctx, "pragma user_version").Scan(&version); err != nil {
		return err
	}
	switch {
	case app != applicationID:
		return errors.New("it is not a database of Aquatope")
	case version > len(migrations):
		return fmt.Errorf("its schema is version %d and this program knows up to %d; use a newer aquatope", version, len(migrations))
	case version < len(migrations):
		return fmt.Errorf("its schema is version %d and this program reads %d; start \"aquatope up\" on it once to bring it up to date", version, len(migrations))
	}
	return nil
}

// Close closes the database.
func (r *Reader) Close() error { return r.store.read.Close() }

// Runs yields the runs that began in [since, until), with their stages, in the
// order of their ids, which is that of their beginnings but for those of one
// millisecond. Zero times are no bounds.
func (r *Reader) Runs(ctx context.Context, since, until time.Time) iter.Seq2[run.Run, error] {
	return func(yield func(run.Run, error) bool) {
		from, to := nanos(since, minTime), nanos(until, maxTime)
		after := ""
		if !since.IsZero() {
			after = run.MinID(since)
		}
		for {
			batch, err := r.page(ctx, after, from, to)
			for _, x := range batch {
				if !yield(x, nil) {
					return
				}
				after = x.ID
			}
			if err != nil {
				yield(run.Run{}, err)
				return
			}
			if len(batch) < page {
				return
			}
		}
	}
}

func (r *Reader) page(ctx context.Context, after string, from, to int64) ([]run.Run, error) {
	rows, err := r.store.read.QueryContext(ctx, "select "+runColumns+` from runs
		where id > ? and start >= ? and start < ? order by id limit ?`, after, from, to, page)
	if err != nil {
		return nil, explain(err)
	}
	defer rows.Close()
	var batch []run.Run
	for rows.Next() {
		x, err := scanRun(rows, true)
		if err != nil {
			return batch, err
		}
		batch = append(batch, x)
	}
	return batch, explain(rows.Err())
}

// RevisionUse is a revision that was invoked, trials left out.
type RevisionUse struct {
	Function, Revision string
	Resources          function.Resources
	Invocations        int
}

// Revisions returns the revisions that were invoked from since on, in the order
// of their first invocations.
func (r *Reader) Revisions(ctx context.Context, since time.Time) ([]RevisionUse, error) {
	rows, err := r.store.read.QueryContext(ctx, `select function, revision, cpu, memory, count(*) from observations
		where trial = '' and time >= ? group by function, revision, cpu, memory order by min(time), function, revision`, nanos(since, minTime))
	if err != nil {
		return nil, explain(err)
	}
	defer rows.Close()
	var out []RevisionUse
	for rows.Next() {
		var u RevisionUse
		if err := rows.Scan(&u.Function, &u.Revision, &u.Resources.CPU, &u.Resources.Memory, &u.Invocations); err != nil {
			return nil, explain(err)
		}
		out = append(out, u)
	}
	return out, explain(rows.Err())
}

// Deployments returns what is deployed, by kind and name.
func (r *Reader) Deployments(ctx context.Context) ([]Deployment, error) {
	return r.store.Deployments(ctx)
}

// Decisions returns the journal, newest first.
func (r *Reader) Decisions(ctx context.Context, f DecisionFilter) ([]Decision, error) {
	return r.store.Decisions(ctx, f)
}
