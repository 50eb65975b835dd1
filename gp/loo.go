package gp

import "math"

// LeaveOneOut predicts every observation from all others with the parameters
// as they are, in closed form (equations 5.12 of Rasmussen and Williams):
// means and variances of the observations, their noise included.
func (q *Posterior) LeaveOneOut() (mean, variance []float64) {
	n := len(q.data.Y)
	mean, variance = make([]float64, n), make([]float64, n)
	inv := q.l.inverse()
	for i := range n {
		variance[i] = 1 / inv[i][i]
		mean[i] = q.data.Y[i] - q.alpha[i]/inv[i][i]
	}
	return mean, variance
}

// Outliers returns the observations that the others do not explain: the one
// whose distance from its leave-one-out prediction is largest is taken out if
// that exceeds z standard deviations, and so on with those that are left, at
// most half of all. Taking them out one at a time matters: a bad observation
// makes its good neighbours look bad too.
func (q *Posterior) Outliers(z float64) []bool {
	n := len(q.data.Y)
	out := make([]bool, n)
	lower := q.l.inverse()
	inv := make([][]float64, n) // both triangles, as elimination updates them
	for i := range inv {
		inv[i] = make([]float64, n)
	}
	for i := range n {
		for j := range i + 1 {
			inv[i][j], inv[j][i] = lower[i][j], lower[i][j]
		}
	}
	alpha := append([]float64(nil), q.alpha...)
	for range n / 2 {
		worst, at := z, -1
		for i := range n {
			// (y - mean)/sd = (α/k)·√k for the diagonal k of the inverse
			if d := math.Abs(alpha[i]) / math.Sqrt(inv[i][i]); !out[i] && d > worst {
				worst, at = d, i
			}
		}
		if at < 0 {
			break
		}
		out[at] = true
		pivot := inv[at][at]
		scale := alpha[at] / pivot
		for i := range n {
			alpha[i] -= inv[i][at] * scale
		}
		column := append([]float64(nil), inv[at]...)
		for i := range n {
			for j := range n {
				inv[i][j] -= column[i] * column[j] / pivot
			}
		}
		for i := range n { // keep what was taken out harmless
			inv[at][i], inv[i][at] = 0, 0
		}
		inv[at][at], alpha[at] = 1, 0
	}
	return out
}
