package rehearsal

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/pool"
	"github.com/aquatope/aquatope/sim/flow"
	"github.com/aquatope/aquatope/stats"
)

const (
	// beliefDraws worlds of the posterior, with beliefTimes service times of each
	// function.
	beliefDraws = 16
	beliefTimes = 128
	// spreadRuns are simulated in each of these worlds to see how they differ.
	spreadRuns = 300
)

// belief is what is believed of a configuration.
type belief struct {
	workflow  flow.Workflow
	deviation float64   // of the share of slow runs, over draws of the posterior
	service   []float64 // mean service times
	// successors are what follows the start of a run, nil until asked for.
	successors map[int][]pool.Successor
}

// successors returns what follows the start of a run.
func (r *Rehearsal) successors(b *belief) (map[int][]pool.Successor, error) {
	if b.successors != nil {
		return b.successors, nil
	}
	out, err := flow.Successors([]flow.Workflow{b.workflow}, r.Seed)
	if err != nil {
		return nil, err
	}
	for _, list := range out {
		for i := range list {
			list[i].Instances = r.widths[list[i].Function]
		}
	}
	b.successors = out
	return out, nil
}

// believe returns what is believed of a configuration.
func (r *Rehearsal) believe(c []function.Resources) (*belief, error) {
	key := fmt.Sprint(c)
	if b, ok := r.beliefs[key]; ok {
		return b, nil
	}
	times, inputs, err := r.Structured.ServiceTimes(r.Problem, r.History, c, beliefDraws, beliefTimes, stats.Stream(r.Seed, "sim/rehearsal/belief"))
	if err != nil {
		return nil, fmt.Errorf("predicting service times: %w", err)
	}
	b := &belief{workflow: flow.Workflow{Name: r.Name, QoS: r.QoS, Graph: r.Problem.Graph, Inputs: r.Problem.Inputs}}
	b.deviation = r.spread(times, inputs)
	for f, t := range r.Problem.Functions {
		x := times[f]
		if len(x) == 0 {
			x = []float64{1e-6} // no run ever reached it
		}
		b.service = append(b.service, stat.Mean(x, nil))
		byInput := make([][]float64, len(r.Problem.Inputs)+1) // the first for any
		for i, v := range x {
			byInput[0] = append(byInput[0], v)
			if in := inputs[i%len(inputs)]; in >= 0 {
				byInput[in+1] = append(byInput[in+1], v)
			}
		}
		for i, list := range byInput {
			if len(list) == 0 {
				byInput[i] = byInput[0]
			}
			slices.Sort(byInput[i])
		}
		b.workflow.Functions = append(b.workflow.Functions, flow.Function{
			Name: t.Name, Resources: c[f],
			ColdStart: func(x function.Resources) []float64 { return r.starting[f].with(x.CPU) },
			Service: func(input int, _ function.Resources) func(float64) float64 {
				return func(u float64) float64 { return stats.Quantile(u, byInput[input+1]) }
			},
		})
	}
	r.beliefs[key] = b
	return b, nil
}

// spread is the standard deviation, over draws of the posterior, of the share of
// runs that would take longer than promised.
func (r *Rehearsal) spread(times [][]float64, inputs []int) float64 {
	rng := stats.Stream(r.Seed, "sim/rehearsal/spread")
	same := map[int][]int{} // runs with the same input
	for i, in := range inputs {
		same[in] = append(same[in], i)
	}
	service, uniform := make([]float64, len(r.comp.Slots())), make([]float64, r.comp.Uniforms())
	var shares []float64
	for d := range beliefDraws {
		slow := 0.0
		for range spreadRuns {
			input := inputs[rng.IntN(len(inputs))]
			alike := same[input]
			r.comp.Fill(service, uniform, func(stage int) float64 {
				x := times[r.function(stage)]
				if len(x) == 0 {
					return 0
				}
				return x[d*beliefTimes+alike[rng.IntN(len(alike))]]
			}, rng)
			if r.comp.Of(input).Latency(service, uniform) > r.QoS.Latency.Seconds() {
				slow++
			}
		}
		shares = append(shares, slow/spreadRuns)
	}
	sd := stat.StdDev(shares, nil)
	p := stat.Mean(shares, nil)
	return math.Sqrt(math.Max(0, sd*sd-p*(1-p)/spreadRuns)) // without what is due to counting
}
