package store

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/run"
)

// FunctionArrivals counts the invocations of a function, those of trials left out
// unless they were users' runs, that arrived in each window of [since, until):
// element i is of the window that begins at since + i*window. It panics unless
// window is positive.
func (s *Store) FunctionArrivals(ctx context.Context, fn string, since, until time.Time, window time.Duration) ([]int, error) {
	return s.arrivals(ctx, `select (time - ?1) / ?2, count(*) from observations
		where function = ?3 and (trial = '' or trial like ?5) and time >= ?1 and time < ?4 group by 1`,
		since, until, window, fn, "%"+function.LiveTrial)
}

// RunStarts returns when the last runs of a workflow began, those of trials left out
// unless they were users' runs: at most n, from since on, in order of time.
func (s *Store) RunStarts(ctx context.Context, workflow string, since time.Time, n int) ([]time.Time, error) {
	starts, err := s.integers(ctx, `select start from runs
		where workflow = ? and (trial = '' or trial like ?) and start >= ? and id >= ? order by start desc limit ?`,
		workflow, "%"+function.LiveTrial, since.UnixNano(), run.MinID(since), n)
	slices.Reverse(starts)
	out := make([]time.Time, len(starts))
	for i, x := range starts {
		out[i] = time.Unix(0, x)
	}
	return out, err
}

// ColdStart is how long an invocation waited for an instance with some CPU to start.
type ColdStart struct {
	CPU  function.MilliCPU
	Wait time.Duration
}

// ColdStarts returns the last invocations of a function that waited for an instance
// to start: at most n, from since on, the last first.
func (s *Store) ColdStarts(ctx context.Context, fn string, since time.Time, n int) ([]ColdStart, error) {
	rows, err := s.read.QueryContext(ctx, `select cpu, cold_start from observations
		where function = ? and cold and cold_start > 0 and time >= ? order by time desc limit ?`, fn, since.UnixNano(), n)
	if err != nil {
		return nil, explain(err)
	}
	defer rows.Close()
	var out []ColdStart
	for rows.Next() {
		var x ColdStart
		if err := rows.Scan(&x.CPU, &x.Wait); err != nil {
			return out, explain(err)
		}
		out = append(out, x)
	}
	return out, explain(rows.Err())
}

func (s *Store) integers(ctx context.Context, query string, args ...any) ([]int64, error) {
	rows, err := s.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, explain(err)
	}
	defer rows.Close()
	var out []int64
	for rows.Next() {
		var x int64
		if err := rows.Scan(&x); err != nil {
			return out, explain(err)
		}
		out = append(out, x)
	}
	return out, explain(rows.Err())
}

func (s *Store) arrivals(ctx context.Context, query string, since, until time.Time, window time.Duration, of string, more ...any) ([]int, error) {
	if window <= 0 {
		panic("store: window is not positive")
	}
	counts := make([]int, max(0, (until.Sub(since)+window-1)/window))
	args := append([]any{since.UnixNano(), int64(window), of, until.UnixNano()}, more...)
	rows, err := s.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, explain(err)
	}
	return counts, collect(rows, counts)
}

func collect(rows *sql.Rows, counts []int) error {
	defer rows.Close()
	for rows.Next() {
		var i, n int
		if err := rows.Scan(&i, &n); err != nil {
			return explain(err)
		}
		counts[i] = n
	}
	return explain(rows.Err())
}
