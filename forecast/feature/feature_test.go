package feature_test

import (
	"math/rand/v2"
	"testing"

	"github.com/aquatope/aquatope/forecast"
	"github.com/aquatope/aquatope/forecast/feature"
)

// TestIncremental: a tracker that follows a history window by window has the
// same features as one that reads it at the end.
func TestIncremental(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	for range 20 {
		h := forecast.NewHistory("f", "", r.Int64N(10_000)-5000)
		follow := feature.NewTracker()
		rate := r.Float64()
		for range 600 {
			c := 0.0
			if r.Float64() < rate {
				c = 1 + float64(r.IntN(5))
			}
			if err := h.Observe(h.Next(), c); err != nil {
				t.Fatal(err)
			}
			follow.Update(h)
		}
		late := feature.NewTracker()
		late.Update(h)
		for _, ahead := range []int{0, 5} {
			a, b := follow.Append(nil, h, ahead), late.Append(nil, h, ahead)
			if len(a) != len(feature.Names()) {
				t.Fatalf("%d features, %d names", len(a), len(feature.Names()))
			}
			for i := range a {
				if a[i] != b[i] {
					t.Fatalf("feature %s is %v, read at the end %v", feature.Names()[i], a[i], b[i])
				}
			}
		}
	}
}

// TestTimer: what the features say about a timer of 15 minutes.
func TestTimer(t *testing.T) {
	t.Parallel()
	h := forecast.NewHistory("f", "", 0)
	for w := int64(0); w < 300; w += 15 {
		if err := h.Observe(w, 1); err != nil {
			t.Fatal(err)
		}
	}
	tr := feature.NewTracker()
	value := func(name string) float32 {
		tr.Update(h)
		x := tr.Append(nil, h, 0)
		for i, n := range feature.Names() {
			if n == name {
				return x[i]
			}
		}
		t.Fatalf("no feature %s", name)
		return 0
	}
	h.Advance(299)
	if v := value("recent hazard"); v > 0.02 {
		t.Errorf("hazard a minute early is %v", v)
	}
	h.Advance(300)
	if v := value("recent hazard"); v < 0.9 {
		t.Errorf("hazard when due is %v", v)
	}
	if v := value("period hits"); v < 0.9 {
		t.Errorf("hits at the detected period: %v", v)
	}
}

func BenchmarkFeatures(b *testing.B) {
	h := forecast.NewHistory("f", "", 0)
	r := rand.New(rand.NewPCG(1, 1))
	for range 1440 {
		if err := h.Observe(h.Next(), float64(r.IntN(3))); err != nil {
			b.Fatal(err)
		}
	}
	t := feature.NewTracker()
	t.Update(h)
	var x []float32
	for b.Loop() {
		x = t.Append(x[:0], h, 0)
	}
}
