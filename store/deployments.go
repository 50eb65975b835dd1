package store

import (
	"context"
	"database/sql"
	"time"
)

// Deployment is a document that a user deployed: what a restart restores.
type Deployment struct {
	Kind     string    `json:"kind"` // "function" or "workflow"
	Name     string    `json:"name"`
	Time     time.Time `json:"time"`
	Document []byte    `json:"document"` // the source
}

// Deploy keeps documents, replacing those of the same kinds and names, all or
// none, and returns when they are on the disk.
func (s *Store) Deploy(ctx context.Context, ds ...Deployment) error {
	return s.writer.durable(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for _, d := range ds {
			_, err := tx.ExecContext(ctx, "insert or replace into deployments (kind, name, time, document) values (?, ?, ?, ?)",
				d.Kind, d.Name, d.Time.UnixNano(), d.Document)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Undeploy forgets a document. Forgetting one that is not there is a no-op.
func (s *Store) Undeploy(ctx context.Context, kind, name string) error {
	return s.writer.durable(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "delete from deployments where kind = ? and name = ?", kind, name)
		return err
	})
}

// Deployments returns what is deployed, by kind and name.
func (s *Store) Deployments(ctx context.Context) ([]Deployment, error) {
	rows, err := s.read.QueryContext(ctx, "select kind, name, time, document from deployments order by kind, name")
	if err != nil {
		return nil, explain(err)
	}
	defer rows.Close()
	var ds []Deployment
	for rows.Next() {
		var (
			d  Deployment
			ns int64
		)
		if err := rows.Scan(&d.Kind, &d.Name, &ns, &d.Document); err != nil {
			return nil, explain(err)
		}
		d.Time = time.Unix(0, ns)
		ds = append(ds, d)
	}
	return ds, explain(rows.Err())
}
