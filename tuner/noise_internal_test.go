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
	s := &surface{outlier: make([]bool, n)}
	for i := range n {
		s.resid = append(s.resid, loading*shared[i]+math.Sqrt(1-loading*loading)*rng.NormFloat64())
		s.spread = append(s.spread, 1)
		s.run = append(s.run, i)
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
		s.resid, s.spread, s.outlier = append(s.resid, float64(i%5)-2), append(s.spread, 0.1), append(s.outlier, false)
	}
	s.resid[3], s.outlier[3] = 10, true // e times slower
	n := learnNoise([]*surface{s})[0]
	if n.share < 0.015 || n.share > 0.05 {
		t.Errorf("share of outliers %v, want about 1/40", n.share)
	}
	if d, out := n.draw(0.9999); !out || math.Abs(d-1) > 1e-12 {
		t.Errorf("the slowest draw is %v, outlier %v; want 1", d, out)
	}
	if e := n.excess(); math.Abs(e-(1+n.share*(math.E-1))) > 1e-12 {
		t.Errorf("outliers add %v to the mean", e)
	}
}
