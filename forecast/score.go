package forecast

import "math"

// PinballLoss returns the loss of predicting q as the p-quantile when y came:
// p(y-q) above it and (1-p)(q-y) below (Koenker and Bassett, 1978).
func PinballLoss(p, q, y float64) float64 {
	if y >= q {
		return p * (y - q)
	}
	return (1 - p) * (q - y)
}

// CRPS returns the continuous ranked probability score of d when y came: twice
// the pinball loss averaged over all levels (Gneiting and Raftery, 2007),
// by the midpoint rule on 50 levels.
func CRPS(d Distribution, y float64) float64 {
	const levels = 50
	s := 0.0
	for i := range levels {
		p := (float64(i) + 0.5) / levels
		s += PinballLoss(p, d.Quantile(p), y)
	}
	return 2 * s / levels
}

// SMAPE returns the term of one prediction in the symmetric mean absolute
// percentage error, in percent from 0 to 200: |m-y| over the mean of both. Two
// zeros agree.
func SMAPE(m, y float64) float64 {
	if m == y {
		return 0
	}
	return 200 * math.Abs(m-y) / (math.Abs(m) + math.Abs(y))
}

// Coverage returns the probability that the randomised probability integral
// transform of y lies at or below p: the transform is uniform on [P(X<y),
// P(X<=y)] (Czado, Gneiting and Held, 2009). Averaged over predictions that are
// right it is p exactly, for counts too, where the share of y at or below the
// p-quantile exceeds p by construction. Counts are whole numbers.
func Coverage(d Distribution, p, y float64) float64 {
	at := d.CDF(y)
	before := d.CDF(math.Ceil(y) - 1)
	switch {
	case at <= p:
		return 1
	case before >= p || at <= before:
		return 0
	}
	return (p - before) / (at - before)
}
