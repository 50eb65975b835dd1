package stats

import "math"

// Moments returns the mean of a sample and its standard deviation (of n-1, 0
// for fewer than two values).
func Moments(x []float64) (mean, sd float64) {
	for _, v := range x {
		mean += v / float64(len(x))
	}
	if len(x) < 2 {
		return mean, 0
	}
	for _, v := range x {
		sd += (v - mean) * (v - mean)
	}
	return mean, math.Sqrt(sd / float64(len(x)-1))
}

// MeanInterval returns the mean of a sample and half the width of the 95 %
// confidence interval around it, for a normal mean.
func MeanInterval(x []float64) (mean, half float64) {
	mean, sd := Moments(x)
	if len(x) == 0 {
		return mean, 0
	}
	return mean, 1.96 * sd / math.Sqrt(float64(len(x)))
}
