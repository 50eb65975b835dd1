package tuner

import (
	"math/rand/v2"
	"testing"
)

// A draw's number tells nothing of its values: else every explanation of the data
// would always come with the same luck, and one function's luck with another's.
func TestDrawsAreNotTiedToTheirNumbers(t *testing.T) {
	const n, dim = 64, 3
	rng := rand.New(rand.NewPCG(1, 1))
	for range 20 {
		z := normals(dim, n, rng)
		for k := range dim {
			var between, all float64
			for e := range explanations {
				var mean float64
				for d := e; d < n; d += explanations {
					mean += z[d][k] * explanations / n
					all += z[d][k] * z[d][k] / n
				}
				between += mean * mean / explanations
			}
			if between > 0.5*all {
				t.Errorf("dimension %d: the number of a draw explains %.0f %% of its variance", k, 100*between/all)
			}
		}
	}
}
