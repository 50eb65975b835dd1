package gp

// Mean is a mean function with parameters of its own.
type Mean interface {
	// Len returns the number of parameters.
	Len() int
	// With returns the mean function that parameters p make, which must not change
	// as long as it is used. It need not be safe for concurrent use.
	With(p []float64) MeanFunc
}

// MeanFunc returns the mean at x and, unless grad is nil, writes its derivatives
// with respect to the parameters there.
type MeanFunc func(x, grad []float64) float64

// ConstantMean is the same unknown value everywhere: one parameter.
type ConstantMean struct{}

// Len implements [Mean].
func (ConstantMean) Len() int { return 1 }

// With implements [Mean].
func (ConstantMean) With(p []float64) MeanFunc {
	return func(_, grad []float64) float64 {
		if grad != nil {
			grad[0] = 1
		}
		return p[0]
	}
}

// ZeroMean is zero everywhere: no parameters.
type ZeroMean struct{}

// Len implements [Mean].
func (ZeroMean) Len() int { return 0 }

// With implements [Mean].
func (ZeroMean) With([]float64) MeanFunc {
	return func(_, _ []float64) float64 { return 0 }
}
