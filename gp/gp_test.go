package gp_test

import (
	"math"
	"testing"

	"github.com/aquatope/aquatope/gp"
	"github.com/aquatope/aquatope/stats"
	"pgregory.net/rapid"
)

// bend is a mean function with two parameters, not linear in the second.
type bend struct{}

func (bend) Len() int { return 2 }

func (bend) With(p []float64) gp.MeanFunc {
	return func(x, grad []float64) float64 {
		square := math.Exp(p[1]) * x[0] * x[0]
		if grad != nil {
			grad[0], grad[1] = 1, square
		}
		return p[0] + square
	}
}

func sample(n, dim int, seed uint64) gp.Data {
	rng := stats.Stream(seed, "gp test")
	var d gp.Data
	for range n {
		x := make([]float64, dim)
		var y float64
		for i := range x {
			x[i] = rng.Float64()
			y += math.Sin(3*x[i]) / float64(i+1)
		}
		d.X, d.Y = append(d.X, x), append(d.Y, y+0.1*rng.NormFloat64())
	}
	return d
}

// A single observation y at x gives, at distance 0, mean y·v/(v+s) and
// variance v·s/(v+s).
func TestOneObservationClosedForm(t *testing.T) {
	m := &gp.Model{Dim: 1, Mean: gp.ZeroMean{}}
	post, err := m.Condition(gp.Data{X: [][]float64{{0.3}}, Y: []float64{2}}, gp.Params{0, math.Log(3), math.Log(0.5)})
	if err != nil {
		t.Fatal(err)
	}
	mean, v := post.Predict([]float64{0.3})
	near(t, "mean", mean, 2*3/3.5, 1e-14)
	near(t, "variance", v, 3*0.5/3.5, 1e-14)
	ll := m.LogLikelihood(gp.Data{X: [][]float64{{0.3}}, Y: []float64{2}}, gp.Params{0, math.Log(3), math.Log(0.5)}, nil)
	near(t, "log likelihood", ll, -4/(2*3.5)-math.Log(2*math.Pi*3.5)/2, 1e-14)
}

// Noise that is known is added to the model's own, which a weight divides and which
// may change with the input: mean y·v/(v+s) with s of all three.
func TestKindsOfNoiseClosedForm(t *testing.T) {
	m := &gp.Model{Dim: 1, Mean: gp.ZeroMean{}, Noise: gp.LinearNoise{Dim: 1}}
	p := gp.Params{0, math.Log(3), math.Log(0.5), 2}
	s := 0.5*math.Exp(2*0.3)/4 + 0.7
	d := gp.Data{X: [][]float64{{0.3}}, Y: []float64{2}, Fixed: []float64{0.7}, Weight: []float64{4}}
	at := []float64{0.3}
	whole, err := m.Condition(d, p)
	if err != nil {
		t.Fatal(err)
	}
	grown, err := m.Condition(gp.Data{}, p)
	if err != nil {
		t.Fatal(err)
	}
	if err := grown.Append(at, 2, 0.7, 4); err != nil {
		t.Fatal(err)
	}
	for _, post := range []*gp.Posterior{whole, grown} {
		mean, v := post.Predict(at)
		near(t, "mean", mean, 2*3/(3+s), 1e-14)
		near(t, "variance", v, 3*s/(3+s), 1e-14)
		near(t, "noise of one more", post.NoiseVariance(at), 0.5*math.Exp(2*0.3), 1e-14)
	}
	near(t, "log likelihood", m.LogLikelihood(d, p, nil), -4/(2*(3+s))-math.Log(2*math.Pi*(3+s))/2, 1e-14)
}

func TestKernelClosedForm(t *testing.T) {
	// Matérn 5/2 at distance equal to the length-scale: (1 + √5 + 5/3)·exp(-√5).
	want := (1 + math.Sqrt(5) + 5.0/3) * math.Exp(-math.Sqrt(5))
	for _, form := range []gp.Form{gp.Radial, gp.Product} {
		k := gp.Kernel{Form: form, Variance: 2, Length: []float64{0.5, 3}}
		near(t, "kernel", k.Eval([]float64{1, 1}, []float64{1.5, 1}), 2*want, 1e-14)
	}
	k := gp.Kernel{Form: gp.Product, Variance: 2, Length: []float64{0.5, 3}}
	near(t, "product", k.Eval([]float64{1, 1}, []float64{1.5, 4}), 2*want*want, 1e-14)
}

func TestGradientsAgainstDifferences(t *testing.T) {
	for name, m := range map[string]*gp.Model{
		"radial":  {Dim: 2, Mean: bend{}, Noise: gp.LinearNoise{Dim: 2}},
		"product": {Dim: 2, Form: gp.Product, Mean: bend{}, Noise: gp.LinearNoise{Dim: 2}},
	} {
		t.Run(name, func(t *testing.T) {
			d := sample(15, 2, 3)
			d.Weight, d.Fixed = make([]float64, 15), make([]float64, 15)
			for i := range d.Weight {
				d.Weight[i], d.Fixed[i] = 1/float64(i+1), 0.01*float64(i)
			}
			m.Priors = make([]gp.Prior, m.NumParams())
			for i := range m.Priors {
				m.Priors[i] = gp.Normal{Mean: 0.1, SD: 2}
			}
			m.Priors[1] = gp.GammaOfExp{Shape: 3, Rate: 6}
			p := gp.Params{-0.5, 0.3, 0.2, -3, 0.5, -0.4, 0.2, -0.3}
			grad := make([]float64, len(p))
			m.LogPosterior(d, p, grad)
			for i := range p {
				const h = 1e-5
				up, down := append(gp.Params(nil), p...), append(gp.Params(nil), p...)
				up[i] += h
				down[i] -= h
				want := (m.LogPosterior(d, up, nil) - m.LogPosterior(d, down, nil)) / (2 * h)
				near(t, "gradient", grad[i], want, 1e-6)
			}
		})
	}
}

func TestAppendEqualsCondition(t *testing.T) {
	m := &gp.Model{Dim: 2, Mean: bend{}, Linearise: true, Priors: make([]gp.Prior, 6)}
	m.Priors[4], m.Priors[5] = gp.Normal{Mean: 0.3, SD: 1}, gp.Normal{Mean: 0, SD: 0.5}
	p := gp.Params{-0.5, 0.3, 0.2, -3, 0.5, -0.4}
	d := sample(20, 2, 5)
	whole, err := m.Condition(d, p)
	if err != nil {
		t.Fatal(err)
	}
	part, err := m.Condition(gp.Data{X: d.X[:12], Y: d.Y[:12]}, p)
	if err != nil {
		t.Fatal(err)
	}
	for i := 12; i < 20; i++ {
		if err := part.Append(d.X[i], d.Y[i], 0, 1); err != nil {
			t.Fatal(err)
		}
	}
	x := []float64{0.7, 0.1}
	m1, v1 := whole.Predict(x)
	m2, v2 := part.Predict(x)
	near(t, "mean", m2, m1, 1e-10)
	near(t, "variance", v2, v1, 1e-10)
}

// A linearised mean with a nearly flat kernel variance is Bayesian linear
// regression, whose posterior has a closed form.
func TestLineariseIsBayesianRegression(t *testing.T) {
	m := &gp.Model{Dim: 1, Linearise: true, Priors: make([]gp.Prior, 4)}
	m.Priors[3] = gp.Normal{Mean: 1, SD: 2}
	d := gp.Data{X: [][]float64{{0}, {1}, {2}}, Y: []float64{2, 4, 3}}
	post, err := m.Condition(d, gp.Params{0, math.Log(1e-12), math.Log(0.5), 2.2})
	if err != nil {
		t.Fatal(err)
	}
	precision := 1.0/4 + 3/0.5
	mean, v := post.Predict([]float64{7})
	near(t, "mean", mean, (1.0/4+9/0.5)/precision, 1e-8)
	near(t, "variance", v, 1/precision, 1e-8)
}

func TestPathsHaveThePosteriorsMoments(t *testing.T) {
	for _, form := range []gp.Form{gp.Radial, gp.Product} {
		m := &gp.Model{Dim: 2, Form: form, Mean: bend{}, Linearise: true, Priors: make([]gp.Prior, 6)}
		m.Priors[4], m.Priors[5] = gp.Normal{Mean: 0.3, SD: 1}, gp.Normal{Mean: 0, SD: 0.5}
		post, err := m.Condition(sample(10, 2, 8), gp.Params{-0.5, 0.3, 0.2, -3, 0.5, -0.4})
		if err != nil {
			t.Fatal(err)
		}
		x := []float64{1.4, 0.5}
		mean, v := post.Predict(x)
		const n = 3000
		var sum, square float64
		for _, p := range post.Paths(n, 128, stats.Stream(1, "paths")) {
			y := p.At(x)
			sum += y
			square += y * y
		}
		got := sum / n
		if math.Abs(got-mean) > 4*math.Sqrt(v/n) {
			t.Errorf("form %d: mean of paths %v, of the posterior %v ± %v", form, got, mean, math.Sqrt(v))
		}
		// the random features make the tails of the variance a little heavier
		if r := (square/n - got*got) / v; r < 0.85 || r > 1.15 {
			t.Errorf("form %d: variance of paths is %v of the posterior's", form, r)
		}
	}
}

func TestFitRecoversLengthScales(t *testing.T) {
	m := &gp.Model{Dim: 2}
	d := sample(60, 2, 11)
	for i := range d.X { // the second input does not matter
		d.Y[i] = math.Sin(6*d.X[i][0]) + 0.05*math.Sin(91*float64(i))
	}
	p, _, err := m.Fit(d, gp.FitOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if p[1] < p[0]+math.Log(4) {
		t.Errorf("length-scales %v and %v: the second should be much longer", math.Exp(p[0]), math.Exp(p[1]))
	}
	if sd := math.Exp(p[3] / 2); sd < 0.02 || sd > 0.08 {
		t.Errorf("noise standard deviation %v, want about 0.035", sd)
	}
}

// A fit works on what it has computed before; what it returns is what comes out anew.
func TestFitReturnsTheDensityOfItsParameters(t *testing.T) {
	for _, linearise := range []bool{false, true} {
		for _, form := range []gp.Form{gp.Radial, gp.Product} {
			m := &gp.Model{Dim: 2, Form: form, Mean: bend{}, Linearise: linearise, Priors: make([]gp.Prior, 6)}
			m.Priors[4], m.Priors[5] = gp.Normal{Mean: 0.3, SD: 1}, gp.Normal{Mean: 0, SD: 0.5}
			d := sample(25, 2, 12)
			for i := range d.X { // some values again and again
				d.X[i][0] = math.Round(4*d.X[i][0]) / 4
			}
			start := gp.Params{-0.5, 0.3, 0.2, -3, -2, 1.5}
			p, density, err := m.Fit(d, gp.FitOptions{Starts: []gp.Params{start}, Iterations: 20})
			if err != nil {
				t.Fatal(err)
			}
			near(t, "log density", density, m.LogPosterior(d, p, nil), 1e-12)
			if before := m.LogPosterior(d, start, nil); !(density > before+1) {
				t.Errorf("linearised %v, form %d: log density %v at the end, %v at the start", linearise, form, density, before)
			}
		}
	}
}

// Of several starts the best end wins.
func TestFitTakesTheBestStart(t *testing.T) {
	m := &gp.Model{Dim: 2}
	d := sample(12, 2, 3)
	starts := []gp.Params{
		{-4, -4, -11, -1, 0.5}, // nothing but noise
		{-1, -1, 0, -4, 0.5},
		{3, 3, 4, -2, 0},
	}
	best, worst := math.Inf(-1), math.Inf(1)
	for _, s := range starts {
		_, v, err := m.Fit(d, gp.FitOptions{Starts: []gp.Params{s}})
		if err != nil {
			t.Fatal(err)
		}
		best, worst = math.Max(best, v), math.Min(worst, v)
	}
	if best-worst < 0.1 {
		t.Errorf("all starts end at %v: nothing was tested", best)
	}
	p, v, err := m.Fit(d, gp.FitOptions{Starts: starts})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "best of all starts", v, best, 1e-12)
	near(t, "log posterior of the parameters", m.LogPosterior(d, p, nil), v, 1e-9)
}

// Whatever finite data come, duplicates and zero variance included, the
// posterior is finite, its variance not negative and not above the prior's.
func TestPosteriorIsSound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 12).Draw(t, "n")
		var d gp.Data
		for range n {
			x := rapid.SliceOfN(rapid.SampledFrom([]float64{0, 0.5, 0.5 + 1e-12, 1, 1e6}), 2, 2).Draw(t, "x")
			d.X = append(d.X, x)
			d.Y = append(d.Y, rapid.SampledFrom([]float64{0, 1, 1, 1, -3, 1e8}).Draw(t, "y"))
		}
		p := gp.Params{0, 0, rapid.Float64Range(-5, 5).Draw(t, "variance"), rapid.Float64Range(-40, 2).Draw(t, "noise"), 0}
		m := &gp.Model{Dim: 2, Form: gp.Form(rapid.IntRange(0, 1).Draw(t, "form"))}
		post, err := m.Condition(d, p)
		if err != nil {
			t.Fatalf("conditioning: %v", err)
		}
		for i := range rapid.IntRange(0, n).Draw(t, "again") { // told one by one, too
			if err := post.Append(d.X[i], d.Y[i], 0, 1); err != nil {
				t.Fatalf("appending: %v", err)
			}
		}
		xs := append([][]float64{{0.2, 0.9}}, d.X...)
		means, variances := post.PredictAll(xs)
		for i, x := range xs {
			mean, v := post.Predict(x)
			if means[i] != mean || variances[i] != v {
				t.Fatalf("at %v: mean %v, variance %v, among others %v and %v", x, mean, v, means[i], variances[i])
			}
			if math.IsNaN(mean) || math.IsInf(mean, 0) || !(v >= 0 && v <= math.Exp(p[2])*(1+1e-6)) {
				t.Fatalf("at %v: mean %v, variance %v", x, mean, v)
			}
		}
	})
}

func TestOutliers(t *testing.T) {
	d := sample(20, 1, 4)
	d.Y[7] += 3
	d.Y[12] -= 2
	post, err := (&gp.Model{Dim: 1}).Condition(d, gp.Params{-0.5, 0, math.Log(0.01), 0.5})
	if err != nil {
		t.Fatal(err)
	}
	for i, bad := range post.Outliers(3.5) {
		if bad != (i == 7 || i == 12) {
			t.Errorf("observation %d: outlier %v", i, bad)
		}
	}
}

func TestBadDataIsRefused(t *testing.T) {
	nan := math.NaN()
	for name, d := range map[string]gp.Data{
		"NaN value":       {X: [][]float64{{1}}, Y: []float64{nan}},
		"infinite value":  {X: [][]float64{{1}}, Y: []float64{math.Inf(1)}},
		"NaN input":       {X: [][]float64{{nan}}, Y: []float64{1}},
		"short row":       {X: [][]float64{{}}, Y: []float64{1}},
		"missing value":   {X: [][]float64{{1}}},
		"negative noise":  {X: [][]float64{{1}}, Y: []float64{1}, Fixed: []float64{-1}},
		"weight of zero":  {X: [][]float64{{1}}, Y: []float64{1}, Weight: []float64{0}},
		"weight infinite": {X: [][]float64{{1}}, Y: []float64{1}, Weight: []float64{math.Inf(1)}},
	} {
		m := &gp.Model{Dim: 1}
		if _, err := m.Condition(d, m.Start()); err == nil {
			t.Errorf("%s: conditioned", name)
		}
		if _, _, err := m.Fit(d, gp.FitOptions{}); err == nil {
			t.Errorf("%s: fitted", name)
		}
	}
}

func BenchmarkFit(b *testing.B) {
	d := sample(70, 20, 1)
	m := paperModel(20)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := m.Fit(d, gp.FitOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

func paperModel(dim int) *gp.Model {
	m := &gp.Model{Dim: dim}
	for range dim {
		m.Priors = append(m.Priors, gp.GammaOfExp{Shape: 3, Rate: 6})
	}
	m.Priors = append(m.Priors, gp.GammaOfExp{Shape: 2, Rate: 0.15}, gp.GammaOfExp{Shape: 1.1, Rate: 0.05}, gp.Flat{})
	return m
}
