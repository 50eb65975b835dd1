package hurdle

import "math"

// standard standardises features to mean 0 and deviation 1 as seen in training.
type standard struct {
	Mean, Inverse []float32
}

func fitStandard(s *samples) standard {
	mean, square := make([]float64, s.width), make([]float64, s.width)
	for i := range s.len() {
		for j, v := range s.x[i*s.width : (i+1)*s.width] {
			mean[j] += float64(v)
			square[j] += float64(v) * float64(v)
		}
	}
	in := standard{make([]float32, s.width), make([]float32, s.width)}
	n := float64(max(s.len(), 1))
	for j := range mean {
		mean[j] /= n
		// A feature that never varied says nothing, whatever it becomes.
		if v := square[j]/n - mean[j]*mean[j]; v > 1e-8 {
			in.Inverse[j] = float32(1 / math.Sqrt(v))
		}
		in.Mean[j] = float32(mean[j])
	}
	return in
}

// apply writes the standardised features to dst.
func (in standard) apply(dst, x []float32) {
	for j, v := range x {
		dst[j] = min(max((v-in.Mean[j])*in.Inverse[j], -maxInput), maxInput)
	}
}
