package main

import (
	"database/sql"
	"errors"
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/aquatope/aquatope/examples/picture"
)

// users is how many there are; user n is called "user-n" and has the password "secret-n".
const users = 100

// prepare writes the database of users and the pictures that they post into dir.
func prepare(dir string) error {
	if err := os.MkdirAll(filepath.Join(dir, "media"), 0o755); err != nil {
		return err
	}
	for name, width := range map[string]int{"snap.jpg": 800, "sunset.jpg": 1600} {
		data, err := picture.JPEG(drawSunset(width, width*3/4), 85)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, "media", name), data, 0o644); err != nil {
			return err
		}
	}
	path := filepath.Join(dir, "people.db")
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return err
	}
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		return err
	}
	return errors.Join(populate(db), db.Close())
}

func populate(db *sql.DB) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback() // a no-op after Commit
	if _, err := tx.Exec(`
		CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL, salt BLOB NOT NULL, hash BLOB NOT NULL);
		CREATE TABLE follows (followee INTEGER, follower INTEGER, PRIMARY KEY (followee, follower)) WITHOUT ROWID`); err != nil {
		return err
	}
	random := rand.New(rand.NewPCG(23, 1))
	for id := 1; id <= users; id++ {
		salt := fmt.Appendf(nil, "salt of user %d", id)
		hashed, err := hash(fmt.Sprintf("secret-%d", id), salt)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(`INSERT INTO users VALUES (?, ?, ?, ?)`, id, fmt.Sprintf("user-%d", id), salt, hashed); err != nil {
			return err
		}
		for followee := 1; followee <= users; followee++ { // the lower the number, the more famous
			if followee != id && random.Float64() < 1/math.Sqrt(float64(followee)) {
				if _, err := tx.Exec(`INSERT INTO follows VALUES (?, ?)`, followee, id); err != nil {
					return err
				}
			}
		}
	}
	return tx.Commit()
}

// drawSunset returns a picture with a sun over waves.
func drawSunset(width, height int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	random := rand.New(rand.NewPCG(29, uint64(width)))
	for i := range width * height {
		x, y := float64(i%width)/float64(width), float64(i/width)/float64(width)
		glow := math.Exp(-12 * math.Hypot(x-0.6, y-0.3))
		light := 0.3 + 0.7*glow
		if y > 0.42 {
			light = 0.2 + 0.3*glow + 0.15*math.Sin(900*y*y+6*math.Sin(9*x))
		}
		light += 0.06 * (random.Float64() - 0.5)
		for c, tint := range [3]float64{1, 0.6, 0.45} {
			img.Pix[4*i+c] = byte(255 * min(1, max(0, light*tint)))
		}
		img.Pix[4*i+3] = 255
	}
	return img
}
