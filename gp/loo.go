package gp

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
