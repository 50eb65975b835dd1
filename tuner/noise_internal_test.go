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
	if share := n.mean(0); share < 0.015 || share > 0.05 {
		t.Errorf("share of outliers %v, want about 1/40", share)
	}
	few, many := 1.0, 0.0
	for e := range explanations {
		few, many = math.Min(few, n.share(0, e)), math.Max(many, n.share(0, e))
		if d := n.draw(0.5, e); d < 0.4 || d > 1.4 {
			t.Errorf("outliers are e^%v times slower, was e", d)
		}
	}
	if !(many > 3*few) {
		t.Errorf("one outlier in 40 tells the share to be within %v and %v", few, many)
	}
	if e := n.excess(0.03); math.Abs(e-(1+0.03*(math.E-1))) > 0.01 {
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
	if small, large := n.mean(math.Log(0.1)), n.mean(math.Log(2)); small < 0.1 || large > 0.05 {
		t.Errorf("share of outliers %v and %v, were 1/5 and none", small, large)
	}
}

// A function's outliers are as slow as its own were, others' sizes where it has none.
func TestSizesOfOutliersAreTheFunctionsOwn(t *testing.T) {
	surfaces := []*surface{{}, {}}
	for i := range 60 {
		for v, size := range []float64{0.7, 2} {
			r := residual{z: float64(i%5) - 2, sd: 0.1}
			if i%6 == 0 {
				r.z, r.outlier = size/r.sd, true
			}
			surfaces[v].resid = append(surfaces[v].resid, r)
		}
	}
	for v, n := range learnNoise(surfaces) {
		for e := range explanations {
			if d := n.draw(0.4, e); math.Abs(d-[]float64{0.7, 2}[v]) > 0.2 {
				t.Errorf("function %d: outliers are e^%v times slower", v, d)
			}
		}
	}
}

// Where few were counted a function's share is one for all its sizes, so that no
// size looks good as it was lucky; where many were it may end at a CPU.
func TestSharesNearAndFar(t *testing.T) {
	s := &surface{}
	for i := range 25 { // one in five, none of them among the five at two cores
		r := residual{z: float64(i%5) - 2, sd: 0.1, cpu: math.Log(1)}
		switch {
		case i < 5:
			r.cpu = math.Log(2)
		case i%4 == 0:
			r.z, r.outlier = 10, true
		}
		s.resid = append(s.resid, r)
	}
	n := learnNoise([]*surface{s})[0]
	var most float64
	for e := range explanations {
		most = math.Max(most, n.share(math.Log(2), e))
	}
	if most < 0.1 {
		t.Errorf("five lucky runs with two cores tell the share there to be below %v", most)
	}
}

func TestLogistic(t *testing.T) {
	var trials []trialled
	for i := range 4000 {
		cpu := float64(i%5) - 2
		want := odds{-1, -0.7}.share(cpu)
		trials = append(trials, trialled{cpu, 1, math.Mod(float64(i/5)*0.6180339887, 1) < want})
	}
	got, spread := logistic(trials, odds{}, 10, 10)
	if math.Abs(got.level+1) > 0.05 || math.Abs(got.slope+0.7) > 0.05 {
		t.Errorf("fitted %+v", got)
	}
	if sd := math.Sqrt(spread.at(0)); sd < 0.03 || sd > 0.06 {
		t.Errorf("level is known to %v", sd)
	}
	// Without data the prior stays.
	if got, spread := logistic(nil, odds{-3, 1}, 2, 0.5); got != (odds{-3, 1}) || math.Abs(spread.at(1)-4.25) > 1e-9 {
		t.Errorf("%+v with variance %v from no data", got, spread.at(1))
	}
}

func TestSmear(t *testing.T) {
	core, _ := coreShape(nil) // a normal distribution
	n := noise{core: core}
	if got, want := n.smear(0.3), math.Exp(0.3*0.3/2); math.Abs(got-want) > 0.01 {
		t.Errorf("mean over median %v, want %v", got, want)
	}
}
