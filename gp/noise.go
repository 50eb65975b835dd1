package gp

// Noise is the logarithm of the noise variance as a function of the input.
type Noise interface {
	// Len returns the number of parameters.
	Len() int
	// LogVariance returns the logarithm of the variance of one observation at x.
	LogVariance(x, p []float64) float64
	// Grad writes the derivatives of LogVariance with respect to p into dst.
	Grad(x, p, dst []float64)
}

// ConstantNoise is the same unknown variance everywhere; its one parameter is
// the logarithm of the variance.
type ConstantNoise struct{}

// Len implements [Noise].
func (ConstantNoise) Len() int { return 1 }

// LogVariance implements [Noise].
func (ConstantNoise) LogVariance(_, p []float64) float64 { return p[0] }

// Grad implements [Noise].
func (ConstantNoise) Grad(_, _, dst []float64) { dst[0] = 1 }

// LinearNoise has a log variance that is linear in the inputs: parameter 0 is
// its value at the origin, parameter 1+i its slope along input i. Over
// logarithmic inputs that is a power law, such as noise which grows with size.
type LinearNoise struct{ Dim int }

// Len implements [Noise].
func (n LinearNoise) Len() int { return 1 + n.Dim }

// LogVariance implements [Noise].
func (n LinearNoise) LogVariance(x, p []float64) float64 {
	v := p[0]
	for i := range n.Dim {
		v += p[1+i] * x[i]
	}
	return v
}

// Grad implements [Noise].
func (n LinearNoise) Grad(x, _, dst []float64) {
	dst[0] = 1
	copy(dst[1:], x[:n.Dim])
}
