package flow

import (
	"fmt"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/pool"
	"github.com/aquatope/aquatope/profile"
	"github.com/aquatope/aquatope/stats"
	"github.com/aquatope/aquatope/workflow"
)

// Workflow is a workflow and the functions that are its own.
type Workflow struct {
	Name  string
	QoS   workflow.QoS // nothing promised if zero
	Graph *workflow.Graph
	// Functions are those that the stages of the graph call, by name.
	Functions []Function
	// Inputs are the relative weights of what runs get. A run has one input for
	// all of its stages, and takes the ways that Graph has for it. May be empty.
	Inputs []float64
}

// Function is how a function behaves.
type Function struct {
	Name      string
	Resources function.Resources // to begin with
	// Concurrency is how many invocations one instance serves at once, Max the
	// hard cap on instances; 0 means 1 and none.
	Concurrency, Max int
	// Service returns the distribution of the service time with resources r in
	// runs with one of the workflow's inputs, or over all of them for -1: a
	// quantile function over [0, 1) in seconds.
	Service func(input int, r function.Resources) func(u float64) float64
	// Floor is the memory below which an invocation is killed.
	Floor function.Bytes
	// ColdStart returns equally likely times in seconds, ascending, from the start
	// of an instance with resources r until it is ready. None means 0, and so does nil.
	ColdStart func(r function.Resources) []float64
}

// ColdStarts are those with the resources to begin with.
func (f *Function) ColdStarts() []float64 {
	if f.ColdStart == nil {
		return nil
	}
	return f.ColdStart(f.Resources)
}

// FromModel returns a workflow that behaves as a profile. Resources are by
// function, in order of the model; nil means the largest of each space.
func FromModel(m *profile.Model, resources []function.Resources) Workflow {
	w := Workflow{Name: m.Name, QoS: m.QoS, Graph: m.Graph}
	for _, in := range m.Inputs {
		w.Inputs = append(w.Inputs, in.Weight)
	}
	for i, t := range m.Functions {
		f := Function{Name: t.Name, Resources: t.Space.Largest(), Floor: t.Floor, ColdStart: t.ColdStarts, Service: func(input int, r function.Resources) func(float64) float64 {
			s := t.Of(input, r)
			return s.Quantile
		}}
		if resources != nil {
			f.Resources = resources[i]
		}
		w.Functions = append(w.Functions, f)
	}
	return w
}

// Functions returns what a pool policy may know of the functions of all
// workflows, in the order in which the simulator numbers them: by workflow,
// then as the workflow lists them. Names are workflow/function, every workflow
// is an app of its own.
func Functions(workflows []Workflow) []pool.Function {
	var out []pool.Function
	for _, w := range workflows {
		for _, f := range w.Functions {
			out = append(out, pool.Function{
				Name: w.Name + "/" + f.Name, App: w.Name, Memory: f.Resources.Memory, Concurrency: max(1, f.Concurrency), Max: f.Max,
				ColdStart: seconds(mean(f.ColdStarts())), Service: seconds(meanOf(f.Service(-1, f.Resources))),
			})
		}
	}
	return out
}

// lagRuns is how many runs are sampled for Successors.
const lagRuns = 400

// Successors returns what follows the start of a run, for policies that look
// ahead: entries are numbered as the workflows. Service times are those at the
// workflows' resources.
func Successors(workflows []Workflow, seed uint64) (map[int][]pool.Successor, error) {
	out := map[int][]pool.Successor{}
	first := 0
	for i, w := range workflows {
		c, err := workflow.NewComposition(w.Graph)
		if err != nil {
			return nil, fmt.Errorf("finding what follows the entry of workflow %s: %w", w.Name, err)
		}
		number, err := w.numbers()
		if err != nil {
			return nil, err
		}
		times := make([]func(float64) float64, len(w.Graph.Stages))
		for stage := range times {
			f := w.Functions[number[stage]]
			times[stage] = f.Service(-1, f.Resources)
			number[stage] += first
		}
		r := stats.Stream(seed, "sim/flow/successors/"+w.Name)
		lags := c.Lags(len(w.Graph.Stages), lagRuns, func(stage int) float64 { return times[stage](r.Float64()) }, r)
		out[i] = pool.Successors(lags, number)
		first += len(w.Functions)
	}
	return out, nil
}

// numbers returns the function of every stage.
func (w *Workflow) numbers() ([]int, error) {
	index := make(map[string]int, len(w.Functions))
	for i, f := range w.Functions {
		index[f.Name] = i
	}
	out := make([]int, len(w.Graph.Stages))
	for i, s := range w.Graph.Stages {
		n, ok := index[s.Function]
		if !ok {
			return nil, fmt.Errorf("workflow %s: stage %s calls function %q, which is not among its functions", w.Name, s.Name, s.Function)
		}
		out[i] = n
	}
	return out, nil
}

// meanPoints is how many quantiles stand for a distribution.
const meanPoints = 128

func meanOf(quantile func(float64) float64) float64 {
	sum := 0.0
	for k := range meanPoints {
		sum += quantile((float64(k) + 0.5) / meanPoints)
	}
	return sum / meanPoints
}

func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v / float64(len(x))
	}
	return sum
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
