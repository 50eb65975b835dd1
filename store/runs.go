package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aquatope/aquatope/run"
)

const runColumns = `id, workflow, version, function, trial, async, status, start, end, latency,
	qos_latency, qos_percentile, violated, cold_starts, problem, trace_id, input_bytes, output_bytes, resumes, stages, key`

const insertRun = "insert into runs (" + runColumns + `)
	values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

// ErrNotFound is returned for a run, a decision or a trial that is not there.
var ErrNotFound = errors.New("not found")

// Record queues the summary of a run that ended. Runs with a log have theirs
// written with their last event, so Record ignores them. It never blocks; when
// the queue is full the summary is dropped and counted.
func (s *Store) Record(r run.Run) {
	if r.Async {
		return
	}
	enqueue(s.writer, &s.writer.runs, r, &s.writer.stats.DroppedRuns)
}

func writeRuns(ctx context.Context, insert *sql.Stmt, runs []run.Run) error {
	for i := range runs {
		args, err := runValues(&runs[i], "")
		if err != nil {
			return err
		}
		if _, err := insert.ExecContext(ctx, args...); err != nil {
			return err
		}
	}
	return nil
}

func writeRun(ctx context.Context, tx *sql.Tx, r *run.Run, key string) error {
	args, err := runValues(r, key)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, insertRun, args...)
	return err
}

func runValues(r *run.Run, key string) ([]any, error) {
	problem, stages, err := documents(r)
	if err != nil {
		return nil, err
	}
	var end, latency any
	if !r.End.IsZero() {
		end, latency = r.End.UnixNano(), int64(r.Latency())
	}
	return []any{
		r.ID, r.Workflow, r.Version, r.Function, r.Trial, r.Async, string(r.Status), r.Start.UnixNano(), end, latency,
		int64(r.QoS.Latency), r.QoS.Percentile, r.Violated, r.ColdStarts(), problem, r.TraceID,
		r.InputBytes, r.OutputBytes, r.Resumes, stages,
		sql.NullString{String: key, Valid: key != ""},
	}, nil
}

// documents are the parts of a run that are kept as JSON, nil where absent.
func documents(r *run.Run) (problem, stages any, err error) {
	if r.Problem != nil {
		b, err := json.Marshal(r.Problem)
		if err != nil {
			return nil, nil, fmt.Errorf("encoding the problem of run %s: %w", r.ID, err)
		}
		problem = string(b)
	}
	if len(r.Stages) > 0 {
		b, err := json.Marshal(r.Stages)
		if err != nil {
			return nil, nil, fmt.Errorf("encoding the stages of run %s: %w", r.ID, err)
		}
		stages = string(b)
	}
	return problem, stages, nil
}

func endRun(ctx context.Context, tx *sql.Tx, r *run.Run) error {
	problem, stages, err := documents(r)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `update runs set status = ?, end = ?, latency = ?, violated = ?, cold_starts = ?,
		problem = ?, trace_id = ?, output_bytes = ?, resumes = ?, stages = ? where id = ?`,
		string(r.Status), r.End.UnixNano(), int64(r.Latency()), r.Violated, r.ColdStarts(),
		problem, r.TraceID, r.OutputBytes, r.Resumes, stages, r.ID)
	return err
}

// RunFilter selects runs. Zero fields select all.
type RunFilter struct {
	Workflow string
	Function string // of runs that called a single function
	Status   run.Status
	Trial    string
	NoTrials bool      // only those that tried nothing
	Violated bool      // only those that violated their promise
	Since    time.Time // that began at or after
	Until    time.Time // that began before
	// EndedAfter and EndedBy bound when runs ended: after the one, at or before the other.
	EndedAfter, EndedBy time.Time
	// Before is a cursor: only runs older than the one with this id.
	Before string
	Limit  int  // 0 is 100
	Stages bool // read the stages of the runs too
}

// Runs returns runs, newest first, without their stages unless asked for. Next is the cursor of
// the next page, "" on the last.
func (s *Store) Runs(ctx context.Context, f RunFilter) (runs []run.Run, next string, err error) {
	if f.Limit <= 0 {
		f.Limit = 100
	}
	where, args := f.where()
	rows, err := s.read.QueryContext(ctx, "select "+runColumns+" from runs where "+where+" order by id desc limit ?",
		append(args, f.Limit+1)...)
	if err != nil {
		return nil, "", explain(err)
	}
	defer rows.Close()
	for rows.Next() {
		r, err := scanRun(rows, f.Stages)
		if err != nil {
			return nil, "", err
		}
		runs = append(runs, r)
	}
	if len(runs) > f.Limit {
		runs = runs[:f.Limit]
		next = runs[f.Limit-1].ID
	}
	return runs, next, explain(rows.Err())
}

// where is the condition of a filter. Ids bound the time too, because they are
// indexed and sort by it.
func (f *RunFilter) where() (string, []any) {
	var (
		conds []string
		args  []any
	)
	add := func(cond string, v any) {
		conds = append(conds, cond)
		args = append(args, v)
	}
	switch {
	case f.Workflow != "":
		add("workflow = ?", f.Workflow)
	case f.Function != "":
		add("workflow = '' and function = ?", f.Function)
	}
	if f.Status != "" {
		add("status = ?", string(f.Status))
	}
	if f.Trial != "" {
		add("trial = ?", f.Trial)
	}
	if f.NoTrials {
		conds = append(conds, "trial = ''")
	}
	if f.Violated {
		conds = append(conds, "violated")
	}
	if !f.Since.IsZero() {
		add("id >= ?", run.MinID(f.Since))
		add("start >= ?", f.Since.UnixNano())
	}
	if !f.Until.IsZero() {
		add("id < ?", run.MinID(f.Until.Add(time.Millisecond)))
		add("start < ?", f.Until.UnixNano())
	}
	if !f.EndedAfter.IsZero() {
		add("end > ?", f.EndedAfter.UnixNano())
	}
	if !f.EndedBy.IsZero() {
		add("end <= ?", f.EndedBy.UnixNano())
	}
	if f.Before != "" {
		add("id < ?", f.Before)
	}
	if len(conds) == 0 {
		return "true", nil
	}
	return strings.Join(conds, " and "), args
}

// Run returns one run with its stages, or ErrNotFound. The stages of a run
// under way are those that its log holds.
func (s *Store) Run(ctx context.Context, id string) (run.Run, error) {
	r, err := s.run(ctx, id)
	if err != nil || r.Status != run.StatusRunning {
		return r, err
	}
	events, err := s.Events(ctx, id)
	for _, ev := range events {
		if ev.Stage != nil {
			r.Stages = append(r.Stages, *ev.Stage)
		}
	}
	return r, err
}

func (s *Store) run(ctx context.Context, id string) (run.Run, error) {
	rows, err := s.read.QueryContext(ctx, "select "+runColumns+" from runs where id = ?", id)
	if err != nil {
		return run.Run{}, explain(err)
	}
	defer rows.Close()
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return run.Run{}, explain(err)
		}
		return run.Run{}, fmt.Errorf("run %q: %w", id, ErrNotFound)
	}
	return scanRun(rows, true)
}

func scanRun(rows *sql.Rows, withStages bool) (run.Run, error) {
	var (
		r               run.Run
		start           int64
		end, latency    sql.NullInt64
		cold            int
		problem, stages sql.RawBytes
		key             sql.NullString
	)
	err := rows.Scan(&r.ID, &r.Workflow, &r.Version, &r.Function, &r.Trial, &r.Async, &r.Status, &start, &end, &latency,
		&r.QoS.Latency, &r.QoS.Percentile, &r.Violated, &cold, &problem, &r.TraceID,
		&r.InputBytes, &r.OutputBytes, &r.Resumes, &stages, &key)
	if err != nil {
		return r, explain(err)
	}
	r.Start = time.Unix(0, start)
	if end.Valid {
		r.End = time.Unix(0, end.Int64)
	}
	if len(problem) > 0 {
		if err := json.Unmarshal(problem, &r.Problem); err != nil {
			return r, fmt.Errorf("decoding the problem of run %s: %w", r.ID, err)
		}
	}
	if withStages && len(stages) > 0 {
		if err := json.Unmarshal(stages, &r.Stages); err != nil {
			return r, fmt.Errorf("decoding the stages of run %s: %w", r.ID, err)
		}
	}
	return r, nil
}
