package bayesopt_test

import (
	"errors"
	"math"
	"testing"

	"github.com/aquatope/aquatope/bayesopt"
	"github.com/aquatope/aquatope/gp"
	"github.com/aquatope/aquatope/stats"
	"gonum.org/v1/gonum/stat/distuv"
)

func posterior(t testing.TB, d gp.Data, noise float64) *gp.Posterior {
	t.Helper()
	dim := len(d.X[0])
	p := make(gp.Params, dim+3)
	for i := range dim {
		p[i] = math.Log(0.4 + 0.1*float64(i))
	}
	p[dim+1] = math.Log(noise)
	post, err := (&gp.Model{Dim: dim}).Condition(d, p)
	if err != nil {
		t.Fatal(err)
	}
	return post
}

func data(n, dim int, f func(x []float64) float64) gp.Data {
	var d gp.Data
	for i := range uint32(n) {
		x := bayesopt.NewSobol(dim).Scrambled(9).Point(i)
		d.X, d.Y = append(d.X, x), append(d.Y, f(x))
	}
	return d
}

// Without noise and constraints noisy expected improvement is expected
// improvement: (b - μ)·Φ(z) + σ·φ(z) with z = (b - μ)/σ (Jones et al., 1998).
func TestNEIApproachesClosedFormEI(t *testing.T) {
	d := data(8, 1, func(x []float64) float64 { return math.Sin(7 * x[0]) })
	post := posterior(t, d, 1e-8)
	best := math.Inf(1)
	for _, y := range d.Y {
		best = math.Min(best, y)
	}
	nei, err := bayesopt.NewNEI(post, nil, bayesopt.NEIOptions{Batch: 1, Samples: 4096, Worst: 10})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []float64{0.61, 0.7, 0.98} {
		mu, v := post.Predict([]float64{x})
		sd := math.Sqrt(v)
		z := (best - mu) / sd
		want := (best-mu)*distuv.UnitNormal.CDF(z) + sd*distuv.UnitNormal.Prob(z)
		got := nei.Value([][]float64{{x}})
		if math.Abs(got-want) > 0.03*want+2e-4 {
			t.Errorf("at %v: %v, closed form %v", x, got, want)
		}
	}
}

// With one observation that is known to be infeasible the value is that of the
// utility itself, weighted by the probability of feasibility.
func TestNEIWeighsFeasibility(t *testing.T) {
	d := gp.Data{X: [][]float64{{0.2}}, Y: []float64{0}}
	c := gp.Data{X: [][]float64{{0.2}}, Y: []float64{0.9}}
	objective, constraint := posterior(t, d, 1e-8), posterior(t, c, 1e-8)
	nei, err := bayesopt.NewNEI(objective, []*gp.Posterior{constraint}, bayesopt.NEIOptions{Batch: 1, Samples: 8192, Worst: 5})
	if err != nil {
		t.Fatal(err)
	}
	mu, _ := objective.Predict([]float64{0.9})
	cm, cv := constraint.Predict([]float64{0.9})
	want := (5 - mu) * distuv.UnitNormal.CDF(-cm/math.Sqrt(cv))
	if got := nei.Value([][]float64{{0.9}}); math.Abs(got-want) > 0.02*want {
		t.Errorf("value %v, want %v", got, want)
	}
}

func TestNEIRefusesNonsense(t *testing.T) {
	f := func(x []float64) float64 { return x[0] }
	post, fewer := posterior(t, data(8, 1, f), 0.01), posterior(t, data(7, 1, f), 0.01)
	for name, c := range map[string]struct {
		constraints []*gp.Posterior
		opt         bayesopt.NEIOptions
	}{
		"no batch":           {nil, bayesopt.NEIOptions{Samples: 8}},
		"no samples":         {nil, bayesopt.NEIOptions{Batch: 1}},
		"a worst of NaN":     {nil, bayesopt.NEIOptions{Batch: 1, Samples: 8, Worst: math.NaN()}},
		"other observations": {[]*gp.Posterior{fewer}, bayesopt.NEIOptions{Batch: 1, Samples: 8, Worst: 3}},
	} {
		if _, err := bayesopt.NewNEI(post, c.constraints, c.opt); !errors.Is(err, bayesopt.ErrOptions) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNEIGradientAgainstDifferences(t *testing.T) {
	f := data(12, 2, func(x []float64) float64 { return math.Sin(5*x[0]) + x[1] })
	c := data(12, 2, func(x []float64) float64 { return 0.002 * (x[0] - x[1]) }) // inside of the sigmoid's slope
	for _, log := range []bool{false, true} {
		nei, err := bayesopt.NewNEI(posterior(t, f, 0.01), []*gp.Posterior{posterior(t, c, 1e-4)},
			bayesopt.NEIOptions{Batch: 3, Samples: 16, Worst: 4, Log: log, Seed: 3})
		if err != nil {
			t.Fatal(err)
		}
		xs := [][]float64{{0.9, 0.05}, {0.7, 0.3}, {0.95, 0.6}}
		grad := [][]float64{{0, 0}, {0, 0}, {0, 0}}
		nei.Gradient(xs, grad)
		var steep float64
		for i := range xs {
			for j := range xs[i] {
				const h = 1e-6
				x := xs[i][j]
				xs[i][j] = x + h
				up := nei.Value(xs)
				xs[i][j] = x - h
				down := nei.Value(xs)
				xs[i][j] = x
				want := (up - down) / (2 * h)
				steep = math.Max(steep, math.Abs(want))
				if math.Abs(grad[i][j]-want) > 1e-4*math.Max(1, math.Abs(want)) {
					t.Errorf("log %v: derivative %d,%d is %v, want %v", log, i, j, grad[i][j], want)
				}
			}
		}
		if steep == 0 {
			t.Errorf("log %v: flat everywhere, nothing was tested", log)
		}
	}
}

// More work must not find a much better batch: the default search is good.
func TestMaximiseIsCloseToExhaustive(t *testing.T) {
	f := data(30, 4, func(x []float64) float64 { return math.Sin(5*x[0]) + x[1] - x[2]*x[3] })
	c := data(30, 4, func(x []float64) float64 { return x[0] + x[1] - x[2] - 0.4 })
	for _, log := range []bool{false, true} {
		nei, err := bayesopt.NewNEI(posterior(t, f, 0.01), []*gp.Posterior{posterior(t, c, 0.01)},
			bayesopt.NEIOptions{Batch: 3, Samples: 32, Worst: 4, Log: log, Seed: 3})
		if err != nil {
			t.Fatal(err)
		}
		_, usual := nei.Maximise(4, nil, bayesopt.SearchOptions{}, stats.Stream(1, "usual"))
		_, most := nei.Maximise(4, nil, bayesopt.SearchOptions{Raw: 2048, Restarts: 40}, stats.Stream(2, "most"))
		if log && usual < most-0.05 || !log && usual < 0.9*most {
			t.Errorf("log %v: acquisition value %v, with four times the work %v", log, usual, most)
		}
	}
}

// BenchmarkBatch is the decision of the paper's method: 70 points in 20
// dimensions, two models fitted, a batch of 3 with 10 restarts and 32 samples.
func BenchmarkBatch(b *testing.B) {
	for _, log := range []bool{false, true} {
		b.Run(map[bool]string{false: "plain", true: "log"}[log], func(b *testing.B) {
			acq := bayesopt.NoisyEI
			if log {
				acq = bayesopt.LogNoisyEI
			}
			s, err := bayesopt.NewStudy(bayesopt.Options{Dim: 20, Constraints: 1, Acquisition: acq})
			if err != nil {
				b.Fatal(err)
			}
			rng := stats.Stream(4, "batch")
			for i := range uint32(70) {
				x := bayesopt.NewSobol(20).Scrambled(5).Point(i)
				var cost, time float64
				for j := range 10 {
					t := 0.2 + 1/(0.1+6*x[2*j])
					time += t / 10
					cost += t * (x[2*j] + 0.1*x[2*j+1])
				}
				o := bayesopt.Observation{
					X: x, Objective: cost * math.Exp(0.1*rng.NormFloat64()),
					Constraints: []float64{time*math.Exp(0.1*rng.NormFloat64()) - 0.8},
				}
				if err := s.Tell(o); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Ask(3, stats.Stream(1, "ask")); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
