package minimise_test

import (
	"math"
	"testing"

	"github.com/aquatope/aquatope/gp/minimise"
	"pgregory.net/rapid"
)

// rosenbrock has its minimum 0 at (1, 1) (Rosenbrock, 1960).
func rosenbrock(x, g []float64) float64 {
	a, b := 1-x[0], x[1]-x[0]*x[0]
	g[0], g[1] = -2*a-400*x[0]*b, 200*b
	return a*a + 100*b*b
}

func box(n int, lo, hi float64) (l, u []float64) {
	for range n {
		l, u = append(l, lo), append(u, hi)
	}
	return l, u
}

func TestKnownMinima(t *testing.T) {
	l, u := box(2, math.Inf(-1), math.Inf(1))
	r := minimise.Box(rosenbrock, []float64{-1.2, 1}, l, u, minimise.Options{Iterations: 200})
	if math.Abs(r.X[0]-1) > 1e-4 || math.Abs(r.X[1]-1) > 1e-4 {
		t.Errorf("Rosenbrock: ended at %v after %d steps", r.X, r.Iterations)
	}
	// Bounded by x <= 0.5 the minimum is at (0.5, 0.25) with value 0.25.
	l, u = box(2, -2, 0.5)
	r = minimise.Box(rosenbrock, []float64{-1.2, 0.4}, l, u, minimise.Options{Iterations: 200})
	if math.Abs(r.Value-0.25) > 1e-6 {
		t.Errorf("bounded Rosenbrock: %v at %v, want 0.25", r.Value, r.X)
	}
}

// On a convex quadratic in a box the end satisfies the first-order conditions,
// which are sufficient there.
func TestQuadraticOptimality(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 6).Draw(t, "n")
		scale := rapid.SliceOfN(rapid.Float64Range(0.1, 50), n, n).Draw(t, "scale")
		centre := rapid.SliceOfN(rapid.Float64Range(-2, 2), n, n).Draw(t, "centre")
		l, u := box(n, -1, 1)
		f := func(x, g []float64) float64 {
			var v, sum float64
			for i := range x {
				d := x[i] - centre[i]
				v += scale[i] * d * d
				g[i] = 2 * scale[i] * d
				sum += d
			}
			for i := range g { // couples the variables
				g[i] += sum
			}
			return v + sum*sum/2
		}
		r := minimise.Box(f, make([]float64, n), l, u, minimise.Options{Iterations: 500})
		g := make([]float64, n)
		f(r.X, g)
		for i, x := range r.X {
			if p := math.Min(math.Max(x-g[i], -1), 1) - x; math.Abs(p) > 2e-3 {
				t.Fatalf("projected gradient %v of variable %d at %v", p, i, r.X)
			}
		}
	})
}

func TestOutsideOfTheDomain(t *testing.T) {
	l, u := box(1, -5, 5)
	log := func(x, g []float64) float64 { // not defined left of 0; minimum at 1
		g[0] = 1 - 1/x[0]
		return x[0] - math.Log(x[0])
	}
	if r := minimise.Box(log, []float64{4}, l, u, minimise.Options{}); math.Abs(r.X[0]-1) > 1e-4 {
		t.Errorf("ended at %v, want 1", r.X)
	}
	if r := minimise.Box(log, []float64{-1}, l, u, minimise.Options{}); r.X[0] != -1 || r.Iterations != 0 {
		t.Errorf("undefined start: %+v", r)
	}
}
