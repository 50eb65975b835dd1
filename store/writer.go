package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/run"
)

// ErrClosed is returned for writes after Close.
var ErrClosed = errors.New("the store is closed")

// change is a group of statements that belong together.
type change func(ctx context.Context, tx *sql.Tx) error

// request is a change whose author waits until it is durable.
type request struct {
	do   change
	done chan error // buffered
}

// writer is the one goroutine that writes, and its queues.
type writer struct {
	db     *sql.DB
	config *Config
	insert struct{ observation, run *sql.Stmt }

	mu           sync.Mutex
	closed       bool
	requests     []request
	notes        []run.Event
	observations []function.Observation
	runs         []run.Run
	stats        Stats

	wake    chan struct{} // buffered: there is a request, or a queue is half full
	sweeps  chan chan struct{}
	flushes chan chan struct{}
	quit    chan struct{}
	stopped chan struct{}
}

// Stats counts what the writer did.
type Stats struct {
	QueuedObservations  int   `json:"queuedObservations"`
	QueuedRuns          int   `json:"queuedRuns"`
	WrittenObservations int64 `json:"writtenObservations"`
	WrittenRuns         int64 `json:"writtenRuns"`
	DroppedObservations int64 `json:"droppedObservations"` // the queue was full
	DroppedRuns         int64 `json:"droppedRuns"`
	Commits             int64 `json:"commits"`        // transactions, group commits of events included
	DurableCommits      int64 `json:"durableCommits"` // those that waited for the disk
	Failures            int64 `json:"failures"`       // transactions that failed
	LastError           error `json:"-"`              // of the latest transaction, nil if it succeeded
}

// Stats returns the counts so far.
func (s *Store) Stats() Stats {
	w := s.writer
	w.mu.Lock()
	defer w.mu.Unlock()
	st := w.stats
	st.QueuedObservations, st.QueuedRuns = len(w.observations), len(w.runs)
	return st
}

// chunk is how many queued rows one transaction writes, which bounds how long a
// durable request waits behind them.
const chunk = 512

func newWriter(db *sql.DB, c *Config) (*writer, error) {
	w := &writer{
		db: db, config: c,
		wake: make(chan struct{}, 1), sweeps: make(chan chan struct{}), flushes: make(chan chan struct{}),
		quit: make(chan struct{}), stopped: make(chan struct{}),
	}
	var err error
	if w.insert.observation, err = db.Prepare(insertObservation); err != nil {
		return nil, err
	}
	if w.insert.run, err = db.Prepare(insertRun); err != nil {
		return nil, err
	}
	go w.loop()
	return w, nil
}

func (w *writer) signal() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// enqueue adds a row to one of the writer's queues, or counts it as dropped when
// the queue is full.
func enqueue[T any](w *writer, queue *[]T, row T, dropped *int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || len(*queue) >= w.config.Queue {
		*dropped++
		return
	}
	*queue = append(*queue, row)
	if len(*queue) > w.config.Queue/2 {
		w.signal()
	}
}

// durable runs a change and returns when it is on the disk.
func (w *writer) durable(ctx context.Context, do change) error {
	r := request{do, make(chan error, 1)}
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return ErrClosed
	}
	w.requests = append(w.requests, r)
	w.mu.Unlock()
	w.signal()
	select {
	case err := <-r.done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (w *writer) close() error {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	close(w.quit)
	<-w.stopped
	w.mu.Lock()
	lost := len(w.observations) + len(w.runs)
	err := w.stats.LastError
	w.mu.Unlock()
	if lost == 0 {
		err = nil
	} else {
		err = fmt.Errorf("%d rows could not be written: %w", lost, err)
	}
	_, cerr := w.db.Exec("pragma wal_checkpoint(truncate)")
	return errors.Join(err, cerr, w.insert.observation.Close(), w.insert.run.Close(), w.db.Close())
}

func (w *writer) loop() {
	defer close(w.stopped)
	flush := time.NewTicker(w.config.FlushEvery)
	defer flush.Stop()
	sweep := time.NewTicker(w.config.SweepEvery)
	defer sweep.Stop()
	for {
		select {
		case <-w.wake:
			w.serve()
			w.flush(w.config.Queue / 2)
		case <-flush.C:
			w.serve()
			w.flush(0)
		case <-sweep.C:
			w.sweep()
		case done := <-w.sweeps:
			w.sweep()
			close(done)
		case done := <-w.flushes:
			w.serve()
			w.flush(0)
			close(done)
		case <-w.quit:
			w.serve()
			w.flush(0)
			return
		}
	}
}

// serve writes all requests that wait, in one durable transaction.
func (w *writer) serve() {
	w.mu.Lock()
	requests, notes := w.requests, w.notes
	w.requests, w.notes = nil, nil
	w.mu.Unlock()
	if len(requests) == 0 && len(notes) == 0 {
		return
	}
	if err := w.transact(together(notes, requests), len(requests) > 0); err == nil {
		answer(requests, nil)
		return
	} else if len(requests) == 1 && len(notes) == 0 {
		answer(requests, err)
		return
	}
	// One bad request must not take the others with it. Notes that cannot be
	// written are given up: nobody waits for them.
	_ = w.transact(together(notes, nil), false)
	for _, r := range requests {
		r.done <- w.transact(r.do, true)
	}
}

// together is one change of many.
func together(notes []run.Event, requests []request) change {
	return func(ctx context.Context, tx *sql.Tx) error {
		if err := writeEvents(ctx, tx, notes); err != nil {
			return err
		}
		for _, r := range requests {
			if err := r.do(ctx, tx); err != nil {
				return err
			}
		}
		return nil
	}
}

func answer(requests []request, err error) {
	for _, r := range requests {
		r.done <- err
	}
}

// flush writes queued rows until at most keep of a kind remain, giving way to
// requests in between.
func (w *writer) flush(keep int) {
	for {
		w.mu.Lock()
		obs := w.observations[:take(len(w.observations), keep)]
		runs := w.runs[:take(len(w.runs), keep)]
		w.mu.Unlock()
		if len(obs)+len(runs) == 0 {
			return
		}
		err := w.transact(func(ctx context.Context, tx *sql.Tx) error {
			if err := writeObservations(ctx, tx.StmtContext(ctx, w.insert.observation), obs); err != nil {
				return err
			}
			return writeRuns(ctx, tx.StmtContext(ctx, w.insert.run), runs)
		}, false)
		if err != nil {
			return // the rows stay in their queues; the next flush tries again
		}
		w.mu.Lock()
		w.observations = rest(w.observations, len(obs))
		w.runs = rest(w.runs, len(runs))
		w.stats.WrittenObservations += int64(len(obs))
		w.stats.WrittenRuns += int64(len(runs))
		w.mu.Unlock()
		w.serve()
	}
}

// Flush writes what waits in the queues, so that queries see it.
func (s *Store) Flush(ctx context.Context) error {
	return s.writer.turn(ctx, s.writer.flushes)
}

// turn has the writer do one thing, and waits for it.
func (w *writer) turn(ctx context.Context, c chan chan struct{}) error {
	done := make(chan struct{})
	select {
	case c <- done:
		<-done
		return nil
	case <-w.stopped:
		return ErrClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func take(n, keep int) int {
	if n <= keep {
		return 0
	}
	return min(n, chunk)
}

// rest drops the first n elements; an empty queue gives its memory back.
func rest[T any](q []T, n int) []T {
	clear(q[:n])
	if n == len(q) {
		return nil
	}
	return q[n:]
}

// transact runs a change in a transaction. Durable ones end with an fsync,
// others are written to the operating system, which a crash of this process
// survives.
func (w *writer) transact(do change, durable bool) error {
	ctx := context.Background()
	err := func() error {
		mode := "normal"
		if durable {
			mode = "full"
		}
		if _, err := w.db.ExecContext(ctx, "pragma synchronous = "+mode); err != nil {
			return err
		}
		tx, err := w.db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		if err := do(ctx, tx); err != nil {
			return errors.Join(err, tx.Rollback())
		}
		return tx.Commit()
	}()
	err = explain(err)
	w.count(func(st *Stats) {
		if st.LastError = err; err != nil {
			st.Failures++
			return
		}
		st.Commits++
		if durable {
			st.DurableCommits++
		}
	})
	if err != nil {
		w.config.Logger.Error("writing to the database", "error", err)
	}
	return err
}

func (w *writer) count(f func(*Stats)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f(&w.stats)
}
