package search_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/aquatope/aquatope/stats"
	"github.com/aquatope/aquatope/tuner/search"
	"github.com/aquatope/aquatope/workflow"
	"pgregory.net/rapid"
)

func TestPercentileEqualsSorting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.SliceOfN(rapid.SampledFrom([]float64{1, 2, 2, 3, 5, 8, -1}), 1, 40).Draw(t, "x")
		p := rapid.Float64Range(0, 1).Draw(t, "p")
		want := stats.Quantiles(x, p)[0]
		if got := search.Percentile(p, slices.Clone(x)); math.Abs(got-want) > 1e-12 {
			t.Fatalf("%v, want %v", got, want)
		}
	})
}

func TestFrontIsNotDominated(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all []search.Option
		for range rapid.IntRange(1, 20).Draw(t, "n") {
			all = append(all, search.Option{Time: float64(rapid.IntRange(1, 9).Draw(t, "time")), Cost: float64(rapid.IntRange(1, 9).Draw(t, "cost"))})
		}
		front := search.Front(all)
		for _, o := range all { // everything is matched or beaten by the front
			if !slices.ContainsFunc(front, func(f search.Option) bool { return f.Time <= o.Time && f.Cost <= o.Cost }) {
				t.Fatalf("%v is not covered by %v", o, front)
			}
		}
		for i := 1; i < len(front); i++ {
			if !(front[i-1].Time < front[i].Time && front[i-1].Cost > front[i].Cost) {
				t.Fatalf("front %v is not ordered", front)
			}
		}
	})
}

// What is fastest on paper may be slow when it is simulated, as where little is known
// of it: a limit that it keeps just so is no reason to stay with it.
func TestFastestOnPaperIsSlow(t *testing.T) {
	const functions, options, unsure = 4, 64, 10
	s := &search.Space{Runs: 1, Graph: &workflow.Graph{Stages: make([]workflow.Stage, functions)}}
	root := &workflow.Node{Kind: workflow.KindSeries}
	for f := range functions {
		root.Children = append(root.Children, &workflow.Node{Kind: workflow.KindStage, Stage: f})
		s.Variable = append(s.Variable, f)
		var all []search.Option
		for i := range options {
			all = append(all, search.Option{Time: 1 + float64(i)/100, Cost: float64(options - i)})
		}
		s.Options = append(s.Options, all)
	}
	s.Graph.Root = root
	s.Column = func(_, option int, dst []float64) {
		dst[0] = 1 + float64(option)/100
		if option < unsure {
			dst[0] += 0.3
		}
	}
	s.Statistic = func(latency []float64) float64 { return latency[0] }
	var err error
	if s.Composition, err = workflow.NewComposition(s.Graph); err != nil {
		t.Fatal(err)
	}
	const limit = 5.205 // 5.2 with the fastest options, or with the thirtieth and one step more
	sol := s.Solve(limit, 2)
	if want := functions * (options - 30.0); !sol.Feasible || sol.Cost != want {
		t.Errorf("chose options %v at a cost of %g, which take %.2f s; %g is enough", sol.Choice, sol.Cost, sol.Value, want)
	}
}

// problem is a random workflow with noisy service times, small enough to try
// every choice.
func problem(t *rapid.T) *search.Space {
	g := &workflow.Graph{}
	functions := rapid.IntRange(1, 4).Draw(t, "functions")
	stage := func() *workflow.Node {
		g.Stages = append(g.Stages, workflow.Stage{})
		return &workflow.Node{Kind: workflow.KindStage, Stage: len(g.Stages) - 1}
	}
	s := &search.Space{Graph: g, Runs: 40}
	root := &workflow.Node{Kind: workflow.KindSeries}
	for f := range functions {
		n := stage()
		s.Variable = append(s.Variable, f)
		switch rapid.IntRange(0, 3).Draw(t, "shape") {
		case 0:
			root.Children = append(root.Children, n)
		case 1: // beside another stage of some function, which is then shared
			m := stage()
			s.Variable = append(s.Variable, rapid.IntRange(0, f).Draw(t, "shared"))
			root.Children = append(root.Children, &workflow.Node{Kind: workflow.KindParallel, Children: []*workflow.Node{n, m}})
		case 2:
			root.Children = append(root.Children, &workflow.Node{Kind: workflow.KindLoop, Count: 3, Width: 2, Children: []*workflow.Node{n}})
		case 3:
			root.Children = append(root.Children, &workflow.Node{Kind: workflow.KindChoice, Probability: []float64{0.4, 0.6}, Children: []*workflow.Node{n, {Kind: workflow.KindSeries}}})
		}
	}
	g.Root = root
	var err error
	if s.Composition, err = workflow.NewComposition(g); err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
	for range s.Composition.Uniforms() {
		s.Uniform = append(s.Uniform, draws(rng, s.Runs))
	}
	for range functions {
		var options []search.Option
		base := 0.2 + rng.Float64()
		for size := 1; size <= 6; size++ {
			time := base * (0.2 + 1/float64(size))
			options = append(options, search.Option{Time: time, Cost: time * float64(size) * (1 + 0.3*rng.Float64())})
		}
		s.Options = append(s.Options, search.Front(options))
	}
	noise := make([][]float64, len(s.Composition.Slots()))
	for k := range noise {
		noise[k] = draws(rng, s.Runs)
	}
	s.Column = func(slot, option int, dst []float64) {
		o := s.Options[s.Variable[s.Composition.Slots()[slot]]][option]
		for i := range dst {
			dst[i] = o.Time * (0.8 + 0.4*noise[slot][i])
		}
	}
	s.Statistic = func(l []float64) float64 { return search.Percentile(0.9, l) }
	return s
}

func draws(rng *rand.Rand, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = rng.Float64()
	}
	return out
}

// Against trying everything: a solution is feasible exactly when there is one,
// keeps the limit, and costs at most a little more than the best.
func TestSolveAgainstBruteForce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := problem(t)
		fastest := s.Value(s.Fastest())
		limit := fastest * rapid.Float64Range(0.8, 3).Draw(t, "slack")
		best := math.Inf(1)
		choice := make([]int, len(s.Options))
		var try func(v int)
		try = func(v int) {
			if v == len(choice) {
				if s.Value(choice) <= limit {
					best = math.Min(best, s.Cost(choice))
				}
				return
			}
			for choice[v] = range s.Options[v] {
				try(v + 1)
			}
			choice[v] = 0
		}
		try(0)
		got := s.Solve(limit, 10)
		if got.Feasible != !math.IsInf(best, 1) {
			t.Fatalf("feasible %v, the best has cost %v", got.Feasible, best)
		}
		if got.Feasible && (s.Value(got.Choice) > limit || got.Cost > 1.15*best+1e-12) {
			t.Fatalf("cost %v, the best has %v", got.Cost, best)
		}
	})
}
