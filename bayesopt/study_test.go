package bayesopt_test

import (
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/aquatope/aquatope/bayesopt"
	"github.com/aquatope/aquatope/bayesopt/testproblem"
	"github.com/aquatope/aquatope/stats"
	"pgregory.net/rapid"
)

func TestProblemsHaveTheirOptima(t *testing.T) {
	for _, p := range testproblem.All() {
		f, c := p.Evaluate(p.Optimum)
		if math.Abs(f-p.Value) > 1e-4 {
			t.Errorf("%s: objective %v at the optimum, want %v", p.Name, f, p.Value)
		}
		for _, v := range c {
			if v > 1e-4 {
				t.Errorf("%s: constraint %v at the optimum", p.Name, v)
			}
		}
		rng := stats.Stream(1, p.Name)
		for range 20000 {
			x := make([]float64, p.Dim)
			for i := range x {
				x[i] = rng.Float64()
			}
			if f, c := p.Evaluate(x); f < p.Value-1e-4 && (len(c) == 0 || slices.Max(c) <= 0) {
				t.Errorf("%s: %v at %v is below the optimum", p.Name, f, x)
			}
		}
	}
}

// run returns the lowest feasible objective among n noiseless evaluations.
func run(t *testing.T, p testproblem.Problem, acq bayesopt.Acquisition, n int, seed uint64) float64 {
	t.Helper()
	rng := stats.Stream(seed, p.Name)
	s, err := bayesopt.NewStudy(bayesopt.Options{
		Dim: p.Dim, Constraints: p.Constraints, Acquisition: acq,
		Search: bayesopt.SearchOptions{Raw: 64, Restarts: 4, Iterations: 50},
	})
	if err != nil {
		t.Fatal(err)
	}
	best := math.Inf(1)
	tell := func(xs [][]float64) {
		for _, x := range xs {
			f, c := p.Evaluate(x)
			if len(c) == 0 || slices.Max(c) <= 0 {
				best = math.Min(best, f)
			}
			if err := s.Tell(bayesopt.Observation{X: x, Objective: f, Constraints: c}); err != nil {
				t.Fatal(err)
			}
		}
	}
	xs := make([][]float64, 8)
	for i := range xs {
		xs[i] = bayesopt.NewSobol(p.Dim).Scrambled(seed).Point(uint32(i))
	}
	tell(xs)
	for done := 8; done < n; done += len(xs) {
		if xs, err = s.Ask(min(2, n-done), rng); err != nil {
			t.Fatal(err)
		}
		tell(xs)
	}
	return best
}

func random(p testproblem.Problem, n int, seed uint64) float64 {
	rng := stats.Stream(seed, "random")
	best := math.Inf(1)
	for range n {
		x := make([]float64, p.Dim)
		for i := range x {
			x[i] = rng.Float64()
		}
		if f, c := p.Evaluate(x); len(c) == 0 || slices.Max(c) <= 0 {
			best = math.Min(best, f)
		}
	}
	return best
}

// On problems with known optima every method has, in the median over seeds, a
// regret far below that of random search with the same number of evaluations.
func TestStudiesBeatRandomSearch(t *testing.T) {
	const seeds, n = 5, 30
	for _, p := range testproblem.All() {
		regret := func(f func(seed uint64) float64) float64 {
			var r []float64
			for seed := range uint64(seeds) {
				r = append(r, f(seed)-p.Value)
			}
			return stats.Quantiles(r, 0.5)[0]
		}
		chance := regret(func(seed uint64) float64 { return random(p, n, seed) })
		for name, acq := range map[string]bayesopt.Acquisition{
			"noisy EI": bayesopt.NoisyEI, "log noisy EI": bayesopt.LogNoisyEI, "trust region": bayesopt.TrustRegion,
		} {
			got := regret(func(seed uint64) float64 { return run(t, p, acq, n, seed) })
			t.Logf("%s, %s: regret %.4f, random %.4f", p.Name, name, got, chance)
			if !(got < 0.7*chance) {
				t.Errorf("%s, %s: regret %.4f, random search has %.4f", p.Name, name, got, chance)
			}
		}
	}
}

// Whatever is told, an ask gives points of the unit cube or an error.
func TestStudyIsSound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		acq := bayesopt.Acquisition(rapid.IntRange(0, 2).Draw(t, "acquisition"))
		s, err := bayesopt.NewStudy(bayesopt.Options{
			Dim: 2, Constraints: 1, Acquisition: acq, Samples: 8, Outliers: bayesopt.OutlierRule{Z: 3},
			Search: bayesopt.SearchOptions{Raw: 8, Restarts: 2, Iterations: 5},
		})
		if err != nil {
			t.Fatal(err)
		}
		for range rapid.IntRange(0, 6).Draw(t, "n") {
			o := bayesopt.Observation{
				X:           rapid.SliceOfN(rapid.SampledFrom([]float64{0, 0.5, 1}), 2, 2).Draw(t, "x"),
				Objective:   rapid.SampledFrom([]float64{1, 1, 1e9, -1e-9}).Draw(t, "objective"),
				Constraints: []float64{rapid.SampledFrom([]float64{-1, 0, 1e6}).Draw(t, "constraint")},
				Failed:      rapid.Bool().Draw(t, "failed"),
			}
			if err := s.Tell(o); err != nil {
				t.Fatal(err)
			}
		}
		xs, err := s.Ask(2, stats.Stream(1, "ask"))
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range xs {
			for _, v := range x {
				if !(v >= 0 && v <= 1) {
					t.Fatalf("asked for %v", x)
				}
			}
		}
	})
}

// A study owns what it was told and what it tells: who uses a slice again changes
// nothing in it.
func TestStudyOwnsItsHistory(t *testing.T) {
	s, err := bayesopt.NewStudy(bayesopt.Options{Dim: 1, Constraints: 1})
	if err != nil {
		t.Fatal(err)
	}
	x, c := []float64{0}, []float64{0}
	for i := range 4 {
		x[0], c[0] = float64(i)/4, -1
		if err := s.Tell(bayesopt.Observation{X: x, Objective: 1 - x[0], Constraints: c}); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		x[0], c[0] = 0, 1
		best, feasible, err := s.Best()
		if err != nil || !feasible || best[0] != 0.75 {
			t.Fatalf("best is %v, feasible %v, %v", best, feasible, err)
		}
		best[0] = 0
	}
}

func TestStudyRefusesNonsense(t *testing.T) {
	if _, err := bayesopt.NewStudy(bayesopt.Options{}); err == nil {
		t.Error("a study without inputs")
	}
	s, err := bayesopt.NewStudy(bayesopt.Options{Dim: 1})
	if err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]bayesopt.Observation{
		"NaN":        {X: []float64{0}, Objective: math.NaN()},
		"outside":    {X: []float64{1.5}},
		"NaN input":  {X: []float64{math.NaN()}},
		"dimensions": {X: []float64{0, 0}},
		"constraint": {X: []float64{0}, Constraints: []float64{1}},
	} {
		if err := s.Tell(o); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := s.Ask(0, stats.Stream(1, "")); err == nil {
		t.Error("an empty batch")
	}
	for name, o := range map[string]bayesopt.Options{
		"acquisition": {Dim: 1, Acquisition: 3},
		"samples":     {Dim: 1, Samples: -1},
		"constraints": {Dim: 1, Constraints: -1},
	} {
		if _, err := bayesopt.NewStudy(o); !errors.Is(err, bayesopt.ErrOptions) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
