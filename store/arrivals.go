package store

import (
	"context"
	"database/sql"
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

// WorkflowArrivals counts the runs of a workflow that began in each window.
func (s *Store) WorkflowArrivals(ctx context.Context, workflow string, since, until time.Time, window time.Duration) ([]int, error) {
	return s.arrivals(ctx, `select (start - ?1) / ?2, count(*) from runs
		where workflow = ?3 and start >= ?1 and start < ?4 and id >= ?5 group by 1`, since, until, window, workflow, run.MinID(since))
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
