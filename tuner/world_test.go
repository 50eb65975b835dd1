package tuner_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/profile"
	"github.com/aquatope/aquatope/profile/synthetic"
	"github.com/aquatope/aquatope/stats"
	"github.com/aquatope/aquatope/tuner"
	"github.com/aquatope/aquatope/workflow"
)

// world runs a generated workflow.
type world struct {
	problem *tuner.Problem
	model   *profile.Model
	comp    *workflow.Composition
}

func newWorld(t testing.TB, o synthetic.Options) *world {
	t.Helper()
	p, err := synthetic.Generate(o)
	if err != nil {
		t.Fatal(err)
	}
	m, err := profile.New(p)
	if err != nil {
		t.Fatal(err)
	}
	price, err := function.LookupPrice("paper")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{model: m, problem: &tuner.Problem{Graph: m.Graph, Target: tuner.PromiseOf(m.QoS), Price: price}}
	for _, f := range m.Functions {
		w.problem.Functions = append(w.problem.Functions, tuner.Function{Name: f.Name, Space: f.Space})
	}
	if w.comp, err = workflow.NewComposition(m.Graph); err != nil {
		t.Fatal(err)
	}
	return w
}

// run runs the workflow once. Generated graphs visit every stage once.
func (w *world) run(c tuner.Configuration, rng *rand.Rand) tuner.Run {
	service := make([]float64, len(w.comp.Slots()))
	r := tuner.Run{Configuration: c}
	for k, stage := range w.comp.Slots() {
		f := w.model.Functions[stage]
		service[k] = f.Quantile(c[stage], rng.Float64())
		inv := tuner.Invocation{Stage: stage, Seconds: service[k], Outcome: function.OutcomeOK, PeakMemory: f.Peak[rng.IntN(len(f.Peak))]}
		if !f.Works(c[stage]) {
			inv.Outcome, r.Failed = function.OutcomeOOM, true
		}
		r.Invocations = append(r.Invocations, inv)
	}
	r.Latency = w.comp.Latency(service, nil)
	return r
}

// truth returns the promised percentile of a configuration by simulation.
func (w *world) truth(c tuner.Configuration) float64 {
	rng := rand.New(rand.NewPCG(1, 1))
	l := make([]float64, 4000)
	for i := range l {
		r := w.run(c, rng)
		if r.Failed {
			return math.Inf(1)
		}
		l[i] = r.Latency
	}
	return w.problem.Target.Of(l)
}

func (w *world) cost(c tuner.Configuration) float64 {
	var sum float64
	for f, t := range w.model.Functions {
		sum += w.problem.Price.Busy(c[f], 1e9) * t.Mean(-1, c[f])
	}
	return sum
}

// search lets a strategy use n runs.
func (w *world) search(t testing.TB, s tuner.Strategy, n, batch int, seed uint64) []tuner.Run {
	t.Helper()
	var history []tuner.Run
	runs := stats.Stream(seed, "runs")
	for len(history) < n {
		next, err := s.Next(w.problem, history, batch, n-len(history), stats.Stream(seed+uint64(len(history)), "decide"))
		if err != nil {
			t.Fatal(err)
		}
		if len(next) == 0 {
			break
		}
		for _, c := range next {
			for f, r := range c {
				if !w.problem.Functions[f].Space.Contains(r) {
					t.Fatalf("%s asks for %v, which is not in the space of %s", s.Name(), r, w.problem.Functions[f].Name)
				}
			}
			history = append(history, w.run(c, runs))
		}
	}
	return history
}
