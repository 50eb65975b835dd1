package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Config says how much is kept. The zero value is usable.
type Config struct {
	// MaxAge is how long ended runs, observations, decisions and trials are
	// kept; 0 is 14 days.
	MaxAge time.Duration
	// MaxObservations and MaxRuns bound their number; 0 is two million and two
	// hundred thousand. The oldest go first. Runs under way are always kept.
	MaxObservations int64
	MaxRuns         int64
	// Queue bounds the observations, and the summaries of runs, that wait to
	// be written; 0 is 65536 each. What exceeds it is dropped and counted.
	Queue int
	// FlushEvery is how long they wait at most; 0 is 100 ms.
	FlushEvery time.Duration
	// SweepEvery is how often what is too old or too much is deleted; 0 is a minute.
	SweepEvery time.Duration
	Logger     *slog.Logger // nil discards
}

func (c *Config) defaults() {
	for _, d := range []struct {
		to *time.Duration
		is time.Duration
	}{{&c.MaxAge, 14 * 24 * time.Hour}, {&c.FlushEvery, 100 * time.Millisecond}, {&c.SweepEvery, time.Minute}} {
		if *d.to == 0 {
			*d.to = d.is
		}
	}
	if c.MaxObservations == 0 {
		c.MaxObservations = 2_000_000
	}
	if c.MaxRuns == 0 {
		c.MaxRuns = 200_000
	}
	if c.Queue == 0 {
		c.Queue = 1 << 16
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
}

// Store is an open database. It is safe for concurrent use.
type Store struct {
	config Config
	path   string
	lock   *os.File
	read   *sql.DB
	writer *writer
	close  func() error
}

// Open opens the database at path and creates it where there is none. Only one
// process can have it open.
func Open(path string, c Config) (*Store, error) {
	c.defaults()
	s, err := open(path, c)
	if err != nil {
		return nil, fmt.Errorf("opening database %s: %w", path, explain(err))
	}
	return s, nil
}

func open(path string, c Config) (_ *Store, err error) {
	if path, err = filepath.Abs(path); err != nil {
		return nil, err
	}
	s := &Store{config: c, path: path}
	if s.lock, err = lockFile(path + ".lock"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = s.lock.Close()
		}
	}()
	ctx := context.Background()
	write, err := connect(path, "_txlock=immediate", 1)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = write.Close()
		}
	}()
	if err = migrate(ctx, write); err != nil {
		return nil, err
	}
	if s.read, err = connect(path, "_pragma=query_only(1)", 4); err != nil {
		return nil, err
	}
	if s.writer, err = newWriter(write, &s.config); err != nil {
		_ = s.read.Close()
		return nil, err
	}
	s.close = sync.OnceValue(func() error {
		return errors.Join(s.writer.close(), s.read.Close(), s.lock.Close())
	})
	return s, nil
}

func connect(path, option string, connections int) (*sql.DB, error) {
	dsn := (&url.URL{Scheme: "file", Path: path}).String() +
		"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&" + option
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	if err := db.Ping(); err != nil {
		_ = db.Close()
		return nil, err
	}
	return db, nil
}

// lockFile makes sure that no other process has the database. The lock goes
// with the process, however that ends.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, errors.New("another process has it open; stop it, or choose another data folder")
		}
		return nil, fmt.Errorf("locking %s: %w", path, err)
	}
	return f, nil
}

// Path returns the path of the database's file.
func (s *Store) Path() string { return s.path }

// Ping reads a row and says whether the latest write succeeded.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	if err := s.read.QueryRowContext(ctx, "select 1").Scan(&one); err != nil {
		return fmt.Errorf("reading database %s: %w", s.path, explain(err))
	}
	if err := s.Stats().LastError; err != nil {
		return fmt.Errorf("writing database %s: %w", s.path, err)
	}
	return nil
}

// Close writes what waits and closes the database. Closing again is a no-op.
func (s *Store) Close() error {
	if err := s.close(); err != nil {
		return fmt.Errorf("closing database %s: %w", s.path, explain(err))
	}
	return nil
}
