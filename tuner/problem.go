package tuner

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/workflow"
)

// Problem is what every strategy knows before the first run.
type Problem struct {
	Graph     *workflow.Graph
	Functions []Function
	Target    Target
	Price     function.Price
	// Inputs are the relative weights of the inputs that runs get, where they are
	// known: what they explain of the service times is no noise, nor is what they
	// decide of the ways that runs take, if Graph tells. May be empty.
	Inputs []float64
	// Serving is what is known of how the functions are served.
	Serving
}

// Function is what may be chosen for one function.
type Function struct {
	Name  string
	Space function.Space
}

// Target is what is promised of a run's latency: that its percentile, or its
// mean if Percentile is 0, is at most Seconds.
type Target struct {
	Seconds    float64
	Percentile float64 // 0, or in (0, 100)
}

// PromiseOf returns the target of a workflow's promise.
func PromiseOf(q workflow.QoS) Target {
	return Target{Seconds: q.Latency.Seconds(), Percentile: q.Percentile}
}

// String says what is promised: "p95 within 0.8 s".
func (t Target) String() string {
	if t.Percentile == 0 {
		return fmt.Sprintf("mean within %.4g s", t.Seconds)
	}
	return fmt.Sprintf("p%g within %.4g s", t.Percentile, t.Seconds)
}

// Configuration is the resources of every function, in order of
// Problem.Functions.
type Configuration []function.Resources

// ErrProblem says that a problem cannot be tuned as it is posed.
var ErrProblem = errors.New("unusable problem")

// Check reports everything that is wrong with p.
func (p *Problem) Check() error {
	var errs []error
	if !(p.Target.Seconds > 0) || math.IsInf(p.Target.Seconds, 0) {
		errs = append(errs, fmt.Errorf("the latency target is %v s: promise a positive latency", p.Target.Seconds))
	}
	if pc := p.Target.Percentile; !(pc >= 0 && pc < 100) {
		errs = append(errs, fmt.Errorf("the percentile is %v: it must be between 0 and 100", pc))
	}
	if len(p.Functions) == 0 {
		errs = append(errs, errors.New("there is no function to tune"))
	}
	for i, w := range p.Inputs {
		if !(w > 0) || math.IsInf(w, 0) {
			errs = append(errs, fmt.Errorf("input %d has weight %v: it must be positive", i+1, w))
		}
	}
	if err := p.Serving.check(len(p.Functions)); err != nil {
		errs = append(errs, err)
	}
	names := map[string]bool{}
	for _, f := range p.Functions {
		if err := f.Space.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("function %q: %w", f.Name, err))
		}
		if f.Name == "" || names[f.Name] {
			errs = append(errs, fmt.Errorf("function %q has no name, or another has the same", f.Name))
		}
		names[f.Name] = true
	}
	if p.Graph == nil || p.Graph.Root == nil || len(p.Graph.Stages) == 0 {
		errs = append(errs, errors.New("the workflow has no stage"))
	} else {
		if err := p.Graph.CheckInputs(len(p.Inputs)); err != nil {
			errs = append(errs, err)
		}
		for _, s := range p.Graph.Stages {
			if s.Function != "" && !names[s.Function] {
				errs = append(errs, fmt.Errorf("stage %q calls function %q, which is not listed", s.Name, s.Function))
			}
		}
	}
	if len(errs) > 0 {
		return fmt.Errorf("%w: %w", ErrProblem, errors.Join(errs...))
	}
	return nil
}

// rate returns what resources cost for one second of service.
func (p *Problem) rate(r function.Resources) float64 {
	return p.Price.Busy(r, 1e9)
}

// variables maps stages to what is decided: the index of the stage's function,
// or for a stage outside of our control an index of its own after these.
func (p *Problem) variables() (of []int, count int) {
	count = len(p.Functions)
	for _, s := range p.Graph.Stages {
		v := slices.IndexFunc(p.Functions, func(f Function) bool { return f.Name == s.Function })
		if v < 0 {
			v = count
			count++
		}
		of = append(of, v)
	}
	return of, count
}

// visits returns the mean number of invocations of each variable in one run with
// an input, of all runs for -1.
func (p *Problem) visits(input int) []float64 {
	of, n := p.variables()
	v := make([]float64, n)
	for stage, ratio := range p.Graph.VisitRatiosOf(input) {
		v[of[stage]] += ratio
	}
	return v
}

// Largest returns the configuration with the most resources for every function.
func (p *Problem) Largest() Configuration {
	c := make(Configuration, len(p.Functions))
	for i, f := range p.Functions {
		c[i] = f.Space.Largest()
	}
	return c
}
