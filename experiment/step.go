package experiment

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/aquatope/aquatope/control"
	"github.com/aquatope/aquatope/forecast"
	"github.com/aquatope/aquatope/forecast/prior"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform"
	"github.com/aquatope/aquatope/trace"
)

// StepConfig says what to measure of the live controller.
type StepConfig struct {
	Functions []int // numbers of functions
	Steps     int   // to measure for each
	Seed      uint64
	// Progress, unless nil, is told what is done.
	Progress func(note string)
}

// StepReport is what one decision of the pool scheduler for all functions takes,
// on one processor.
type StepReport struct {
	Seed    uint64       `json:"seed"`
	Results []StepResult `json:"results"`
	Notes   []string     `json:"notes"`
}

// StepResult is what it takes for that many functions.
type StepResult struct {
	Functions int `json:"functions"`
	Steps     int `json:"steps"`
	// First is the step after the start of a server, which takes up all histories;
	// Median and Longest are of the others. All are processor time: what a step
	// takes on a processor of its own.
	First   time.Duration `json:"firstNanos"`
	Median  time.Duration `json:"medianNanos"`
	Longest time.Duration `json:"longestNanos"`
	// Wall is the median of what a clock shows, which is more where other
	// programs share the processor.
	Wall time.Duration `json:"wallMedianNanos"`
	// Called is the mean number of functions called between two steps.
	Called float64 `json:"called"`
}

// stepHistory is how many minutes of arrivals every function has before.
const stepHistory = 12 * 60

// ControlSteps measures the step that the server takes every window (look,
// forecast, decide, apply, journal) with a platform and a journal that take no
// time. It keeps the program on one processor meanwhile.
func ControlSteps(ctx context.Context, c StepConfig) (*StepReport, error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	out := &StepReport{Seed: c.Seed, Notes: []string{fmt.Sprintf(
		"Synthetic functions, each with a past of %d minutes; the platform and the journal answer at once. One processor.", stepHistory)}}
	for _, n := range c.Functions {
		if c.Progress != nil {
			c.Progress(fmt.Sprintf("%d functions", n))
		}
		r, err := c.measure(ctx, n)
		if err != nil {
			return nil, fmt.Errorf("measuring steps for %d functions: %w", n, err)
		}
		out.Results = append(out.Results, *r)
	}
	return out, nil
}

// measure takes one number of functions.
func (c StepConfig) measure(ctx context.Context, n int) (*StepResult, error) {
	model, err := prior.Load()
	if err != nil {
		return nil, err
	}
	s, err := trace.Generator{Functions: n, Days: 1}.Stream(c.Seed)
	if err != nil {
		return nil, err
	}
	s.Load(trace.Span{To: stepHistory + c.Steps + 2})
	w := newStillWorld(s.Trace)
	begin := control.WindowAt(time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC), time.Minute)
	meter := control.NewMeter()
	p := control.NewPool(control.PoolConfig{
		Mode: control.ModeApply, Window: time.Minute, World: w, Meter: meter, Journal: deaf{}, Model: model,
		Functions: func() []function.Revision { return w.revisions },
		History: func(_ context.Context, name string, before int64) (*forecast.History, error) {
			return w.history(name, begin, before)
		},
	}, control.WindowBegin(begin+stepHistory, time.Minute))
	out := &StepResult{Functions: n, Steps: c.Steps}
	var took, wall []time.Duration
	now := control.WindowBegin(begin+stepHistory, time.Minute).Add(30 * time.Second)
	for k := range c.Steps + 1 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		out.Called += float64(w.call(meter, stepHistory+k, now)) / float64(c.Steps+1)
		start, used := time.Now(), processorTime()
		if err := p.Step(ctx, now); err != nil {
			return nil, err
		}
		took, wall = append(took, processorTime()-used), append(wall, time.Since(start))
		now = p.Due()
	}
	out.First = took[0]
	slices.Sort(took[1:])
	slices.Sort(wall[1:])
	out.Wall = wall[1+(len(wall)-1)/2]
	out.Median, out.Longest = took[1+(len(took)-1)/2], took[len(took)-1]
	return out, nil
}

// stillWorld is a platform on which nothing takes time.
type stillWorld struct {
	trace     *trace.Trace
	revisions []function.Revision
	index     map[string]int
	scales    map[string]platform.Scale
}

func newStillWorld(t *trace.Trace) *stillWorld {
	w := &stillWorld{trace: t, index: map[string]int{}, scales: map[string]platform.Scale{}}
	for i := range t.Functions {
		name := fmt.Sprintf("f%06d", i)
		f := function.Function{Name: name, Concurrency: 1}
		r := function.Resources{CPU: 100, Memory: 128 * function.MiB}
		w.index[name] = i
		w.revisions = append(w.revisions, function.NewRevision(f, r))
	}
	return w
}

// Snapshot implements control.World: one instance of everything.
func (w *stillWorld) Snapshot(context.Context) (platform.Snapshot, error) {
	s := platform.Snapshot{Capacity: function.Resources{
		CPU: 1000 * function.MilliCPU(len(w.revisions)), Memory: function.Bytes(len(w.revisions)) * function.GiB,
	}}
	for i := range w.revisions {
		r := &w.revisions[i]
		s.Revisions = append(s.Revisions, platform.RevisionState{Revision: r.Name, Function: r.Function.Name, Resources: r.Resources, Scale: w.scales[r.Name], Idle: 1})
	}
	return s, nil
}

// Scale implements control.World.
func (w *stillWorld) Scale(_ context.Context, revision string, s platform.Scale) error {
	w.scales[revision] = s
	return nil
}

// history is what is known of a function before a window.
func (w *stillWorld) history(name string, begin, before int64) (*forecast.History, error) {
	h := forecast.NewHistory(name, "", begin)
	f := &w.trace.Functions[w.index[name]]
	for m, n := range f.Counts.In(trace.Span{To: int(before - begin)}) {
		if err := h.Observe(begin+int64(m), float64(n)); err != nil {
			return nil, err
		}
	}
	h.Advance(before)
	return h, nil
}

// call makes the invocations of a minute of the trace and returns how many
// functions had any.
func (w *stillWorld) call(m *control.Meter, minute int, now time.Time) int {
	called := 0
	for i := range w.revisions {
		n := w.trace.Functions[i].Counts.At(minute)
		call := control.Call{Function: w.revisions[i].Function.Name}
		for range min(n, 1000) {
			m.Begin(call, now)
			m.End(call, now)
		}
		if n > 0 {
			called++
		}
	}
	return called
}

// deaf is a journal that keeps nothing.
type deaf struct{}

// Decide implements control.Journal.
func (deaf) Decide(context.Context, ...control.Decision) error { return nil }
