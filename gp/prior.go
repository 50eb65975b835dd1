package gp

import "math"

// Prior is a density over one parameter, as the optimiser sees it: for a
// length-scale, a variance and a noise variance that is the logarithm.
type Prior interface {
	// LogDensity returns the logarithm of the density at p, up to a constant,
	// and its derivative with respect to p.
	LogDensity(p float64) (value, slope float64)
}

// Flat says nothing.
type Flat struct{}

// LogDensity implements [Prior].
func (Flat) LogDensity(float64) (float64, float64) { return 0, 0 }

// Normal is a Gaussian over the parameter itself; over the logarithm of a
// positive quantity it makes that quantity log-normal.
type Normal struct{ Mean, SD float64 }

// LogDensity implements [Prior].
func (n Normal) LogDensity(p float64) (float64, float64) {
	z := (p - n.Mean) / n.SD
	return -z * z / 2, -z / n.SD
}

// GammaOfExp is a gamma density, with the given shape and rate, of exp(p). As
// is usual in Bayesian optimisation the density is taken over the quantity and
// not over its logarithm, so there is no Jacobian.
type GammaOfExp struct{ Shape, Rate float64 }

// LogDensity implements [Prior].
func (g GammaOfExp) LogDensity(p float64) (float64, float64) {
	v := math.Exp(p)
	return (g.Shape-1)*p - g.Rate*v, g.Shape - 1 - g.Rate*v
}
