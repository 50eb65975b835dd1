package gp_test

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/aquatope/aquatope/gp"
)

// reference holds what scikit-learn computed; testdata/reference.py writes it.
type reference struct {
	X, Z           [][]float64
	Y, Mean        []float64
	Cov            [][]float64
	LogLikelihood  float64
	Gradient       []float64
	LooMean        []float64
	LooVariance    []float64
	params         gp.Params
	model          *gp.Model
	gradientByName []float64
}

func readReference(t *testing.T) reference {
	t.Helper()
	text, err := os.ReadFile("testdata/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	var r reference
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	r.model = &gp.Model{Dim: 3, Mean: gp.ZeroMean{}}
	r.params = gp.Params{math.Log(0.4), math.Log(0.9), math.Log(2.5), math.Log(1.7), math.Log(0.02)}
	g := r.Gradient // scikit-learn puts the variance first
	r.gradientByName = []float64{g[1], g[2], g[3], g[0], g[4]}
	return r
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance*math.Max(1, math.Abs(want))) {
		t.Errorf("%s = %.15g, want %.15g", what, got, want)
	}
}

func TestAgainstScikitLearn(t *testing.T) {
	r := readReference(t)
	data := gp.Data{X: r.X, Y: r.Y}
	grad := make([]float64, 5)
	near(t, "log likelihood", r.model.LogLikelihood(data, r.params, grad), r.LogLikelihood, 1e-10)
	for i, want := range r.gradientByName {
		near(t, "gradient", grad[i], want, 1e-8)
	}
	post, err := r.model.Condition(data, r.params)
	if err != nil {
		t.Fatal(err)
	}
	mean, cov := post.Joint(r.Z)
	for i := range r.Z {
		near(t, "mean", mean[i], r.Mean[i], 1e-10)
		for j := range i + 1 {
			near(t, "covariance", cov[i][j], r.Cov[i][j], 1e-9)
		}
		m, v := post.Predict(r.Z[i])
		near(t, "predicted mean", m, r.Mean[i], 1e-10)
		near(t, "predicted variance", v, r.Cov[i][i], 1e-9)
	}
	lm, lv := post.LeaveOneOut()
	for i := range lm {
		near(t, "leave-one-out mean", lm[i], r.LooMean[i], 1e-8)
		near(t, "leave-one-out variance", lv[i], r.LooVariance[i], 1e-8)
	}
}
