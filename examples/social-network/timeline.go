package main

import (
	"context"
	"database/sql"
	"net/http"

	"github.com/aquatope/aquatope/examples/fn"
)

// timelineRequest puts a post on the timelines of some users, or reads one.
type timelineRequest struct {
	Post  int64   `json:"post,omitempty"`
	Users []int64 `json:"users,omitempty"`
	Read  int64   `json:"read,omitempty"` // a user
	Limit int     `json:"limit,omitempty"`
}

type timeline struct {
	IDs       []int64 `json:"ids"` // of posts, newest first
	Delivered int     `json:"delivered"`
}

// startTimeline keeps one kind of timelines: "user" (what somebody wrote) or
// "home" (what those whom somebody follows wrote). Delivery takes as long as an
// author has followers.
func startTimeline(kind string) fn.Start {
	return func() (http.Handler, error) {
		db, err := openOwn(kind+"-timeline", `CREATE TABLE IF NOT EXISTS timeline (
			user INTEGER, post INTEGER, PRIMARY KEY (user, post)) WITHOUT ROWID`)
		if err != nil {
			return nil, err
		}
		return fn.JSON(func(ctx context.Context, in timelineRequest) (timeline, error) {
			if in.Read == 0 {
				return timeline{IDs: []int64{}, Delivered: len(in.Users)}, deliver(ctx, db, in)
			}
			limit := min(max(in.Limit, 1), 100)
			list, err := ids(db, `SELECT post FROM timeline WHERE user = ? ORDER BY post DESC LIMIT ?`, in.Read, limit)
			return timeline{IDs: list}, err
		}), nil
	}
}

// deliver adds a post to all timelines or to none.
func deliver(ctx context.Context, db *sql.DB, in timelineRequest) error {
	if in.Post == 0 {
		return fn.Invalidf("give post and users to deliver, or read to list a timeline")
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // a no-op after Commit
	insert, err := tx.PrepareContext(ctx, `INSERT INTO timeline VALUES (?, ?) ON CONFLICT DO NOTHING`)
	if err != nil {
		return err
	}
	for _, user := range in.Users {
		if _, err := insert.ExecContext(ctx, user, in.Post); err != nil {
			return err
		}
	}
	return tx.Commit()
}
