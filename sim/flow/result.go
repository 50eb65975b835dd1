package flow

import (
	"time"

	"github.com/DataDog/sketches-go/ddsketch"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/sim/fleet"
)

// Outcome says how a run ended.
type Outcome uint8

// The outcomes of runs.
const (
	Completed   Outcome = iota
	Rejected            // an invocation found no room before its deadline
	TooLarge            // an instance is larger than any node
	Lost                // a node was lost, and the retry with its node too
	OutOfMemory         // a function has less memory than it needs
	outcomes
)

var failures = [...]Outcome{fleet.Rejected: Rejected, fleet.TooLarge: TooLarge, fleet.Lost: Lost}

// String returns the outcome in one word.
func (o Outcome) String() string {
	return [...]string{"completed", "rejected", "too-large", "lost", "out-of-memory"}[o]
}

// Result is what a simulation measured, over the part of time that counts.
type Result struct {
	Workflows []WorkflowResult `json:"workflows"` // in order
	// StageExecutions are all invocations that were given an instance, those
	// outside of the counted time too.
	StageExecutions int64        `json:"stageExecutions"`
	Instances       fleet.Counts `json:"instances"`
}

// WorkflowResult is what was measured of one workflow. Runs are those that
// arrived within the counted time.
type WorkflowResult struct {
	Name string `json:"name"`
	Runs int64  `json:"runs"`
	// Ended counts runs by outcome, Completed first.
	Ended [outcomes]int64 `json:"ended"`
	// Violations are runs that failed or took longer than promised, ColdRuns
	// those that waited for a cold start, ColdViolations those that did both.
	Violations     int64 `json:"violations"`
	ColdRuns       int64 `json:"coldRuns"`
	ColdViolations int64 `json:"coldViolations"`

	// Stages are invocations of its functions that arrived within the counted
	// time and were given an instance. ColdStarts are starts of instances that
	// an invocation waited for; Joined waited for one that was counted already;
	// Waited in line for room; Retried after the loss of a node.
	Stages     int64 `json:"stages"`
	ColdStarts int64 `json:"coldStarts"`
	Joined     int64 `json:"joined"`
	Waited     int64 `json:"waited"`
	Retried    int64 `json:"retried"`

	Busy Use `json:"busy"` // instances that serve, or start for an invocation
	Idle Use `json:"idle"` // instances that wait, or are started ahead

	// Functions are those of the workflow, in its order.
	Functions []FunctionUse `json:"-"`

	latency *ddsketch.DDSketch
}

// FunctionUse is for how long the instances of a function were busy and idle, in
// the meaning of WorkflowResult, and how many invocations they served.
type FunctionUse struct {
	Busy, Idle  time.Duration
	Invocations int64
}

// Use is resources over time and what they cost.
type Use struct {
	CPUSeconds float64 `json:"vcpuSeconds"`
	GiBSeconds float64 `json:"gibSeconds"`
	Cost       float64 `json:"cost"` // of Config.Price; the charge per invocation is part of Busy
}

// Cost is that of everything.
func (w *WorkflowResult) Cost() float64 { return w.Busy.Cost + w.Idle.Cost }

// ViolationRate is the share of runs that violate the promise.
func (w *WorkflowResult) ViolationRate() float64 {
	return float64(w.Violations) / float64(max(1, w.Runs))
}

// Latency returns the p-quantile, p in [0, 1], of the latency of the runs that
// completed, within 1 %; 0 without any.
func (w *WorkflowResult) Latency(p float64) time.Duration {
	v, err := w.latency.GetValueAtQuantile(p)
	if err != nil {
		return 0 // it is empty
	}
	return seconds(v)
}

// Run is one run that has ended.
type Run struct {
	Workflow int
	At       time.Duration // of its arrival
	Latency  time.Duration
	Outcome  Outcome
	Cold     bool // it waited for a cold start
	Violated bool
}

// Stage is one invocation that has ended.
type Stage struct {
	Workflow  int
	Function  int           // number in the workflow
	Stage     int           // of the workflow's graph
	At        time.Duration // of its arrival
	Wait      time.Duration // until an instance served it
	Service   time.Duration
	How       fleet.Start
	Resources function.Resources
	Killed    bool // for lack of memory
}

func newWorkflowResult(w *Workflow) WorkflowResult {
	sketch, err := ddsketch.NewDefaultDDSketch(0.01)
	if err != nil {
		panic("BUG: flow: " + err.Error()) // only for an accuracy outside (0, 1)
	}
	return WorkflowResult{Name: w.Name, latency: sketch}
}

// count counts an invocation that is given an instance.
func (h *host) count(in int32, x *fleet.Served) {
	h.executions++
	if x.How == fleet.Cold || x.How == fleet.Joined {
		(*Sim)(h).markCold(in)
	}
	if !h.fleet.Counted(x.Arrived) {
		return
	}
	r := &h.workflows[h.frames[in].workflow].result
	r.Stages++
	switch x.How {
	case fleet.Cold:
		r.ColdStarts++
	case fleet.Joined:
		r.Joined++
	case fleet.Waited:
		r.Waited++
	}
}

// markCold notes that a run waits for a cold start, unless it does not wait for
// this way any more.
func (s *Sim) markCold(in int32) {
	for !s.frames[in].decided {
		if s.frames[in].parent < 0 {
			s.frames[in].cold = true
			return
		}
		in = s.frames[in].parent
	}
}

func (s *Sim) tell(at, in int32, x *fleet.Served, killed bool) {
	w := s.frames[in].workflow
	p := &s.workflows[w]
	s.cfg.OnStage(Stage{
		Workflow: int(w), Function: int(x.Function - p.first), Stage: int(p.steps[at].stage), At: time.Duration(x.Arrived),
		Wait: time.Duration(x.Begin - x.Arrived), Service: s.fleet.Now() - time.Duration(x.Begin), How: x.How, Resources: x.Resources, Killed: killed,
	})
}

// outcome counts a run that ends now.
func (s *Sim) outcome(f *frame, o Outcome) {
	s.active--
	w := &s.workflows[f.workflow]
	latency := int64(s.fleet.Now()) - f.at
	violated := o != Completed || w.qos > 0 && latency > w.qos
	if s.cfg.OnRun != nil {
		s.cfg.OnRun(Run{Workflow: int(f.workflow), At: time.Duration(f.at), Latency: time.Duration(latency), Outcome: o, Cold: f.cold, Violated: violated})
	}
	if !s.fleet.Counted(f.at) {
		return
	}
	r := &w.result
	r.Runs++
	r.Ended[o]++
	if o == Completed {
		if err := r.latency.Add(time.Duration(latency).Seconds()); err != nil {
			panic("BUG: flow: " + err.Error()) // only for values out of the sketch's range
		}
	}
	if f.cold {
		r.ColdRuns++
	}
	if violated {
		r.Violations++
		if f.cold {
			r.ColdViolations++
		}
	}
}

// collect adds up what instances used.
func (s *Sim) collect() *Result {
	s.fleet.Settle()
	out := &Result{Instances: s.fleet.Counts(), StageExecutions: s.executions}
	for i := range s.workflows {
		w := &s.workflows[i]
		r := w.result
		for f := w.first; f < w.first+w.count; f++ {
			var use FunctionUse
			for _, u := range s.fleet.Usage(f) {
				use.Busy += u.Busy
				use.Idle += u.Idle
				use.Invocations += u.Invocations
				r.Busy.add(u.Resources, u.Busy, s.cfg.Price.Busy(u.Resources, u.Busy)+float64(u.Invocations)*s.cfg.Price.PerInvocation)
				r.Idle.add(u.Resources, u.Idle, s.cfg.Price.Idle(u.Resources, u.Idle))
			}
			r.Functions = append(r.Functions, use)
		}
		out.Workflows = append(out.Workflows, r)
	}
	return out
}

func (u *Use) add(r function.Resources, d time.Duration, cost float64) {
	u.CPUSeconds += r.CPU.Cores() * d.Seconds()
	u.GiBSeconds += r.Memory.GiB() * d.Seconds()
	u.Cost += cost
}
