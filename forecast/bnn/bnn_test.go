package bnn_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/aquatope/aquatope/forecast"
	"github.com/aquatope/aquatope/forecast/bnn"
)

// wave returns a history with a period of 24 windows.
func wave(name string, n int, noise float64, r *rand.Rand) *forecast.History {
	h := forecast.NewHistory(name, "", 0)
	for w := range n {
		v := math.Max(20+15*math.Sin(2*math.Pi*float64(w)/24)+noise*r.NormFloat64(), 0)
		if err := h.Observe(int64(w), math.Round(v)); err != nil {
			panic(err)
		}
	}
	return h
}

// TestLearnsWave: a few epochs must beat predicting the mean by far.
func TestLearnsWave(t *testing.T) {
	if testing.Short() {
		t.Skip("trains a network for seconds")
	}
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	data := []*forecast.History{wave("a", 900, 1, r)}
	m, err := bnn.Learner{Epochs: 30, Windows: 700}.Train(data, forecast.Budget{}, r)
	if err != nil {
		t.Fatal(err)
	}
	test := wave("a", 1000, 1, r)
	cases := []forecast.Case{{History: wave("a", 900, 1, r), Future: test.Dense(nil, 100)}}
	f := m.New()
	var own, mean float64
	for _, y := range cases[0].Future {
		d := f.Forecast([]*forecast.History{cases[0].History}, 1)[0][0]
		own += (d.Mean() - y) * (d.Mean() - y)
		mean += (20 - y) * (20 - y)
		if err := cases[0].History.Observe(cases[0].History.Next(), y); err != nil {
			t.Fatal(err)
		}
	}
	if own > 0.3*mean {
		t.Errorf("squared error %v, of the mean %v", own, mean)
	}
}
