package server

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/server/api"
)

// point measures one point of the grid. It returns the outcome of the first
// invocation that fails, or ok.
func (p *profiler) point(ctx context.Context, f *profiled, r function.Resources, order []sample) (function.Outcome, error) {
	rev, err := p.deploy(ctx, f, r)
	if err != nil {
		return "", err
	}
	defer p.retire(rev)
	// The first invocation starts the instance and is not counted.
	first, outcome, err := p.series(ctx, f, rev, order[:1])
	if err != nil || outcome != function.OutcomeOK {
		return outcome, err
	}
	f.note(first, nil, r)
	for part := range slices.Chunk(order, seriesLength) {
		list, outcome, err := p.quietSeries(ctx, f, rev, r, part)
		if err != nil || outcome != function.OutcomeOK {
			return outcome, err
		}
		f.note(list, part, r)
		p.job.update(func(s *api.Profiling) { s.Done += len(list) })
	}
	return function.OutcomeOK, nil
}

// seriesLength is how many invocations are made again together when they were
// disturbed: enough to tell, and few enough to lose little.
const seriesLength = 10

// quietSeries is series, made again where other processes disturbed it; of series
// that were all disturbed the one that was least counts.
func (p *profiler) quietSeries(ctx context.Context, f *profiled, rev string, r function.Resources, order []sample) (best []function.Observation, _ function.Outcome, _ error) {
	least := math.Inf(1)
	for range quietAttempts {
		before := readCPU()
		list, outcome, err := p.series(ctx, f, rev, order)
		if err != nil || outcome != function.OutcomeOK {
			return nil, outcome, err
		}
		others, crowded := before.crowd(readCPU(), list)
		if !crowded {
			return list, outcome, nil
		}
		if others < least {
			best, least = list, others
		}
		p.say(fmt.Sprintf("%s with %s, again: others use %.1f CPUs", f.function.Name, r, others))
	}
	return best, function.OutcomeOK, nil
}

// note keeps what invocations at a point of the grid showed; those without an input
// only started an instance.
func (f *profiled) note(list []function.Observation, order []sample, r function.Resources) {
	for k, o := range list {
		if o.Cold {
			f.cold[r] = append(f.cold[r], o.ColdStart.Seconds()*1000)
		}
		if k >= len(order) {
			continue
		}
		f.cells[r] = append(f.cells[r], timing{o.Execution.Seconds() * 1000, order[k].input})
		if int64(r.Memory) == f.memories[len(f.memories)-1] && o.PeakMem > 0 {
			f.peaks = append(f.peaks, o.PeakMem)
		}
	}
}

// series makes one invocation after the other, up to the first that fails, whose
// outcome it returns.
func (p *profiler) series(ctx context.Context, f *profiled, rev string, order []sample) ([]function.Observation, function.Outcome, error) {
	var list []function.Observation
	for _, s := range order {
		o, err := p.invoke(ctx, f, rev, s)
		if err != nil || o.Outcome != function.OutcomeOK {
			return nil, o.Outcome, err
		}
		list = append(list, o)
	}
	return list, function.OutcomeOK, nil
}
