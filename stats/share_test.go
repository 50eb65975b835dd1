package stats_test

import (
	"testing"

	"github.com/aquatope/aquatope/stats"
	"pgregory.net/rapid"
)

// Dealt out in turn, no count is more than one ahead of its share.
func TestFurthestBehind(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weights := rapid.SliceOfN(rapid.Float64Range(0.1, 10), 1, 6).Draw(t, "weights")
		sum := 0.0
		for _, w := range weights {
			sum += w
		}
		counts := make([]float64, len(weights))
		for n := 1; n <= 100; n++ {
			counts[stats.FurthestBehind(weights, counts)]++
			for i, w := range weights {
				if share := w / sum * float64(n); counts[i] > share+1+1e-9 || counts[i] < share-float64(len(weights)) {
					t.Fatalf("after %d, %v were dealt for weights %v", n, counts, weights)
				}
			}
		}
	})
}
