package experiment

import (
	"context"
	"slices"
	"time"

	"github.com/aquatope/aquatope/pool"
	"github.com/aquatope/aquatope/pool/baseline"
	"github.com/aquatope/aquatope/run"
	"github.com/aquatope/aquatope/sim/replay"
	"github.com/aquatope/aquatope/workflow"
)

// nearly is the share of a function's invocations that the start of a run must
// foretell for it to be left to that.
const nearly = 0.9

// reach collects when functions are reached after one way to start a run.
type reach struct {
	runs int
	lags map[int][]float64
}

// successorsOf says what follows the function that a run begins with, and which
// functions are hardly invoked otherwise, from all recorded runs.
func successorsOf(h *replay.History) (of map[int][]pool.Successor, followed func(function int) bool) {
	index := map[string]int{}
	for i, f := range h.Functions {
		index[f.Name] = i
	}
	by := map[int]*reach{}
	invoked, foretold := make([]int, len(h.Functions)), make([]int, len(h.Functions))
	for i := range h.Runs {
		r := &h.Runs[i]
		if len(r.Stages) == 0 {
			continue
		}
		begin := slices.MinFunc(r.Stages, func(a, b run.Stage) int { return a.Start.Compare(b.Start) })
		entry, ok := index[begin.Function]
		if !ok {
			continue
		}
		if by[entry] == nil {
			by[entry] = &reach{lags: map[int][]float64{}}
		}
		x := by[entry]
		x.runs++
		first := map[int]float64{}
		for j := range r.Stages {
			f, ok := index[r.Stages[j].Function]
			if !ok {
				continue
			}
			invoked[f]++
			lag := r.Stages[j].Start.Sub(begin.Start).Seconds()
			if was, ok := first[f]; !ok || lag < was {
				first[f] = lag
			}
		}
		for f, lag := range first {
			if f != entry && lag > 0 {
				foretold[f]++
				x.lags[f] = append(x.lags[f], lag)
			}
		}
	}
	of = map[int][]pool.Successor{}
	for entry, x := range by {
		for f := range h.Functions {
			if lags := x.lags[f]; len(lags) > 0 {
				slices.Sort(lags)
				of[entry] = append(of[entry], pool.Successor{
					Function: f, Lag: workflow.Lag{Stage: f, Seconds: lags, Reached: float64(len(lags)) / float64(x.runs)},
				})
			}
		}
	}
	return of, func(f int) bool { return float64(foretold[f]) >= nearly*float64(invoked[f]) }
}

// future tells an oracle what a record will need: it is lived through in a world
// where instances start at once and stay for ever.
func (c WhatIfConfig) future(ctx context.Context, r *Record) (baseline.Future, error) {
	p := &recordedPeaks{rows: map[time.Duration][]int32{}, none: make([]int32, len(r.Functions))}
	_, err := replay.Run(ctx, &r.History, replay.Config{
		Policy: p, Window: baseline.OracleStep, From: c.Since, Until: c.Until, Patience: patience, Price: c.Price, InstantStarts: true,
	})
	return p, err
}

// recordedPeaks is a policy that keeps everything and notes what is used.
type recordedPeaks struct {
	pool.Reactor
	rows map[time.Duration][]int32 // of steps in which anything was used
	none []int32
}

func (*recordedPeaks) Name() string { return "future" }

// Idle implements pool.Policy.
func (*recordedPeaks) Idle(pool.Event) (pool.Retention, bool) {
	return pool.Retention{KeepAlive: pool.Forever}, true
}

// Plan implements pool.Policy.
func (p *recordedPeaks) Plan(s *pool.Snapshot) pool.Plan {
	if !slices.ContainsFunc(s.States, func(x pool.State) bool { return x.Peak > 0 }) {
		return nil
	}
	row := make([]int32, len(s.States))
	for i := range s.States {
		row[i] = int32(s.States[i].Peak)
	}
	p.rows[s.Now-baseline.OracleStep] = row
	return nil
}

// Peaks implements baseline.Future.
func (p *recordedPeaks) Peaks(at time.Duration) []int32 {
	if row, ok := p.rows[at]; ok {
		return row
	}
	return p.none
}
