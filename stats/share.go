package stats

// FurthestBehind returns the index whose count is furthest behind its share, by
// weight, of what is counted and one more. Dealt out so, few draws represent all
// weights. Weights are positive, counts are as many.
func FurthestBehind(weights, counts []float64) int {
	var all, sum float64
	for i, w := range weights {
		all, sum = all+counts[i], sum+w
	}
	best, behind := 0, 0.0
	for i, w := range weights {
		if d := w/sum*(all+1) - counts[i]; i == 0 || d > behind {
			best, behind = i, d
		}
	}
	return best
}
