package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"
)

// Decision is one entry of the journal: what a controller decided and why.
type Decision struct {
	ID         int64           `json:"id"` // given by the store, grows
	Time       time.Time       `json:"time"`
	Controller string          `json:"controller"` // "pool", "tuner"
	Kind       string          `json:"kind"`       // what was decided, in the controller's words
	Subject    string          `json:"subject"`    // the function or workflow that it is about
	Reason     string          `json:"reason"`     // for people, one sentence
	Data       json.RawMessage `json:"data,omitempty"`
}

// Decide puts decisions in the journal and returns when they are on the disk.
func (s *Store) Decide(ctx context.Context, ds ...Decision) error {
	return s.writer.durable(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for _, d := range ds {
			_, err := tx.ExecContext(ctx, `insert into decisions (time, controller, kind, subject, reason, data)
				values (?, ?, ?, ?, ?, ?)`, d.Time.UnixNano(), d.Controller, d.Kind, d.Subject, d.Reason, string(d.Data))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// DecisionFilter selects decisions. Zero fields select all.
type DecisionFilter struct {
	Controller string
	Subject    string
	Kind       string
	Since      time.Time
	Before     int64 // a cursor: only entries older than the one with this id
	Limit      int   // 0 is 100
}

// Decisions returns the journal, newest first.
func (s *Store) Decisions(ctx context.Context, f DecisionFilter) ([]Decision, error) {
	if f.Limit <= 0 {
		f.Limit = 100
	}
	if f.Before <= 0 {
		f.Before = maxTime
	}
	rows, err := s.read.QueryContext(ctx, `select id, time, controller, kind, subject, reason, data from decisions
		where (? = '' or controller = ?) and (? = '' or subject = ?) and (? = '' or kind = ?) and time >= ? and id < ?
		order by id desc limit ?`,
		f.Controller, f.Controller, f.Subject, f.Subject, f.Kind, f.Kind, nanos(f.Since, minTime), f.Before, f.Limit)
	if err != nil {
		return nil, explain(err)
	}
	defer rows.Close()
	var ds []Decision
	for rows.Next() {
		var (
			d    Decision
			ns   int64
			data []byte
		)
		if err := rows.Scan(&d.ID, &ns, &d.Controller, &d.Kind, &d.Subject, &d.Reason, &data); err != nil {
			return nil, explain(err)
		}
		d.Time = time.Unix(0, ns)
		if len(data) > 0 {
			d.Data = data
		}
		ds = append(ds, d)
	}
	return ds, explain(rows.Err())
}
