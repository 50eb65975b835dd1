package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"
)

// Trial is a configuration under evaluation. What it holds is the tuner's.
type Trial struct {
	ID       string          `json:"id"`
	Workflow string          `json:"workflow"`
	Time     time.Time       `json:"time"`
	Status   string          `json:"status"`
	Data     json.RawMessage `json:"data,omitempty"`
}

// SaveTrial keeps a trial, replacing the one with the same id.
func (s *Store) SaveTrial(ctx context.Context, t Trial) error {
	return s.writer.durable(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "insert or replace into trials (id, workflow, time, status, data) values (?, ?, ?, ?, ?)",
			t.ID, t.Workflow, t.Time.UnixNano(), t.Status, string(t.Data))
		return err
	})
}

// Trials returns the trials of a workflow since a time, oldest first.
func (s *Store) Trials(ctx context.Context, workflow string, since time.Time) ([]Trial, error) {
	rows, err := s.read.QueryContext(ctx, `select id, workflow, time, status, data from trials
		where workflow = ? and time >= ? order by time, id`, workflow, nanos(since, minTime))
	if err != nil {
		return nil, explain(err)
	}
	defer rows.Close()
	var ts []Trial
	for rows.Next() {
		var (
			t    Trial
			ns   int64
			data []byte
		)
		if err := rows.Scan(&t.ID, &t.Workflow, &ns, &t.Status, &data); err != nil {
			return nil, explain(err)
		}
		t.Time = time.Unix(0, ns)
		if len(data) > 0 {
			t.Data = data
		}
		ts = append(ts, t)
	}
	return ts, explain(rows.Err())
}
