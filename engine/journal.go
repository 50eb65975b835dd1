package engine

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/aquatope/aquatope/run"
)

// journal is one asynchronous run's view of the log: what was recorded before
// a restart, and where new events go. A nil journal records nothing, which is
// what synchronous runs use.
type journal struct {
	log  Log
	run  string
	past map[place]*record // read only once the run is under way

	mu  sync.Mutex
	seq int64
}

// place identifies a task as it was reached in a run.
type place struct{ task, at string }

// record is what the log says of one place.
type record struct {
	started *run.Event
	outcome *run.Event // TaskCompleted of a stage
	failed  *run.Event
	settled *run.Event
	wait    *run.Event
	retry   *run.Event // the latest
}

// newJournal reads the events of a run that is taken up again.
func newJournal(log Log, id string, events []run.Event) *journal {
	j := &journal{log: log, run: id, past: make(map[place]*record)}
	for i := range events {
		ev := &events[i]
		j.seq = max(j.seq, ev.Seq)
		if ev.Task == "" && ev.At == "" {
			continue
		}
		k := place{ev.Task, ev.At}
		r := j.past[k]
		if r == nil {
			r = &record{}
			j.past[k] = r
		}
		switch ev.Kind {
		case run.TaskStarted:
			if r.started == nil {
				r.started = ev
			}
		case run.TaskCompleted:
			r.outcome = ev
		case run.TaskFailed:
			r.failed = ev
		case run.TaskSettled:
			r.settled = ev
		case run.WaitStarted:
			r.wait = ev
		case run.RetryScheduled:
			r.retry = ev
		}
	}
	return j
}

// none is the record of a place that was not reached before.
var none = &record{}

func (j *journal) recall(f frame, t *task) *record {
	if j == nil {
		return none
	}
	if r := j.past[place{t.path, f.at}]; r != nil {
		return r
	}
	return none
}

// stamp completes events with what all have.
func (j *journal) stamp(events []run.Event) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for i := range events {
		j.seq++
		events[i].Run, events[i].Seq = j.run, j.seq
		if events[i].Time.IsZero() {
			events[i].Time = wallClock()
		}
	}
}

// append makes events durable. The run's own context does not bound it: what
// happened happened, whether or not the run is still wanted.
func (j *journal) append(events ...run.Event) error {
	j.stamp(events)
	if err := j.log.Append(context.Background(), events...); err != nil {
		return &logError{fmt.Errorf("recording an event of run %s: %w", j.run, err)}
	}
	return nil
}

func (j *journal) note(events ...run.Event) {
	j.stamp(events)
	j.log.Note(events...)
}

// start returns when a task with a timeout first began.
func (j *journal) start(f frame, t *task, timeout time.Duration) (time.Time, error) {
	now := wallClock()
	if j == nil {
		return now, nil
	}
	if r := j.recall(f, t); r.started != nil && !r.started.Until.IsZero() {
		return r.started.Until.Add(-timeout), nil
	}
	return now, j.append(run.Event{
		Time: now, Kind: run.TaskStarted, Task: t.path, At: f.at, Until: now.Add(timeout),
	})
}

// failed returns the problem that a task is known to have failed with.
func (j *journal) failed(f frame, t *task) *run.Problem {
	r := j.recall(f, t)
	if r.failed == nil {
		return nil
	}
	f.branch.tick(r.failed.Time)
	return r.failed.Problem
}

// fail records that a task failed, and returns the problem as an error.
func (j *journal) fail(f frame, t *task, p *run.Problem) error {
	ev := run.Event{Time: wallClock(), Kind: run.TaskFailed, Task: t.path, At: f.at, Problem: p}
	if j != nil {
		if err := j.append(ev); err != nil {
			return err
		}
	}
	f.branch.tick(ev.Time)
	return p
}

// logError is a failure of the log. The run stops where it is and is taken up
// again at the next start.
type logError struct{ error }

func (e *logError) Unwrap() error { return e.error }

// wallClock is the time that events carry: without the monotonic reading, so
// that a value is the same before and after a restart.
func wallClock() time.Time { return time.Now().Round(0) }
