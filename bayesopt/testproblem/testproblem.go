// Package testproblem holds functions with known optima on which optimisers of
// expensive functions are compared.
package testproblem

import "math"

// Problem is a function over the unit cube, to be minimised where all of its
// constraints are not positive.
type Problem struct {
	Name        string
	Dim         int
	Constraints int
	// Evaluate returns objective and constraints at x.
	Evaluate func(x []float64) (objective float64, constraints []float64)
	// Optimum is a best point, Value the objective there.
	Optimum []float64
	Value   float64
}

// All returns every problem.
func All() []Problem { return []Problem{Branin(), Hartmann6(), Gramacy()} }

// Branin is the function of Branin (1972) as scaled by Dixon and Szegő (1978),
// with x1 in [-5, 10] and x2 in [0, 15]; three equal minima.
func Branin() Problem {
	return Problem{
		Name: "branin", Dim: 2, Value: 0.39788735772973816,
		Optimum: []float64{(math.Pi + 5) / 15, 2.275 / 15},
		Evaluate: func(u []float64) (float64, []float64) {
			x, y := 15*u[0]-5, 15*u[1]
			a := y - 5.1/(4*math.Pi*math.Pi)*x*x + 5/math.Pi*x - 6
			return a*a + 10*(1-1/(8*math.Pi))*math.Cos(x) + 10, nil
		},
	}
}

// Hartmann6 is the six-dimensional function of Hartman (1973), with one global
// minimum and five others.
func Hartmann6() Problem {
	weight := [4]float64{1, 1.2, 3, 3.2}
	scale := [4][6]float64{
		{10, 3, 17, 3.5, 1.7, 8},
		{0.05, 10, 17, 0.1, 8, 14},
		{3, 3.5, 1.7, 10, 17, 8},
		{17, 8, 0.05, 10, 0.1, 14},
	}
	centre := [4][6]float64{
		{0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886},
		{0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991},
		{0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650},
		{0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381},
	}
	return Problem{
		Name: "hartmann6", Dim: 6, Value: -3.32237,
		Optimum: []float64{0.20169, 0.150011, 0.476874, 0.275332, 0.311652, 0.6573},
		Evaluate: func(x []float64) (float64, []float64) {
			var sum float64
			for i := range weight {
				var e float64
				for j := range 6 {
					d := x[j] - centre[i][j]
					e += scale[i][j] * d * d
				}
				sum -= weight[i] * math.Exp(-e)
			}
			return sum, nil
		},
	}
}

// Gramacy is the problem of Gramacy et al., Modeling an augmented Lagrangian
// for blackbox constrained optimization (2016): a linear objective under two
// constraints, one of them wavy.
func Gramacy() Problem {
	return Problem{
		Name: "gramacy", Dim: 2, Constraints: 2, Value: 0.5997880814,
		Optimum: []float64{0.19512, 0.40467},
		Evaluate: func(x []float64) (float64, []float64) {
			c1 := 1.5 - x[0] - 2*x[1] - math.Sin(2*math.Pi*(x[0]*x[0]-2*x[1]))/2
			c2 := x[0]*x[0] + x[1]*x[1] - 1.5
			return x[0] + x[1], []float64{c1, c2}
		},
	}
}
