package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/aquatope/aquatope/examples/fn"
)

type post struct {
	ID       int64     `json:"id"`
	Author   mention   `json:"author"`
	Text     string    `json:"text"`
	Tags     []string  `json:"tags"`
	Links    []link    `json:"links"`
	Mentions []mention `json:"mentions"`
	Media    []string  `json:"media"`
}

// postRequest stores a post or asks for some.
type postRequest struct {
	Store *post   `json:"store,omitempty"`
	IDs   []int64 `json:"ids,omitempty"`
}

type postList struct {
	Posts []post `json:"posts"`
}

// startPosts keeps posts. Its time goes into the disk when it stores, and into
// the number of posts when it answers them.
func startPosts() (http.Handler, error) {
	db, err := openOwn("posts", `CREATE TABLE IF NOT EXISTS posts (id INTEGER PRIMARY KEY, body TEXT NOT NULL)`)
	if err != nil {
		return nil, err
	}
	return fn.JSON(func(ctx context.Context, in postRequest) (postList, error) {
		out := postList{Posts: []post{}}
		if in.Store != nil {
			body, err := json.Marshal(in.Store)
			if err != nil {
				return out, err
			}
			_, err = db.ExecContext(ctx, `INSERT INTO posts VALUES (?, ?) ON CONFLICT DO NOTHING`, in.Store.ID, body)
			out.Posts = append(out.Posts, *in.Store)
			return out, err
		}
		for _, id := range in.IDs {
			var body []byte
			err := db.QueryRowContext(ctx, `SELECT body FROM posts WHERE id = ?`, id).Scan(&body)
			if errors.Is(err, sql.ErrNoRows) {
				continue
			}
			if err != nil {
				return out, err
			}
			var p post
			if err := json.Unmarshal(body, &p); err != nil {
				return out, err
			}
			out.Posts = append(out.Posts, p)
		}
		return out, nil
	}), nil
}
