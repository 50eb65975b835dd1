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
	if few, many := n.share(0, 0), n.share(0, explanations-1); !(many > 1.3*few) {
		t.Errorf("one outlier in 40 tells the share to be within %v and %v", few, many)
	}
	if d := n.draw(0.5); math.Abs(d-1) > 1e-12 {
		t.Errorf("outliers are e^%v times slower, want e", d)
	}
	if e := n.excess(0.03); math.Abs(e-(1+0.03*(math.E-1))) > 1e-12 {
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

func TestSmear(t *testing.T) {
	core, _ := coreShape(nil) // a normal distribution
	n := noise{core: core}
	if got, want := n.smear(0.3), math.Exp(0.3*0.3/2); math.Abs(got-want) > 0.01 {
		t.Errorf("mean over median %v, want %v", got, want)
	}
}
