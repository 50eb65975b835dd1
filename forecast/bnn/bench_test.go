package bnn

import (
	"math/rand/v2"
	"testing"

	"github.com/aquatope/aquatope/forecast"
)

func benchSeries(r *rand.Rand) []series {
	all := make([]series, 10)
	for i := range all {
		c := make([]float64, 2000)
		for j := range c {
			c[j] = float64(r.IntN(50))
		}
		all[i] = series{"", 0, c, standardise(c)}
	}
	return all
}

// BenchmarkEpoch is one pass of the encoder-decoder over 10,000 windows of 48
// steps, batch 128: PyTorch 1.13 needs 7.8 s of one core.
func BenchmarkEpoch(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	all := benchSeries(r)
	train, _ := examples(all, 10_000, r)
	t := newTrainer(all, false, r)
	b.ReportAllocs()
	for b.Loop() {
		t.epoch(train, func() bool { return true })
	}
}

// BenchmarkMonteCarlo is 128 passes for one function: PyTorch 1.13 needs 13 to
// 20 ms of one core, batched.
func BenchmarkMonteCarlo(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	all := benchSeries(r)
	n := network{encoder: newAutoencoder(false, r), head: newPredictor(r)}
	m := newSampler(n, drawMasks(n, false, r))
	for b.Loop() {
		m.read(all[:1])
		m.sample(0)
		m.predict(2000)
	}
}

// BenchmarkForecast is 128 passes for each of 500 functions: PyTorch needs 1.1 s
// of one core with the passes factored, 11 s without.
func BenchmarkForecast(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	n := network{encoder: newAutoencoder(false, r), head: newPredictor(r)}
	f := (&Model{shared: n, perFunction: map[string]network{}}).New()
	histories := make([]*forecast.History, 500)
	for i := range histories {
		h := forecast.NewHistory("", "", 0)
		for w := range int64(100) {
			if err := h.Observe(w, float64(r.IntN(9))); err != nil {
				b.Fatal(err)
			}
		}
		histories[i] = h
	}
	for b.Loop() {
		f.Forecast(histories, 1)
	}
}
