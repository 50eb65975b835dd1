package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/aquatope/aquatope/run"
)

// Append puts events on the durable log of their runs, in order, and returns
// when they are on the disk. The first event of a run creates its row, the last
// completes it, in the same transaction. It never drops.
func (s *Store) Append(ctx context.Context, events ...run.Event) error {
	return s.writer.durable(ctx, func(ctx context.Context, tx *sql.Tx) error {
		return writeEvents(ctx, tx, events)
	})
}

// Note queues events without waiting. They are written before what is appended
// after them, and at the next flush at the latest.
func (s *Store) Note(events ...run.Event) {
	w := s.writer
	w.mu.Lock()
	w.notes = append(w.notes, events...)
	w.mu.Unlock()
}

func writeEvents(ctx context.Context, tx *sql.Tx, events []run.Event) error {
	for i := range events {
		if err := writeEvent(ctx, tx, events[i]); err != nil {
			return err
		}
	}
	return nil
}

func writeEvent(ctx context.Context, tx *sql.Tx, ev run.Event) error {
	switch {
	case ev.Kind == run.RunAccepted && ev.Accepted != nil:
		a := ev.Accepted
		r := run.Run{
			ID: ev.Run, Workflow: a.Workflow, Version: a.Version, Trial: a.Trial, Async: true,
			Status: run.StatusRunning, Start: ev.Time, QoS: a.QoS, InputBytes: int64(len(ev.Body)),
		}
		if err := writeRun(ctx, tx, &r, a.IdempotencyKey); err != nil {
			return err
		}
	case ev.Kind == run.RunEnded && ev.Summary != nil:
		if err := endRun(ctx, tx, ev.Summary); err != nil {
			return err
		}
	}
	body := ev.Body
	ev.Body = nil
	data, err := json.Marshal(ev)
	if err != nil {
		return fmt.Errorf("encoding an event: %w", err)
	}
	_, err = tx.ExecContext(ctx, "insert into events (run, seq, time, kind, data, body) values (?, ?, ?, ?, ?, ?)",
		ev.Run, ev.Seq, ev.Time.UnixNano(), string(ev.Kind), string(data), body)
	return err
}

// Events returns the log of a run, in order.
func (s *Store) Events(ctx context.Context, id string) ([]run.Event, error) {
	rows, err := s.read.QueryContext(ctx, "select time, data, body from events where run = ? order by seq", id)
	if err != nil {
		return nil, explain(err)
	}
	defer rows.Close()
	var events []run.Event
	for rows.Next() {
		var (
			ev    run.Event
			nanos int64
			data  []byte
			body  []byte
		)
		if err := rows.Scan(&nanos, &data, &body); err != nil {
			return nil, explain(err)
		}
		if err := json.Unmarshal(data, &ev); err != nil {
			return nil, fmt.Errorf("decoding an event of run %s: %w", id, err)
		}
		ev.Time, ev.Body = time.Unix(0, nanos), body
		events = append(events, ev)
	}
	return events, explain(rows.Err())
}

// Unfinished yields the log of every run that has not ended, oldest first.
func (s *Store) Unfinished(ctx context.Context) iter.Seq2[[]run.Event, error] {
	return func(yield func([]run.Event, error) bool) {
		last := ""
		for {
			var id string
			err := s.read.QueryRowContext(ctx,
				"select id from runs where status = 'running' and id > ? order by id limit 1", last).Scan(&id)
			if errors.Is(err, sql.ErrNoRows) {
				return
			}
			if err != nil {
				yield(nil, explain(err))
				return
			}
			events, err := s.Events(ctx, id)
			if !yield(events, err) || err != nil {
				return
			}
			last = id
		}
	}
}

// Output returns what an asynchronous run ended with and its media type; ok is
// false while it is under way, and for runs that have no log.
func (s *Store) Output(ctx context.Context, id string) (body []byte, contentType string, ok bool, err error) {
	var data []byte
	err = s.read.QueryRowContext(ctx, "select data, body from events where run = ? and kind = ?", id, string(run.RunEnded)).
		Scan(&data, &body)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, "", false, nil
	}
	if err != nil {
		return nil, "", false, explain(err)
	}
	var ev run.Event
	if err := json.Unmarshal(data, &ev); err != nil {
		return nil, "", false, fmt.Errorf("decoding the end of run %s: %w", id, err)
	}
	return body, ev.ContentType, true, nil
}

// SaveDefinition keeps the definition of a workflow under its digest.
func (s *Store) SaveDefinition(ctx context.Context, digest string, definition []byte) error {
	return s.writer.durable(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "insert or ignore into definitions (digest, document) values (?, ?)", digest, definition)
		return err
	})
}

// Definition returns a definition that was saved.
func (s *Store) Definition(ctx context.Context, digest string) ([]byte, error) {
	var doc []byte
	err := s.read.QueryRowContext(ctx, "select document from definitions where digest = ?", digest).Scan(&doc)
	if err != nil {
		return nil, fmt.Errorf("reading workflow definition %.12s: %w", digest, explain(err))
	}
	return doc, nil
}

// FindKey returns the run of a workflow that was accepted with an idempotency key.
func (s *Store) FindKey(ctx context.Context, workflow, key string) (id string, a run.Accepted, ok bool, err error) {
	var data []byte
	err = s.read.QueryRowContext(ctx, `select id, data from runs join events on run = id
		where workflow = ? and key = ? and events.kind = ?`, workflow, key, string(run.RunAccepted)).Scan(&id, &data)
	if errors.Is(err, sql.ErrNoRows) {
		return "", a, false, nil
	}
	if err != nil {
		return "", a, false, explain(err)
	}
	var ev run.Event
	if err := json.Unmarshal(data, &ev); err != nil || ev.Accepted == nil {
		return "", a, false, fmt.Errorf("decoding the acceptance of run %s: %w", id, err)
	}
	return id, *ev.Accepted, true, nil
}
