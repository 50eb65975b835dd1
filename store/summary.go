package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/aquatope/aquatope/run"
	"github.com/aquatope/aquatope/stats"
	"github.com/aquatope/aquatope/workflow"
)

// Summary is what happened to the runs of one workflow, or of one function that
// was called on its own, in a range of time.
type Summary struct {
	Workflow   string       `json:"workflow,omitempty"`
	Function   string       `json:"function,omitempty"`
	QoS        workflow.QoS `json:"qos,omitzero"` // of the latest run
	Runs       int          `json:"runs"`         // that ended
	Running    int          `json:"running"`
	Completed  int          `json:"completed"`
	Faulted    int          `json:"faulted"`
	Cancelled  int          `json:"cancelled"`
	Violations int          `json:"violations"`
	ColdStarts int          `json:"coldStarts"` // stages that waited for a start
	// Latency is of completed runs.
	Latency Spread         `json:"latency"`
	Stages  []StageSummary `json:"stages,omitempty"`
}

// StageSummary is what happened in one stage, over all its invocations.
type StageSummary struct {
	Path        string `json:"path"`
	Name        string `json:"name,omitempty"`
	Function    string `json:"function,omitempty"`
	Invocations int    `json:"invocations"`
	Failures    int    `json:"failures"` // outcomes other than ok
	ColdStarts  int    `json:"coldStarts"`
	Duration    Spread `json:"duration"` // as the engine saw it
	Queue       Spread `json:"queue"`
	ColdStart   Spread `json:"coldStart"` // of the invocations that waited for one
	Execution   Spread `json:"execution"`
}

// Spread describes a sample of durations; all zero for an empty one.
type Spread struct {
	Mean time.Duration `json:"meanNanos"`
	P50  time.Duration `json:"p50Nanos"`
	P95  time.Duration `json:"p95Nanos"`
	P99  time.Duration `json:"p99Nanos"`
	Max  time.Duration `json:"maxNanos"`
}

// sample collects durations in nanoseconds.
type sample []float64

func (s *sample) add(d time.Duration) { *s = append(*s, float64(d)) }

func (s sample) spread() Spread {
	if len(s) == 0 {
		return Spread{}
	}
	slices.Sort(s)
	sum := 0.0
	for _, v := range s {
		sum += v
	}
	q := func(p float64) time.Duration { return time.Duration(stats.Quantile(p, s)) }
	return Spread{time.Duration(sum / float64(len(s))), q(0.5), q(0.95), q(0.99), time.Duration(s[len(s)-1])}
}

// collector gathers one Summary.
type collector struct {
	Summary
	latency sample
	stages  map[string]*stageCollector
}

type stageCollector struct {
	StageSummary
	duration, queue, coldStart, execution sample
}

// Summaries returns what happened to the runs that the filter selects (its
// cursor and limit do not count), by workflow, then by function. Stages are
// broken down if asked for, which reads much more.
func (s *Store) Summaries(ctx context.Context, f RunFilter, stages bool) ([]Summary, error) {
	f.Before = ""
	where, args := f.where()
	column := "null"
	if stages {
		column = "stages"
	}
	rows, err := s.read.QueryContext(ctx, `select workflow, function, status, latency, violated, cold_starts,
		qos_latency, qos_percentile, `+column+` from runs where `+where+` order by id`, args...)
	if err != nil {
		return nil, explain(err)
	}
	defer rows.Close()
	all := make(map[[2]string]*collector)
	for rows.Next() {
		var (
			r    run.Run
			took *int64
			cold int
			doc  []byte
		)
		if err := rows.Scan(&r.Workflow, &r.Function, &r.Status, &took, &r.Violated, &cold, &r.QoS.Latency, &r.QoS.Percentile, &doc); err != nil {
			return nil, explain(err)
		}
		k := [2]string{r.Workflow, r.Function}
		c := all[k]
		if c == nil {
			c = &collector{Summary: Summary{Workflow: r.Workflow, Function: r.Function}, stages: make(map[string]*stageCollector)}
			all[k] = c
		}
		if len(doc) > 0 {
			if err := json.Unmarshal(doc, &r.Stages); err != nil {
				return nil, fmt.Errorf("decoding the stages of a run: %w", err)
			}
		}
		c.add(&r, took, cold)
	}
	if err := rows.Err(); err != nil {
		return nil, explain(err)
	}
	out := make([]Summary, 0, len(all))
	for _, c := range all {
		out = append(out, c.finish())
	}
	slices.SortFunc(out, func(a, b Summary) int {
		return cmp.Or(cmp.Compare(a.Workflow, b.Workflow), cmp.Compare(a.Function, b.Function))
	})
	return out, nil
}

func (c *collector) add(r *run.Run, took *int64, cold int) {
	c.QoS = r.QoS
	if r.Status == run.StatusRunning {
		c.Running++
		return
	}
	c.Runs++
	c.ColdStarts += cold
	if r.Violated {
		c.Violations++
	}
	switch r.Status {
	case run.StatusCompleted:
		c.Completed++
		if took != nil {
			c.latency.add(time.Duration(*took))
		}
	case run.StatusFaulted:
		c.Faulted++
	default:
		c.Cancelled++
	}
	for i := range r.Stages {
		c.stage(&r.Stages[i])
	}
}

func (c *collector) stage(st *run.Stage) {
	s := c.stages[st.Path]
	if s == nil {
		s = &stageCollector{StageSummary: StageSummary{Path: st.Path, Name: st.Name, Function: st.Function}}
		c.stages[st.Path] = s
	}
	s.Invocations++
	if st.Outcome != "ok" {
		s.Failures++
	}
	s.duration.add(st.Duration)
	s.queue.add(st.Queue)
	s.execution.add(st.Execution)
	if st.Cold {
		s.ColdStarts++
		s.coldStart.add(st.ColdStart)
	}
}

func (c *collector) finish() Summary {
	c.Latency = c.latency.spread()
	for _, s := range c.stages {
		s.Duration, s.Queue = s.duration.spread(), s.queue.spread()
		s.ColdStart, s.Execution = s.coldStart.spread(), s.execution.spread()
		c.Stages = append(c.Stages, s.StageSummary)
	}
	slices.SortFunc(c.Stages, func(a, b StageSummary) int { return cmp.Compare(a.Path, b.Path) })
	return c.Summary
}
