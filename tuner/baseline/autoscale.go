package baseline

import (
	"math"
	"math/rand/v2"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/tuner"
)

// Autoscale changes the resources of each function by its utilisation, in
// steps: +10 % in [60, 70) %, +30 % from 70 %, -10 % in [30, 40) %, -30 % below
// 30 %. It begins with the smallest configuration, where functions are busy, and
// takes as utilisation the least CPU time that any run of the function needed,
// relative to the CPU time that it was given.
//
// Conservative keeps what it has when the target is missed: it then only grows.
type Autoscale struct{ Conservative bool }

// Name implements [tuner.Strategy].
func (a Autoscale) Name() string {
	if a.Conservative {
		return "autoscale-conservative"
	}
	return "autoscale"
}

// Next implements [tuner.Strategy].
func (a Autoscale) Next(p *tuner.Problem, history []tuner.Run, _, left int, _ *rand.Rand) ([]tuner.Configuration, error) {
	if err := check(p, history); err != nil {
		return nil, err
	}
	if left < 1 {
		return nil, nil
	}
	return []tuner.Configuration{a.next(p, history)}, nil
}

func (a Autoscale) next(p *tuner.Problem, history []tuner.Run) tuner.Configuration {
	c := make(tuner.Configuration, len(p.Functions))
	if len(history) == 0 {
		for f, fn := range p.Functions {
			c[f] = fn.Space.Smallest()
		}
		return c
	}
	last := history[len(history)-1]
	work := needs(p, history)
	busy := cpuSeconds(p, last)
	for f, fn := range p.Functions {
		factor := 1.0
		switch u := work[f] / busy[f]; {
		case last.Failed && busy[f] == 0:
			factor = 1.3 // it did not come to run, or was killed
		case math.IsNaN(u):
		case u >= 0.7:
			factor = 1.3
		case u >= 0.6:
			factor = 1.1
		case u < 0.3:
			factor = 0.7
		case u < 0.4:
			factor = 0.9
		}
		if a.Conservative && factor < 1 && !kept(p, last) {
			factor = 1
		}
		r := last.Configuration[f]
		c[f] = function.Resources{
			CPU:    function.MilliCPU(scaled(fn.Space.CPU, int64(r.CPU), factor)),
			Memory: function.Bytes(scaled(fn.Space.Memory, int64(r.Memory), factor)),
		}
	}
	return c
}

// scaled multiplies a value and moves at least one step, if it moves at all.
func scaled(r function.Range, v int64, factor float64) int64 {
	w := r.Snap(int64(math.Round(float64(v) * factor)))
	if w == v && factor > 1 {
		w = min(v+r.Step, r.Max)
	}
	if w == v && factor < 1 {
		w = max(v-r.Step, r.Min)
	}
	return w
}

// cpuSeconds returns, for each function, the CPU time that a run gave it; 0 if
// an invocation failed or none was made.
func cpuSeconds(p *tuner.Problem, r tuner.Run) []float64 {
	out := make([]float64, len(p.Functions))
	count := make([]float64, len(p.Functions))
	failed := make([]bool, len(p.Functions))
	for _, inv := range r.Invocations {
		f := variable(p, inv.Stage)
		if f < 0 {
			continue
		}
		if inv.Outcome != function.OutcomeOK {
			failed[f] = true
		}
		out[f] += inv.Seconds * r.Configuration[f].CPU.Cores()
		count[f]++
	}
	for f := range out {
		if failed[f] || count[f] == 0 {
			out[f] = 0
		} else {
			out[f] /= count[f]
		}
	}
	return out
}

// needs returns the least CPU time that an invocation of each function took.
func needs(p *tuner.Problem, history []tuner.Run) []float64 {
	out := make([]float64, len(p.Functions))
	for _, r := range history {
		for f, v := range cpuSeconds(p, r) {
			if v > 0 && (out[f] == 0 || v < out[f]) {
				out[f] = v
			}
		}
	}
	return out
}

// variable returns the function that a stage calls, -1 for none of ours.
func variable(p *tuner.Problem, stage int) int {
	for f, fn := range p.Functions {
		if fn.Name == p.Graph.Stages[stage].Function {
			return f
		}
	}
	return -1
}

// Recommend implements [tuner.Strategy]: what the scaler would set next.
func (a Autoscale) Recommend(p *tuner.Problem, history []tuner.Run, _ *rand.Rand) (tuner.Result, error) {
	if err := check(p, history); err != nil {
		return tuner.Result{}, err
	}
	return tuner.Result{
		Configuration: a.next(p, history),
		Feasible:      len(history) > 0 && kept(p, history[len(history)-1]),
		Reason:        "by utilisation of the last run",
	}, nil
}
