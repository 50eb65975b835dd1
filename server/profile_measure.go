package server

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"time"

	"github.com/aquatope/aquatope/control"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform"
	"github.com/aquatope/aquatope/profile"
	"github.com/aquatope/aquatope/server/api"
	"github.com/aquatope/aquatope/stats"
)

// profiler measures the functions of one workflow.
type profiler struct {
	s      *Server
	plan   *tuningPlan
	runner *trialRunner
	req    api.ProfileRequest
	job    *job[api.Profiling]
	id     string
	began  time.Time
	inRuns bool // functions are measured in runs of the workflow, not alone
	serial int  // of runs
}

// sample is an input that a function got in a run of the workflow.
type sample struct {
	body   []byte
	header http.Header
	weight float64
	cpu    time.Duration // that an invocation with ample resources used
	took   time.Duration
	input  int // of the workflow
}

// maxSamples bounds the inputs of one function that are kept of one run.
const maxSamples = 6

// profiled collects what is measured of one function.
type profiled struct {
	function function.Function
	space    function.Space
	samples  []sample
	cpus     []int64
	memories []int64
	cells    map[function.Resources][]timing
	peaks    []function.Bytes
	cold     map[function.Resources][]float64 // milliseconds
	floor    int64
}

// timing is one invocation that was measured.
type timing struct {
	millis float64
	input  int // of the workflow
}

// measure makes the profile: it runs the workflow with ample resources to see
// what every stage gets, finds the least memory that functions survive with, and
// invokes each function with each input at every point of its grid. Functions that
// cannot be invoked alone are measured in runs of the workflow.
func (p *profiler) measure(ctx context.Context) (*profile.Profile, error) {
	p.began = time.Now()
	functions, records, err := p.capture(ctx)
	if err != nil {
		return nil, err
	}
	p.runner.remove(nil) // what follows deploys and removes by itself
	p.say("finding out whether functions can be invoked alone")
	alone, err := p.replayable(ctx, functions)
	if err != nil {
		return nil, err
	}
	p.inRuns = !alone
	points := 0
	for _, f := range functions {
		p.say("finding the memory that " + f.function.Name + " needs")
		if err := p.findFloor(ctx, functions, f); err != nil {
			return nil, err
		}
		f.cpus = spread(f.space.CPU, f.space.CPU.Min, p.req.CPUs)
		f.memories = spread(f.space.Memory, f.floor, p.req.Memories)
		if size := len(f.cpus) * len(f.memories); p.inRuns {
			points = max(points, size)
		} else {
			points += size
		}
	}
	if err := p.passes(ctx, functions, points); err != nil {
		return nil, err
	}
	return p.document(functions, records)
}

// quarter is how many passes all repeats are made in, so that a disturbance of the
// machine does not hit one point alone.
const quarter = 4

// passes measures all points again and again until there are enough repeats or
// another pass would take too long.
func (p *profiler) passes(ctx context.Context, functions []*profiled, points int) error {
	p.job.update(func(s *api.Profiling) { s.Total = points * p.req.Repeats })
	each := (p.req.Repeats + quarter - 1) / quarter
	for done := 0; done < p.req.Repeats; {
		n := min(each, p.req.Repeats-done)
		began := time.Now()
		if p.inRuns {
			if err := p.passRuns(ctx, functions, done, n); err != nil {
				return err
			}
		} else {
			for _, f := range functions {
				if err := p.pass(ctx, f, done, n); err != nil {
					return err
				}
			}
		}
		done += n
		if time.Since(p.began)+time.Since(began) > p.req.MaxTime {
			break
		}
	}
	return nil
}

func (p *profiler) say(text string) { p.job.update(func(s *api.Profiling) { s.Message = text }) }

// capture runs the workflow with each input and the most resources.
func (p *profiler) capture(ctx context.Context) ([]*profiled, []control.TrialRecord, error) {
	session, err := control.NewTuning(p.plan.config, nil)
	if err != nil {
		return nil, nil, cannotTune(err)
	}
	problem := session.Problem()
	var out []*profiled
	resources := map[string]function.Resources{}
	byName := map[string]*profiled{}
	for i, f := range problem.Functions {
		resources[f.Name] = f.Space.Largest()
		out = append(out, &profiled{function: p.plan.config.Functions[i], space: f.Space, cells: map[function.Resources][]timing{}, cold: map[function.Resources][]float64{}})
		byName[f.Name] = out[i]
	}
	var records []control.TrialRecord
	for i, in := range p.plan.config.Inputs {
		trial := control.Trial{ID: fmt.Sprintf("%s-%d", p.id, i), Resources: resources, Input: i}
		m, err := p.runner.Run(ctx, trial)
		if err != nil {
			return nil, nil, err
		}
		if m.Failed {
			return nil, nil, fmt.Errorf("the workflow fails with input %s and the most resources: %s", in.Name, m.Message)
		}
		r := control.RecordOf(trial, m)
		r.Input = in.Name
		records = append(records, r)
		counts := map[string]int{}
		for _, o := range m.Invocations {
			counts[o.Function]++
		}
		seen := map[string]int{}
		for k, o := range m.Invocations {
			f := byName[o.Function]
			f.peaks = append(f.peaks, o.PeakMem)
			step := (counts[o.Function] + maxSamples - 1) / maxSamples
			if seen[o.Function]++; (seen[o.Function]-1)%step != 0 {
				continue
			}
			h := http.Header{}
			if ct := p.runner.requests[k].Header["Content-Type"]; len(ct) > 0 {
				h["Content-Type"] = ct
			}
			f.samples = append(f.samples, sample{
				body: p.runner.requests[k].Body, header: h, cpu: o.CPUTime, took: o.Execution,
				weight: in.Weight * float64(step), input: i,
			})
		}
	}
	for _, f := range out {
		if len(f.samples) == 0 {
			return nil, nil, fmt.Errorf("no run invoked function %s: give inputs (-d) that reach it", f.function.Name)
		}
	}
	return out, records, nil
}

// findFloor finds the least memory of a function's range with which it survives
// every input, by bisection.
func (p *profiler) findFloor(ctx context.Context, functions []*profiled, f *profiled) error {
	r := f.space.Memory
	low, high := 0, r.Index(r.Max) // works at high
	for low < high {
		mid := (low + high) / 2
		try := function.Resources{CPU: function.MilliCPU(f.space.CPU.Max), Memory: function.Bytes(r.At(mid))}
		failed, err := withChances(func() (*function.Observation, error) {
			if p.inRuns {
				return p.failsRuns(ctx, functions, f, try)
			}
			return p.fails(ctx, f, try)
		})
		if err != nil {
			return err
		}
		if failed == nil {
			high = mid
		} else {
			low = mid + 1
		}
	}
	f.floor = r.At(high)
	return nil
}

// fails invokes a function with every input and returns the invocation that fails,
// nil if none does.
func (p *profiler) fails(ctx context.Context, f *profiled, r function.Resources) (*function.Observation, error) {
	rev, err := p.deploy(ctx, f, r)
	if err != nil {
		return nil, err
	}
	defer p.retire(rev)
	_, failed, err := p.series(ctx, f, rev, f.samples)
	return failed, err
}

func (p *profiler) deploy(ctx context.Context, f *profiled, r function.Resources) (string, error) {
	rev := function.NewRevision(f.function, r)
	if err := p.s.platform.Deploy(ctx, rev); err != nil {
		return "", err
	}
	if p.s.routed(rev.Name) {
		return rev.Name, nil
	}
	return rev.Name, p.s.platform.Scale(ctx, rev.Name, platform.Scale{KeepAlive: time.Minute})
}

// retire takes a revision away, unless it serves.
func (p *profiler) retire(rev string) {
	p.s.deploying.Lock()
	defer p.s.deploying.Unlock()
	if !p.s.routed(rev) {
		p.s.retire(rev)
	}
}

// invoke makes one invocation. Its failure is an outcome, not an error.
func (p *profiler) invoke(ctx context.Context, f *profiled, rev string, s sample) (function.Observation, error) {
	resp, err := p.s.platform.Invoke(ctx, platform.Request{
		Function: f.function.Name, Revision: rev, Body: s.body, Header: s.header, Trial: p.id, Workflow: p.plan.workflow.workflow.Name,
	})
	if cause := ctx.Err(); cause != nil {
		return function.Observation{}, cause
	}
	if err == nil {
		return resp.Observation, nil
	}
	var failed *platform.InvokeError
	if !errors.As(err, &failed) {
		return function.Observation{}, err
	}
	if failed.Outcome == function.OutcomeRejected {
		return failed.Observation, fmt.Errorf("function %s: %w", f.function.Name, err)
	}
	return failed.Observation, nil
}

// spread returns at most n values of a range from low to its end, evenly in the
// logarithm, the ends included.
func spread(r function.Range, low int64, n int) []int64 {
	var out []int64
	for i := range n {
		t := 0.0
		if n > 1 {
			t = float64(i) / float64(n-1)
		}
		out = append(out, r.Snap(int64(math.Round(float64(low)*math.Pow(float64(r.Max)/float64(low), t)))))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// pass measures every point of a function's grid n times. What cannot work there
// is taken out of the grid.
func (p *profiler) pass(ctx context.Context, f *profiled, first, n int) error {
	order := f.order(first, n)
	for _, c := range slices.Clone(f.cpus) {
		for _, m := range slices.Clone(f.memories) {
			if !slices.Contains(f.cpus, c) || !slices.Contains(f.memories, m) {
				continue
			}
			r := function.Resources{CPU: function.MilliCPU(c), Memory: function.Bytes(m)}
			p.say(fmt.Sprintf("%s with %s", f.function.Name, r))
			failed, err := withChances(func() (*function.Observation, error) { return p.point(ctx, f, r, order) })
			if err != nil {
				return err
			}
			if failed != nil {
				if err := f.narrow(r, failed); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// narrow takes out of the grid what cannot work, after an invocation has failed in
// every one of its chances.
func (f *profiled) narrow(r function.Resources, failed *function.Observation) error {
	switch failed.Outcome {
	case function.OutcomeOOM:
		f.memories = slices.DeleteFunc(f.memories, func(v int64) bool { return v <= int64(r.Memory) })
	case function.OutcomeTimeout:
		f.cpus = slices.DeleteFunc(f.cpus, func(v int64) bool { return v <= int64(r.CPU) })
	default:
		return fmt.Errorf("function %s with %s: an invocation ended as %q: %s", f.function.Name, r, failed.Outcome, failed.Message)
	}
	if len(f.cpus) == 0 || len(f.memories) == 0 {
		return fmt.Errorf("function %s works nowhere in its ranges", f.function.Name)
	}
	return nil
}

// order returns the inputs of repeats first to first+n: each time the one that is
// furthest behind its share.
func (f *profiled) order(first, n int) []sample {
	weights, given := make([]float64, len(f.samples)), make([]float64, len(f.samples))
	for i, s := range f.samples {
		weights[i] = s.weight
	}
	var out []sample
	for k := range first + n {
		i := stats.FurthestBehind(weights, given)
		given[i]++
		if k >= first {
			out = append(out, f.samples[i])
		}
	}
	return out
}
