package store

import (
	"context"
	"database/sql"
	"iter"
	"time"

	"github.com/aquatope/aquatope/function"
)

const observationColumns = `time, function, revision, instance, run, workflow, stage, trial, attempt,
	cpu, memory, queue, cold, cold_start, execution, cpu_time, peak_memory,
	input_bytes, output_bytes, outcome, status, message`

const insertObservation = "insert into observations (" + observationColumns + `)
	values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

// Observe queues an observation. It never blocks; when the queue is full the
// observation is dropped and counted.
func (s *Store) Observe(o function.Observation) {
	enqueue(s.writer, &s.writer.observations, o, &s.writer.stats.DroppedObservations)
}

func writeObservations(ctx context.Context, insert *sql.Stmt, obs []function.Observation) error {
	for i := range obs {
		o := &obs[i]
		_, err := insert.ExecContext(ctx,
			o.Time.UnixNano(), o.Function, o.Revision, o.Instance, o.RunID, o.Workflow, o.Stage, o.Trial, o.Attempt,
			int64(o.Resources.CPU), int64(o.Resources.Memory), int64(o.Queue), o.Cold, int64(o.ColdStart),
			int64(o.Execution), int64(o.CPUTime), int64(o.PeakMem),
			o.InputBytes, o.OutputBytes, string(o.Outcome), o.Status, o.Message)
		if err != nil {
			return err
		}
	}
	return nil
}

// page is how many rows a streaming query reads at a time, so that a slow
// reader holds no snapshot open.
const page = 1000

// Observations yields the observations of a function from since on (inclusive)
// to until (exclusive; zero means all), in order of arrival.
func (s *Store) Observations(ctx context.Context, fn string, since, until time.Time) iter.Seq2[function.Observation, error] {
	return func(yield func(function.Observation, error) bool) {
		from, to, after := nanos(since, minTime), nanos(until, maxTime), int64(0)
		for {
			n := 0
			rows, err := s.read.QueryContext(ctx, `select id, `+observationColumns+` from observations
				where function = ? and (time, id) > (?, ?) and time < ?
				order by time, id limit ?`, fn, from, after, to, page)
			if err != nil {
				yield(function.Observation{}, explain(err))
				return
			}
			batch := make([]function.Observation, 0, page)
			for rows.Next() {
				var o function.Observation
				if err = scanObservation(rows, &after, &from, &o); err != nil {
					break
				}
				batch = append(batch, o)
				n++
			}
			if err == nil {
				err = rows.Err()
			}
			_ = rows.Close()
			for _, o := range batch {
				if !yield(o, nil) {
					return
				}
			}
			if err != nil {
				yield(function.Observation{}, explain(err))
				return
			}
			if n < page {
				return
			}
		}
	}
}

func scanObservation(rows *sql.Rows, id, nanos *int64, o *function.Observation) error {
	err := rows.Scan(id, nanos, &o.Function, &o.Revision, &o.Instance, &o.RunID, &o.Workflow, &o.Stage, &o.Trial, &o.Attempt,
		&o.Resources.CPU, &o.Resources.Memory, &o.Queue, &o.Cold, &o.ColdStart, &o.Execution, &o.CPUTime, &o.PeakMem,
		&o.InputBytes, &o.OutputBytes, &o.Outcome, &o.Status, &o.Message)
	o.Time = time.Unix(0, *nanos)
	return err
}

// The range of times that nanoseconds can say.
const (
	minTime = -1 << 63
	maxTime = 1<<63 - 1
)

// nanos is the database's form of a time; a zero time is the given bound.
func nanos(t time.Time, zero int64) int64 {
	if t.IsZero() {
		return zero
	}
	return t.UnixNano()
}
