package bnn_test

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/aquatope/aquatope/forecast"
	"github.com/aquatope/aquatope/forecast/bnn"
	"github.com/aquatope/aquatope/forecast/forecasttest"
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
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	data := []*forecast.History{wave("a", 900, 1, r)}
	m, err := bnn.Learner{Epochs: 20, Windows: 700}.Train(data, forecast.Budget{}, r)
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

// tiny is a network that has learnt next to nothing.
var tiny = sync.OnceValue(func() *bnn.Model {
	r := rand.New(rand.NewPCG(2, 1))
	m, err := bnn.Learner{Epochs: 1, Windows: 100}.Train([]*forecast.History{wave("a", 200, 1, r)}, forecast.Budget{}, r)
	if err != nil {
		panic(err)
	}
	return m.(*bnn.Model)
})

func TestSound(t *testing.T) {
	t.Parallel()
	forecasttest.Sound(t, tiny())
}

func TestVariants(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 1))
	data := []*forecast.History{wave("a", 200, 1, r), wave("b", 200, 1, r)}
	for _, l := range []bnn.Learner{{Epochs: 1, Windows: 100, Published: true}, {Epochs: 1, Windows: 100, PerFunction: true}} {
		m, err := l.Train(data, forecast.Budget{}, r)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range m.New().Forecast(append(data, forecast.NewHistory("unknown", "", 0)), 2) {
			if err := forecasttest.Distribution(d[1]); err != nil {
				t.Errorf("%+v: %v", l, err)
			}
		}
	}
}

func TestSaveLoad(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := tiny().Save(&b); err != nil {
		t.Fatal(err)
	}
	saved := b.Bytes()
	m, err := bnn.Load(bytes.NewReader(saved), false)
	if err != nil {
		t.Fatal(err)
	}
	h := []*forecast.History{wave("a", 150, 1, rand.New(rand.NewPCG(4, 1)))}
	want, got := tiny().New().Forecast(h, 1)[0][0], m.New().Forecast(h, 1)[0][0]
	if want.Mean() != got.Mean() || want.Quantile(0.9) != got.Quantile(0.9) {
		t.Error("the model predicts differently after loading")
	}
	if _, err := bnn.Load(bytes.NewReader(saved), true); !errors.Is(err, forecast.ErrIncompatible) {
		t.Errorf("the other variant: %v", err)
	}
	saved[len(saved)/2] ^= 4
	if _, err := bnn.Load(bytes.NewReader(saved), false); !errors.Is(err, forecast.ErrCorrupt) {
		t.Errorf("a bit changed: %v", err)
	}
}
