package bnn

import (
	"math/rand/v2"
	"testing"
)

func benchSeries(r *rand.Rand) []series {
	all := make([]series, 10)
	for i := range all {
		c := make([]float64, 2000)
		for j := range c {
			c[j] = float64(r.IntN(50))
		}
		all[i] = series{0, c, standardise(c)}
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
	m := newSampler(newAutoencoder(false, r), newPredictor(r), r)
	b.ReportAllocs()
	for b.Loop() {
		m.encode(&all[0])
		m.predict(2000)
	}
}
