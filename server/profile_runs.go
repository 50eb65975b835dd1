package server

import (
	"context"
	"fmt"

	"github.com/aquatope/aquatope/control"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/server/api"
)

// replayable reports whether every function still answers to the inputs that its
// stages got. One that reads files of the run, which the run removed, does not.
func (p *profiler) replayable(ctx context.Context, functions []*profiled) (bool, error) {
	for _, f := range functions {
		failed, err := p.fails(ctx, f, f.space.Largest())
		if err != nil || failed != nil {
			return false, err
		}
	}
	return true, nil
}

// runWith runs the workflow once with every function at the given resources.
func (p *profiler) runWith(ctx context.Context, resources map[string]function.Resources, input int) (control.Measurement, error) {
	p.serial++
	p.runner.starts = nil
	return p.runner.Run(ctx, control.Trial{ID: fmt.Sprintf("%s-%d", p.id, p.serial), Resources: resources, Input: input})
}

// failsRuns runs the workflow with every input when one function has r and all others
// the most, and returns the invocation with which a run fails, nil if all complete.
func (p *profiler) failsRuns(ctx context.Context, functions []*profiled, f *profiled, r function.Resources) (*function.Observation, error) {
	resources := map[string]function.Resources{}
	for _, g := range functions {
		resources[g.function.Name] = g.space.Largest()
	}
	resources[f.function.Name] = r
	for i := range p.plan.config.Inputs {
		m, err := p.runWith(ctx, resources, i)
		if err != nil {
			return nil, err
		}
		if m.Failed {
			return failure(&m), nil
		}
	}
	return nil, nil
}

// failure returns the invocation that a failed run failed with: one that was killed
// or timed out if there is such a one.
func failure(m *control.Measurement) *function.Observation {
	for i := range m.Invocations {
		switch o := &m.Invocations[i]; o.Outcome {
		case function.OutcomeOOM, function.OutcomeTimeout:
			return o
		}
	}
	return &function.Observation{Outcome: function.OutcomeError, Message: m.Message}
}

// passRuns measures every point of the grids with runs of the workflow: all
// functions are at the same place of their grids at a time.
func (p *profiler) passRuns(ctx context.Context, functions []*profiled, first, n int) error {
	columns, rows := 0, 0
	for _, f := range functions {
		columns, rows = max(columns, len(f.cpus)), max(rows, len(f.memories))
	}
	for i := range columns {
		for j := range rows {
			for k := first; k < first+n; k++ {
				p.say(fmt.Sprintf("runs at point %d of %d", i*rows+j+1, columns*rows))
				if err := p.pointRuns(ctx, functions, i, j, p.inputAt(k)); err != nil {
					return err
				}
				p.job.update(func(s *api.Profiling) { s.Done++ })
			}
		}
	}
	return nil
}

// pointRuns makes one run at a point of the grids. A function that times out or is
// killed there in every one of its chances loses that CPU or memory, and the run is
// made again.
func (p *profiler) pointRuns(ctx context.Context, functions []*profiled, i, j, input int) error {
	for {
		at := map[string]function.Resources{}
		byName := map[string]*profiled{}
		for _, f := range functions {
			byName[f.function.Name] = f
			at[f.function.Name] = function.Resources{
				CPU:    function.MilliCPU(f.cpus[min(i, len(f.cpus)-1)]),
				Memory: function.Bytes(f.memories[min(j, len(f.memories)-1)]),
			}
		}
		var m control.Measurement
		failed, err := withChances(func() (*function.Observation, error) {
			var err error
			if m, err = p.runWith(ctx, at, input); err != nil || !m.Failed {
				return nil, err
			}
			return failure(&m), nil
		})
		if err != nil {
			return err
		}
		if failed == nil {
			for _, o := range p.runner.starts {
				if f, r := byName[o.Function], at[o.Function]; o.Cold {
					f.cold[r] = append(f.cold[r], o.ColdStart.Seconds()*1000)
				}
			}
			for _, o := range m.Invocations {
				f, r := byName[o.Function], at[o.Function]
				f.cells[r] = append(f.cells[r], timing{o.Execution.Seconds() * 1000, input})
				if o.PeakMem > 0 && int64(r.Memory) == f.memories[len(f.memories)-1] {
					f.peaks = append(f.peaks, o.PeakMem)
				}
			}
			return nil
		}
		if failed.Function == "" {
			return fmt.Errorf("a run failed: %s", m.Message)
		}
		if err := byName[failed.Function].narrow(at[failed.Function], failed); err != nil {
			return err
		}
	}
}

// inputAt returns the input of the k-th run: each time the one furthest behind its
// share.
func (p *profiler) inputAt(k int) int {
	f := profiled{}
	for i, in := range p.plan.config.Inputs {
		f.samples = append(f.samples, sample{weight: in.Weight, input: i})
	}
	return f.order(k, 1)[0].input
}
