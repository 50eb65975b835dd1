package server

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/server/api"
)

// point measures one point of the grid. It returns the first invocation that
// fails, nil if none does.
func (p *profiler) point(ctx context.Context, f *profiled, r function.Resources, order []sample) (*function.Observation, error) {
	rev, err := p.deploy(ctx, f, r)
	if err != nil {
		return nil, err
	}
	defer p.retire(rev)
	// The first invocation starts the instance and is not counted.
	first, failed, err := p.series(ctx, f, rev, order[:1])
	if err != nil || failed != nil {
		return failed, err
	}
	f.note(first, nil, r)
	for part := range slices.Chunk(order, seriesLength) {
		list, failed, err := p.quietSeries(ctx, f, rev, r, part)
		if err != nil || failed != nil {
			return failed, err
		}
		f.note(list, part, r)
		p.job.update(func(s *api.Profiling) { s.Done += len(list) })
	}
	return nil, nil
}

// seriesLength is how many invocations are made again together when they were
// disturbed: enough to tell, and few enough to lose little.
const seriesLength = 10

// quietSeries is series, made again where other processes disturbed it; of series
// that were all disturbed the one that was least counts.
func (p *profiler) quietSeries(ctx context.Context, f *profiled, rev string, r function.Resources, order []sample) (best []function.Observation, failed *function.Observation, _ error) {
	least := math.Inf(1)
	for range quietAttempts {
		before := readCPU()
		list, failed, err := p.series(ctx, f, rev, order)
		if err != nil || failed != nil {
			return nil, failed, err
		}
		others, crowded := before.crowd(readCPU(), list)
		if !crowded {
			return list, nil, nil
		}
		if others < least {
			best, least = list, others
		}
		p.say(fmt.Sprintf("%s with %s, again: others use %.1f CPUs", f.function.Name, r, others))
	}
	return best, nil, nil
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

// series makes one invocation after the other, up to the first that fails, which it
// returns instead.
func (p *profiler) series(ctx context.Context, f *profiled, rev string, order []sample) (list []function.Observation, failed *function.Observation, _ error) {
	for _, s := range order {
		o, err := p.invoke(ctx, f, rev, s)
		if err != nil {
			return nil, nil, err
		}
		if o.Outcome != function.OutcomeOK {
			return nil, &o, nil
		}
		list = append(list, o)
	}
	return list, nil, nil
}

// chances is how often something is tried that fails, but for a kill at the limit.
const chances = 2

// withChances tries until nothing fails, an invocation was killed at its memory
// limit, or there are no chances left, and returns what failed last, nil if nothing
// did. A machine short of memory for a moment kills invocations that had enough,
// which must not raise a floor for good; one that used up its limit and was killed
// is likely to be killed now and then, which another try may not show.
func withChances(try func() (*function.Observation, error)) (*function.Observation, error) {
	for n := 1; ; n++ {
		failed, err := try()
		if err != nil || failed == nil || n == chances {
			return failed, err
		}
		if failed.Outcome == function.OutcomeOOM && (function.Kill{Peak: failed.PeakMem, Limit: failed.Resources.Memory}).AtLimit() {
			return failed, nil
		}
	}
}
