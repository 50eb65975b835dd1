package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"

	"github.com/aquatope/aquatope/examples/fn"
)

type link struct {
	URL   string `json:"url"`
	Short string `json:"short"`
}

type links struct {
	Links []link `json:"links"`
}

// startShorten keeps short keys for links. A key follows from its link, so
// that all instances give the same.
func startShorten() (http.Handler, error) {
	db, err := openOwn("urls", `CREATE TABLE IF NOT EXISTS urls (key TEXT PRIMARY KEY, url TEXT NOT NULL) WITHOUT ROWID`)
	if err != nil {
		return nil, err
	}
	return fn.JSON(func(ctx context.Context, in parsedText) (links, error) {
		out := links{Links: []link{}}
		for _, url := range in.URLs {
			sum := sha256.Sum256([]byte(url))
			key := base64.RawURLEncoding.EncodeToString(sum[:9])
			if _, err := db.ExecContext(ctx, `INSERT INTO urls VALUES (?, ?) ON CONFLICT DO NOTHING`, key, url); err != nil {
				return links{}, err
			}
			out.Links = append(out.Links, link{URL: url, Short: "https://aq.example/" + key})
		}
		return out, nil
	}), nil
}
