package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/aquatope/aquatope/run"
)

// sweep deletes what is too old or too much, a chunk per transaction so that
// durable requests wait little.
func (w *writer) sweep() {
	cutoff := time.Now().Add(-w.config.MaxAge)
	for _, pass := range []func(context.Context, *sql.Tx) (int64, error){
		// Rows come roughly in order of time, so the oldest ids are looked at first.
		func(ctx context.Context, tx *sql.Tx) (int64, error) {
			return deleted(tx.ExecContext(ctx, `delete from observations where id in (
				select id from observations order by id limit ?) and time < ?`, chunk, cutoff.UnixNano()))
		},
		func(ctx context.Context, tx *sql.Tx) (int64, error) {
			return deleted(tx.ExecContext(ctx, `delete from observations where id in (
				select id from observations where id <= (select max(id) from observations) - ? order by id limit ?)`,
				w.config.MaxObservations, chunk))
		},
		func(ctx context.Context, tx *sql.Tx) (int64, error) {
			return deleteRuns(ctx, tx, run.MinID(cutoff))
		},
		func(ctx context.Context, tx *sql.Tx) (int64, error) {
			var id string
			err := tx.QueryRowContext(ctx, "select id from runs order by id desc limit 1 offset ?", w.config.MaxRuns-1).Scan(&id)
			if err == sql.ErrNoRows {
				return 0, nil
			} else if err != nil {
				return 0, err
			}
			return deleteRuns(ctx, tx, id)
		},
		func(ctx context.Context, tx *sql.Tx) (int64, error) {
			return deleted(tx.ExecContext(ctx, `delete from decisions where id in (
				select id from decisions order by id limit ?) and time < ?`, chunk, cutoff.UnixNano()))
		},
		func(ctx context.Context, tx *sql.Tx) (int64, error) {
			return deleted(tx.ExecContext(ctx, "delete from trials where time < ?", cutoff.UnixNano()))
		},
	} {
		for n := int64(chunk); n >= chunk; w.serve() {
			err := w.transact(func(ctx context.Context, tx *sql.Tx) (err error) {
				n, err = pass(ctx, tx)
				return err
			}, false)
			if err != nil {
				return
			}
		}
	}
}

// deleteRuns deletes ended runs with ids below a bound, and their logs.
func deleteRuns(ctx context.Context, tx *sql.Tx, below string) (int64, error) {
	const old = "select id from runs where id < ? and status <> 'running' order by id limit ?"
	if _, err := tx.ExecContext(ctx, "delete from events where run in ("+old+")", below, chunk); err != nil {
		return 0, err
	}
	return deleted(tx.ExecContext(ctx, "delete from runs where id in ("+old+")", below, chunk))
}

func deleted(r sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// Sweep deletes what is too old or too much now, instead of at the next turn.
func (s *Store) Sweep(ctx context.Context) error {
	return s.writer.turn(ctx, s.writer.sweeps)
}
