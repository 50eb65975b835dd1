package gp

// Mean is a mean function with parameters of its own.
type Mean interface {
	// Len returns the number of parameters.
	Len() int
	// At returns the mean at x for parameters p.
	At(x, p []float64) float64
	// Grad writes the derivatives of At with respect to p into dst.
	Grad(x, p, dst []float64)
}

// ConstantMean is the same unknown value everywhere: one parameter.
type ConstantMean struct{}

// Len implements [Mean].
func (ConstantMean) Len() int { return 1 }

// At implements [Mean].
func (ConstantMean) At(_, p []float64) float64 { return p[0] }

// Grad implements [Mean].
func (ConstantMean) Grad(_, _, dst []float64) { dst[0] = 1 }

// ZeroMean is zero everywhere: no parameters.
type ZeroMean struct{}

// Len implements [Mean].
func (ZeroMean) Len() int { return 0 }

// At implements [Mean].
func (ZeroMean) At(_, _ []float64) float64 { return 0 }

// Grad implements [Mean].
func (ZeroMean) Grad(_, _, _ []float64) {}
