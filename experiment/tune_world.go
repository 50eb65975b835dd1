package experiment

import (
	"math"
	"math/rand/v2"

	"github.com/aquatope/aquatope/bayesopt"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/profile"
	"github.com/aquatope/aquatope/tuner"
	"github.com/aquatope/aquatope/workflow"
)

// tuneWorld is a profile as strategies meet it: runs that they can try, and the
// truth that they are judged by.
type tuneWorld struct {
	problem *tuner.Problem
	model   *profile.Model
	tables  []*profile.Table // by variable of the problem
	comp    *workflow.Composition
	inputs  []worldInput
	visits  []float64 // of each function in one run
}

// worldInput is what runs with one input are like.
type worldInput struct {
	share  float64 // of runs
	comp   *workflow.Composition
	visits []float64
}

func newTuneWorld(m *profile.Model, target tuner.Target, price function.Price) (*tuneWorld, error) {
	w := &tuneWorld{model: m, problem: &tuner.Problem{Graph: m.Graph, Target: target, Price: price}}
	index := map[string]int{}
	for _, t := range m.Functions {
		index[t.Name] = len(w.tables)
		w.tables = append(w.tables, t)
		w.problem.Functions = append(w.problem.Functions, tuner.Function{Name: t.Name, Space: t.Space})
	}
	var err error
	if w.comp, err = workflow.NewComposition(m.Graph); err != nil {
		return nil, err
	}
	visits := func(input int) []float64 {
		out := make([]float64, len(w.tables))
		for s, v := range m.Graph.VisitRatiosOf(input) {
			out[index[m.Graph.Stages[s].Function]] += v
		}
		return out
	}
	w.visits = visits(-1)
	for k, share := range m.Shares() {
		w.problem.Inputs = append(w.problem.Inputs, m.Inputs[k].Weight)
		w.inputs = append(w.inputs, worldInput{share, w.comp.Of(k), visits(k)})
	}
	return w, w.problem.Check()
}

// function returns the variable of a stage.
func (w *tuneWorld) function(stage int) int {
	for i, t := range w.tables {
		if t.Name == w.model.Graph.Stages[stage].Function {
			return i
		}
	}
	panic("experiment: stage without function")
}

// run runs the workflow once.
func (w *tuneWorld) run(c tuner.Configuration, input int, rng *rand.Rand) tuner.Run {
	slots := w.comp.Slots()
	service, uniform := make([]float64, len(slots)), make([]float64, w.comp.Uniforms())
	start := make([]float64, len(slots))
	for k, stage := range slots {
		f := w.function(stage)
		s := w.tables[f].Of(input, c[f])
		service[k] = s.Quantile(rng.Float64())
	}
	for k := range uniform {
		uniform[k] = rng.Float64()
	}
	r := tuner.Run{Configuration: c, Input: input + 1}
	r.Latency = w.comp.Of(input).Starts(service, uniform, start)
	for k, stage := range slots {
		if math.IsNaN(start[k]) {
			continue
		}
		t := w.tables[w.function(stage)]
		inv := tuner.Invocation{Stage: stage, Seconds: service[k], Outcome: function.OutcomeOK}
		if !t.Works(c[w.function(stage)]) {
			inv.Outcome, r.Failed = function.OutcomeOOM, true
		} else if len(t.Peak) > 0 {
			inv.PeakMemory = t.Peak[rng.IntN(len(t.Peak))]
		}
		r.Invocations = append(r.Invocations, inv)
	}
	return r
}

// truthRuns is the number of quasi-random runs that the truth is computed with.
const truthRuns = 8192

// truth simulates runs of which every strategy's choice gets the same: uniform
// numbers for the service times of each slot, and for decisions, and an input.
type truth struct {
	w       *tuneWorld
	input   []int // of each run
	service [][]float64
	uniform [][]float64
	columns *workflow.Columns
	cache   map[truthKey][]float64
}

type truthKey struct {
	slot int
	r    function.Resources
}

func (w *tuneWorld) truth(runs int, seed uint64) *truth {
	slots, uniforms := len(w.comp.Slots()), w.comp.Uniforms()
	t := &truth{w: w, cache: map[truthKey][]float64{}}
	t.service, t.uniform = make([][]float64, slots), make([][]float64, uniforms)
	seq := bayesopt.NewSobol(min(slots+uniforms, bayesopt.MaxSobolDim)).Scrambled(seed)
	rng, inputs := rand.New(rand.NewPCG(seed, 2)), rand.New(rand.NewPCG(seed, 3))
	for i := range runs {
		// Inputs by their shares exactly, in an order of chance.
		t.input = append(t.input, w.model.InputAt((float64(i)+0.5)/float64(runs)))
		u := seq.Point(uint32(i))
		for len(u) < slots+uniforms {
			u = append(u, rng.Float64())
		}
		for k := range slots {
			t.service[k] = append(t.service[k], u[k])
		}
		for k := range uniforms {
			t.uniform[k] = append(t.uniform[k], u[slots+k])
		}
	}
	inputs.Shuffle(runs, func(i, j int) { t.input[i], t.input[j] = t.input[j], t.input[i] })
	t.columns = workflow.NewColumns(w.comp, t.input, t.uniform)
	return t
}

// column returns the service times of a slot under resources r.
func (t *truth) column(slot int, r function.Resources) []float64 {
	key := truthKey{slot, r}
	c, ok := t.cache[key]
	if !ok {
		table := t.w.tables[t.w.function(t.w.comp.Slots()[slot])]
		c = make([]float64, len(t.service[slot]))
		times := []profile.Times{table.At(r)}
		for in := range t.w.model.Inputs {
			times = append(times, table.Of(in, r))
		}
		for i, u := range t.service[slot] {
			c[i] = times[1+t.input[i]].Quantile(u)
		}
		t.cache[key] = c
	}
	return c
}

// latency returns the promised statistic of a configuration, +Inf if a function
// does not survive with its memory.
func (t *truth) latency(c tuner.Configuration) float64 {
	service := make([][]float64, len(t.service))
	for k, stage := range t.w.comp.Slots() {
		f := t.w.function(stage)
		if !t.w.tables[f].Works(c[f]) {
			return math.Inf(1)
		}
		service[k] = t.column(k, c[f])
	}
	dst := make([]float64, len(t.service[0]))
	t.columns.Latencies(service, dst)
	return t.w.problem.Target.Of(dst)
}

// mean returns the mean time in seconds of the invocations of function f with
// resources r: inputs count by the invocations that their runs make.
func (w *tuneWorld) mean(f int, r function.Resources) float64 {
	if len(w.inputs) == 0 || w.visits[f] == 0 {
		return w.tables[f].Mean(-1, r)
	}
	var sum float64
	for k, in := range w.inputs {
		if in.visits[f] > 0 {
			sum += in.share * in.visits[f] * w.tables[f].Mean(k, r)
		}
	}
	return sum / w.visits[f]
}

// cost returns the mean cost of a run.
func (w *tuneWorld) cost(c tuner.Configuration) float64 {
	var sum float64
	for f := range w.tables {
		sum += w.visits[f] * (w.problem.Price.Busy(c[f], 1e9)*w.mean(f, c[f]) + w.problem.Price.PerInvocation)
	}
	return sum
}
