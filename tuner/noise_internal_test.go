package tuner

import (
	"math"
	"slices"
	"testing"

	"github.com/aquatope/aquatope/stats"
)

// residuals of n runs that follow a shared cause with the given loading.
func following(loading float64, n int, shared []float64, name string) *surface {
	rng := stats.Stream(4, name)
	s := &surface{}
	for i := range n {
		z := loading*shared[i] + math.Sqrt(1-loading*loading)*rng.NormFloat64()
		s.resid = append(s.resid, residual{z: z, sd: 1, run: i})
	}
	return s
}

func TestCommonCause(t *testing.T) {
	const n = 400
	rng := stats.Stream(1, "shared")
	shared := make([]float64, n)
	for i := range shared {
		shared[i] = rng.NormFloat64()
	}
	got := commonCause([]*surface{following(0.9, n, shared, "a"), following(0.6, n, shared, "b"), following(0.3, n, shared, "c"), {}}, n)
	for v, want := range []float64{0.9, 0.6, 0.3, 0} {
		if math.Abs(got[v]-want) > 0.2 { // the centroid method is a rough one
			t.Errorf("loading %d is %v, want %v", v, got[v], want)
		}
	}
	for _, l := range commonCause([]*surface{following(0, n, shared, "a"), following(0, n, shared, "b")}, n) {
		if l != 0 {
			t.Errorf("independent noise has loading %v", l)
		}
	}
}

// A function whose times come in two clusters keeps its shape; one with normal
// noise keeps to that of all.
func TestOwnShape(t *testing.T) {
	rng := stats.Stream(2, "shape")
	var normal, two []float64
	for i := range 60 {
		normal = append(normal, rng.NormFloat64())
		two = append(two, float64(2*(i%2)-1)+0.05*rng.NormFloat64())
	}
	slices.Sort(normal)
	slices.Sort(two)
	common, size := coreShape(normal)
	if got := ownShape(normal, common, size); !slices.Equal(got, common) {
		t.Error("normal noise has a shape of its own")
	}
	got := ownShape(two, common, size)
	if q := got[coreSteps*95/100]; q > 1.3 {
		t.Errorf("95 %% quantile of two clusters at ±1: %v", q)
	}
	for i := 1; i < len(got); i++ {
		if got[i] < got[i-1] {
			t.Fatal("quantiles fall")
		}
	}
}

func TestOutliersStayInTheNoise(t *testing.T) {
	s := &surface{}
	for i := range 40 {
		s.resid = append(s.resid, residual{z: float64(i%5) - 2, sd: 0.1})
	}
	s.resid[3].z, s.resid[3].outlier = 10, true // e times slower
	n := learnNoise([]*surface{s})[0]
	share := n.mean(0)
	if share.total() < 0.01 || share.total() > 0.05 || share[0] > 0 {
		t.Errorf("shares of outliers %v, want about 1/40 of those a lot slower", share)
	}
	few, many := 1.0, 0.0
	for e := range explanations {
		few, many = math.Min(few, n.share(0, e).total()), math.Max(many, n.share(0, e).total())
		if d := n.draw(0.5, n.share(0, e), e); math.Abs(d-1) > 1e-12 {
			t.Errorf("outliers are e^%v times slower, was e", d)
		}
	}
	if !(many > 3*few) {
		t.Errorf("one outlier in 40 tells the share to be within %v and %v", few, many)
	}
	if e := n.excess(portion{0, 0.03}); math.Abs(e-(1+0.03*(math.E-1))) > 1e-9 {
		t.Errorf("outliers add %v to the mean", e)
	}
}

// What happens with a tenth of a CPU says little about a whole one.
func TestOutliersBelongToTheirCPU(t *testing.T) {
	s := &surface{}
	for i := range 40 {
		r := residual{z: float64(i%5) - 2, sd: 0.1, cpu: math.Log(0.1)}
		if i >= 20 {
			r.cpu = math.Log(2)
		} else if i%5 == 0 {
			r.z, r.outlier = 10, true
		}
		s.resid = append(s.resid, r)
	}
	n := learnNoise([]*surface{s})[0]
	if small, large := n.mean(math.Log(0.1)).total(), n.mean(math.Log(2)).total(); small < 0.1 || large > 0.05 {
		t.Errorf("share of outliers %v and %v, were 1/5 and none", small, large)
	}
}

// What is a little slower says nothing of what is a lot slower.
func TestSeverities(t *testing.T) {
	s := &surface{}
	for i := range 60 {
		r := residual{z: float64(i%5) - 2, sd: 0.04, cpu: math.Log(0.1)}
		switch {
		case i >= 30:
			r.cpu = math.Log(2)
			if i%6 == 0 {
				r.z, r.outlier = 4, true
			}
		case i%6 == 0:
			r.z, r.outlier = 40, true
		}
		s.resid = append(s.resid, r)
	}
	n := learnNoise([]*surface{s})[0]
	small, large := n.mean(math.Log(0.1)), n.mean(math.Log(2))
	if small[1] < 0.1 || large[1] > 0.05 || large[0] < 0.08 {
		t.Errorf("shares %v with a tenth of a CPU and %v with two", small, large)
	}
	for e := range explanations {
		p := n.share(math.Log(0.1), e)
		for _, u := range []float64{0, 0.5, 0.999} {
			if d := n.draw(u, p, e); (d >= farSlow) != (u*p.total() >= p[0]) {
				t.Errorf("draw %v of %v is %v", u, p, d)
			}
		}
	}
}

// A function's outliers are as slow as its own were, others' sizes where it has none.
func TestSizesOfOutliersAreTheFunctionsOwn(t *testing.T) {
	surfaces := []*surface{{}, {}, {}}
	for i := range 60 {
		for v, size := range []float64{0.7, 2, 0} {
			r := residual{z: float64(i%5) - 2, sd: 0.1}
			if i%6 == 0 && size > 0 {
				r.z, r.outlier = size/r.sd, true
			}
			surfaces[v].resid = append(surfaces[v].resid, r)
		}
	}
	for v, n := range learnNoise(surfaces) {
		for e := range explanations {
			d := n.draw(0.4, n.share(0, e), e)
			if v < 2 && math.Abs(d-[]float64{0.7, 2}[v]) > 0.2 || v == 2 && (d < 0.69 || d > 2.01) {
				t.Errorf("function %d: outliers are e^%v times slower", v, d)
			}
		}
	}
}

func TestSmear(t *testing.T) {
	core, _ := coreShape(nil) // a normal distribution
	n := noise{core: core}
	if got, want := n.smear(0.3), math.Exp(0.3*0.3/2); math.Abs(got-want) > 0.01 {
		t.Errorf("mean over median %v, want %v", got, want)
	}
}
