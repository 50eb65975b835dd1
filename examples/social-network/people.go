package main

import (
	"context"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"errors"
	"net/http"

	"github.com/aquatope/aquatope/examples/fn"
)

type mention struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

type mentions struct {
	Mentions []mention `json:"mentions"`
}

// startMentions finds the users behind names; names that nobody has are left out.
func startMentions() (http.Handler, error) {
	db, err := openPeople()
	if err != nil {
		return nil, err
	}
	return fn.JSON(func(ctx context.Context, in parsedText) (mentions, error) {
		out := mentions{Mentions: []mention{}}
		for _, name := range in.Mentions {
			m := mention{Name: name}
			err := db.QueryRowContext(ctx, `SELECT id FROM users WHERE name = ?`, name).Scan(&m.ID)
			if err == nil {
				out.Mentions = append(out.Mentions, m)
			} else if !errors.Is(err, sql.ErrNoRows) {
				return mentions{}, err
			}
		}
		return out, nil
	}), nil
}

type login struct {
	User     string `json:"user"`
	Password string `json:"password"`
}

// startUser checks passwords. They are stored as PBKDF2, which is slow on
// purpose: a function that has nothing to do but compute, on one processor.
func startUser() (http.Handler, error) {
	db, err := openPeople()
	if err != nil {
		return nil, err
	}
	return fn.JSON(func(ctx context.Context, in login) (mention, error) {
		out := mention{Name: in.User}
		var salt, want []byte
		err := db.QueryRowContext(ctx, `SELECT id, salt, hash FROM users WHERE name = ?`, in.User).Scan(&out.ID, &salt, &want)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return mention{}, err
		}
		got, hashErr := hash(in.Password, salt) // for unknown users too: the time must not tell
		if hashErr != nil {
			return mention{}, hashErr
		}
		if err != nil || subtle.ConstantTimeCompare(got, want) != 1 {
			return mention{}, fn.Invalidf("user and password do not fit")
		}
		return out, nil
	}), nil
}

func hash(password string, salt []byte) ([]byte, error) {
	return pbkdf2.Key(sha256.New, password, salt, 30_000, sha256.Size)
}

type userRef struct {
	User int64 `json:"user"`
}

type followers struct {
	Followers []int64 `json:"followers"`
}

// startGraph lists a user's followers.
func startGraph() (http.Handler, error) {
	db, err := openPeople()
	if err != nil {
		return nil, err
	}
	return fn.JSON(func(_ context.Context, in userRef) (followers, error) {
		list, err := ids(db, `SELECT follower FROM follows WHERE followee = ? ORDER BY follower`, in.User)
		return followers{Followers: list}, err
	}), nil
}
