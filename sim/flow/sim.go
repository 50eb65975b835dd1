package flow

import (
	"fmt"
	"slices"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/pool"
	"github.com/aquatope/aquatope/sim/fleet"
	"github.com/aquatope/aquatope/stats"
	"gonum.org/v1/gonum/floats"
)

// Arrival starts a run.
type Arrival struct {
	At       time.Duration // since the epoch
	Workflow int
	// Scale is the size of the input: service times are that many times as
	// long. 0 means 1.
	Scale float64
	// Input is 1 + the index of the run's input among the workflow's Inputs; 0
	// draws one by their weights.
	Input int
}

// Node is a machine of the cluster, and Loss one that dies.
type (
	Node = fleet.Node
	Loss = fleet.Loss
)

// Config describes the world and what counts.
type Config struct {
	// Window is the time between plans, positive; Lead how long before the end
	// of a window its plan is made, less than Window.
	Window, Lead time.Duration
	// From and Until bound the time whose figures count, as instants since the
	// epoch: runs that arrive in it, to their end, and the resources used in it.
	// What comes before From warms up.
	From, Until time.Duration
	// Nodes are the cluster; without any there is room for everything and no
	// interference.
	Nodes []Node
	// Overbook is how many times a node's CPU the limits of its instances may
	// sum up to; 0 means DefaultOverbook.
	Overbook float64
	// Bound says that an invocation waits for the instance that is started for
	// it. Otherwise all that wait for a function take whichever of its instances
	// gets free or ready first, as on the local platform and on Knative.
	Bound bool
	// Patience is how long an invocation waits for an instance, or if Bound for
	// room; 0 means DefaultPatience.
	Patience time.Duration
	// Interference is by how much an invocation is slower on a node whose CPUs
	// are all busy, as a share: 0.2 is a fifth slower. See Slowdown.
	Interference float64
	// Drift is a factor on the service times of a workflow at an instant; nil
	// means none.
	Drift func(workflow int, at time.Duration) float64
	// Outliers are invocations that are slower than measured.
	Outliers Outliers
	// Losses are nodes that die.
	Losses []Loss
	// Price turns resources into cost.
	Price function.Price
	Seed  uint64
	// OnStage and OnRun are told of every invocation and run when it ends, those
	// outside of the counted time too; nil means nobody is.
	OnStage func(Stage)
	OnRun   func(Run)
}

// Outliers are invocations, a Share of all, that take Factor times as long.
type Outliers struct {
	Share, Factor float64
}

// Defaults.
const (
	DefaultPatience = 30 * time.Second
	// DefaultOverbook is how often the local platform gives out its CPUs.
	DefaultOverbook = 4
)

// Sim is one simulation.
type Sim struct {
	cfg        Config
	fleet      *fleet.Fleet
	workflows  []program
	functions  []behaviour
	frames     []frame
	spare      []int32
	active     int64
	executions int64
}

// program is one workflow.
type program struct {
	name    string
	qos     int64 // nanoseconds, 0 without
	steps   []step
	first   int32 // number of its first function
	count   int32
	inputs  []float64 // cumulative shares
	key     uint64
	arrived uint64
	result  WorkflowResult
}

// behaviour is one function.
type behaviour struct {
	Function
	key      uint64
	workflow int32
	// times and starts are those at the resources of which the fleet asked last.
	resources function.Resources
	times     []func(float64) float64 // over all inputs, then of each
	starts    []float64
}

// at sets the resources that service times and starts are drawn with.
func (b *behaviour) at(r function.Resources) {
	b.resources = r
	for i := range b.times {
		b.times[i] = b.Service(i-1, r)
	}
	if b.ColdStart != nil {
		b.starts = b.ColdStart(r)
	}
}

// New returns a simulation that begins at instant 0. The policy is made for
// Functions(workflows). It panics on a stage whose function is missing, and on
// what fleet.New panics on: programmer errors.
func New(workflows []Workflow, p pool.Policy, cfg Config) *Sim {
	if cfg.Patience == 0 {
		cfg.Patience = DefaultPatience
	}
	if cfg.Overbook == 0 {
		cfg.Overbook = DefaultOverbook
	}
	s := &Sim{cfg: cfg}
	var functions []fleet.Function
	for i := range workflows {
		w := &workflows[i]
		number, err := w.numbers()
		if err != nil {
			panic("flow: " + err.Error())
		}
		first := len(functions)
		inputs := slices.Clone(w.Inputs)
		if len(inputs) > 0 {
			floats.CumSum(inputs, inputs)
			floats.Scale(1/inputs[len(inputs)-1], inputs)
		}
		s.workflows = append(s.workflows, program{
			inputs: inputs,
			name:   w.Name, qos: int64(w.QoS.Latency), steps: compile(w.Graph, number, first), first: int32(first), count: int32(len(w.Functions)),
			key: stats.Stream(cfg.Seed, fmt.Sprintf("sim/flow/%d/%s", i, w.Name)).Uint64(), result: newWorkflowResult(w),
		})
		for _, f := range w.Functions {
			s.functions = append(s.functions, behaviour{
				Function: f, workflow: int32(i), times: make([]func(float64) float64, 1+len(inputs)),
				key: stats.Stream(cfg.Seed, fmt.Sprintf("sim/flow/start/%d/%s", i, f.Name)).Uint64(),
			})
			s.functions[len(s.functions)-1].at(f.Resources)
			functions = append(functions, fleet.Function{Name: w.Name + "/" + f.Name, Resources: f.Resources, ColdStart: seconds(mean(f.ColdStarts())), Concurrency: f.Concurrency, Max: f.Max})
		}
	}
	s.fleet = fleet.New(functions, p, (*host)(s), fleet.Config{
		Window: cfg.Window, Lead: cfg.Lead, From: cfg.From, Until: cfg.Until,
		Nodes: cfg.Nodes, Overbook: cfg.Overbook, Shared: !cfg.Bound, Patience: cfg.Patience, Losses: cfg.Losses,
	})
	return s
}

// Feed starts runs, which are in order of time over all calls.
func (s *Sim) Feed(batch []Arrival) {
	for i := range batch {
		a := &batch[i]
		if a.At < s.fleet.Now() {
			panic("flow: arrivals out of order")
		}
		s.fleet.RunTo(a.At)
		scale := a.Scale
		if a.Scale == 0 {
			scale = 1
		}
		s.begin(int32(a.Workflow), scale, a.Input)
	}
}

// Advance runs events and plans up to and including the instant t.
func (s *Sim) Advance(t time.Duration) { s.fleet.RunTo(t) }

// Now is the instant that the simulation has reached.
func (s *Sim) Now() time.Duration { return s.fleet.Now() }

// SetResources gives the functions of a workflow, in its order, other resources
// from now on: new revisions. Instances of the old ones serve what they have and
// end; the policy's targets are started anew at once. A policy that knows
// functions by their memory must be told by the caller.
func (s *Sim) SetResources(workflow int, r []function.Resources) {
	w := &s.workflows[workflow]
	if len(r) != int(w.count) {
		panic(fmt.Sprintf("flow: resources for %d of the %d functions of workflow %s", len(r), w.count, w.name))
	}
	for i := range w.count {
		s.fleet.SetResources(w.first+i, r[i])
	}
}

// Result returns what was measured so far.
func (s *Sim) Result() *Result { return s.collect() }

// Finish runs to the end of the counted time and on, without arrivals, until
// every run has ended, and returns what was measured. The simulation is over
// then.
func (s *Sim) Finish() *Result {
	s.fleet.RunTo(max(s.cfg.Until, s.fleet.Now()))
	for s.active > 0 {
		s.fleet.RunTo(s.fleet.Now() + s.cfg.Window)
	}
	return s.collect()
}
