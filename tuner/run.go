package tuner

import (
	"fmt"
	"math"

	"github.com/aquatope/aquatope/function"
)

// Run is one run of the workflow under a configuration.
type Run struct {
	Configuration Configuration
	// Latency is the end-to-end latency in seconds, cold starts not included;
	// of no meaning if Failed.
	Latency float64
	Failed  bool
	// Input is which of Problem.Inputs the run had, from 1; 0 where that is not
	// known.
	Input       int
	Invocations []Invocation // in order of start; empty where they are not visible
}

// Invocation is one invocation of a run.
type Invocation struct {
	Stage      int     // index into Graph.Stages
	Seconds    float64 // of execution; until it was stopped, for a timeout
	Outcome    function.Outcome
	PeakMemory function.Bytes // 0 where it was not measured
}

// CheckHistory reports runs that do not belong to p or hold values that cannot be.
func (p *Problem) CheckHistory(history []Run) error {
	for i, r := range history {
		if len(r.Configuration) != len(p.Functions) {
			return fmt.Errorf("%w: run %d configures %d functions, the workflow has %d", ErrProblem, i, len(r.Configuration), len(p.Functions))
		}
		for f, res := range r.Configuration {
			if res.CPU <= 0 || res.Memory <= 0 {
				return fmt.Errorf("%w: run %d gives function %q %s", ErrProblem, i, p.Functions[f].Name, res)
			}
		}
		if r.Input < 0 || r.Input > len(p.Inputs) {
			return fmt.Errorf("%w: run %d had input %d of %d", ErrProblem, i, r.Input, len(p.Inputs))
		}
		if !r.Failed && !(r.Latency > 0 && !math.IsInf(r.Latency, 0)) {
			return fmt.Errorf("%w: run %d has a latency of %v s; mark it as failed", ErrProblem, i, r.Latency)
		}
		for _, v := range r.Invocations {
			if v.Stage < 0 || v.Stage >= len(p.Graph.Stages) {
				return fmt.Errorf("%w: run %d has an invocation of stage %d", ErrProblem, i, v.Stage)
			}
			if !(v.Seconds >= 0) || math.IsInf(v.Seconds, 0) || v.Outcome == function.OutcomeOK && v.Seconds == 0 {
				return fmt.Errorf("%w: run %d has an invocation of %v s", ErrProblem, i, v.Seconds)
			}
		}
	}
	return nil
}

// Cost returns what the run cost: the service times of its invocations at the
// prices of their resources.
func (p *Problem) Cost(r Run) float64 {
	of, _ := p.variables()
	var sum float64
	for _, v := range r.Invocations {
		if f := of[v.Stage]; f < len(p.Functions) {
			sum += p.rate(r.Configuration[f])*v.Seconds + p.Price.PerInvocation
		}
	}
	return sum
}
