package feature_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

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

// TestRecentCalls: what features say of the last windows is what a plain list of
// counts says, however the history was told, long jumps included. (It is shorter than what
// a history forgets.)
func TestRecentCalls(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		start := rapid.Int64Range(-3000, 3000).Draw(t, "start")
		h, tr, dense := forecast.NewHistory("f", "", start), feature.NewTracker(), []float64{}
		for range rapid.IntRange(1, 7).Draw(t, "steps") {
			for range rapid.SampledFrom([]int{0, 1, 1, 5, 63, 64, 700, 1500}).Draw(t, "idle") {
				dense = append(dense, 0)
			}
			for range rapid.SampledFrom([]int{0, 1, 1, 2, 90}).Draw(t, "active") {
				count := rapid.SampledFrom([]float64{1, 2, 9}).Draw(t, "count")
				if err := h.Observe(start+int64(len(dense)), count); err != nil {
					t.Fatal(err)
				}
				dense = append(dense, count)
			}
			h.Advance(start + int64(len(dense)))
			if rapid.Bool().Draw(t, "update") {
				tr.Update(h)
			}
		}
		tr.Update(h)
		ahead := rapid.SampledFrom([]int{0, 0, 3, 29}).Draw(t, "ahead")
		target := len(dense) + ahead
		sums := func(s int) (active, demand float64) {
			for _, c := range dense[min(max(0, target-s), len(dense)):] {
				demand += c
				if c > 0 {
					active++
				}
			}
			return active, demand
		}
		at := func(i int) float64 {
			if i < 0 || i >= len(dense) {
				return 0
			}
			return dense[i]
		}
		want := map[string][]float64{}
		length := max(1, float64(len(dense)))
		for _, s := range []int{2, 3, 5, 10, 15, 30, 60, 120, 240, 480} {
			active, _ := sums(s)
			want["activity"] = append(want["activity"], active/min(float64(s), length))
		}
		for _, s := range []int{1, 5, 15, 60, 240} {
			_, demand := sums(s)
			want["demand"] = append(want["demand"], math.Log1p(demand/min(float64(s), length)))
		}
		for _, l := range []int{1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60, 120, 180, 240, 360} {
			want["lag"] = append(want["lag"], min(1, at(target-l)))
		}
		all := 0.0
		for _, c := range dense {
			all += min(1, c)
		}
		rate := (all + 0.2) / (float64(len(dense)) + 10)
		for _, p := range []int{5, 10, 15, 30, 60} {
			hits, of := 0.0, 0.0
			for i := target - p; i >= 0 && of < 8; i -= p {
				if i < len(dense) {
					of++
					hits += min(1, dense[i])
				}
			}
			want["multiples"] = append(want["multiples"], (hits+rate)/(of+1))
		}
		got := map[string][]float64{}
		for i, x := range tr.Append(nil, h, ahead) {
			if name := feature.Names()[i]; want[name] != nil {
				got[name] = append(got[name], float64(x))
			}
		}
		if d := cmp.Diff(want, got, cmpopts.EquateApprox(1e-6, 1e-9)); d != "" {
			t.Fatalf("%d windows, %d ahead: %s", len(dense), ahead, d)
		}
	})
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
