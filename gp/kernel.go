package gp

import "math"

// Form is how a kernel combines its inputs.
type Form int

const (
	// Radial is the Matérn-5/2 kernel of the scaled Euclidean distance.
	Radial Form = iota
	// Product is the product of one Matérn-5/2 kernel for each input; it decays
	// faster than Radial away from the axes.
	Product
)

// Kernel is a Matérn-5/2 covariance function with automatic relevance
// determination. It is 2.5 times differentiable, rough enough for measured
// performance. Variance and every element of Length are positive.
type Kernel struct {
	Form     Form
	Variance float64   // k(x, x)
	Length   []float64 // one length-scale for each input
}

// matern returns (1 + s + s²/3)·exp(-s) and (1 + s)·exp(-s)/3, from which its
// derivatives follow, for s = √5·distance.
func matern(s float64) (value, slope float64) {
	e := math.Exp(-s)
	return (1 + s + s*s/3) * e, (1 + s) * e / 3
}

// logSlope returns the ratio of matern's results, defined where both underflow.
func logSlope(s float64) float64 { return (1 + s) / (3 + 3*s + s*s) }

// Eval returns the covariance of the function's values at a and b.
func (k *Kernel) Eval(a, b []float64) float64 {
	if k.Form == Product {
		v := k.Variance
		for i, l := range k.Length {
			m, _ := matern(math.Sqrt(5) * math.Abs(a[i]-b[i]) / l)
			v *= m
		}
		return v
	}
	var r2 float64
	for i, l := range k.Length {
		d := (a[i] - b[i]) / l
		r2 += d * d
	}
	m, _ := matern(math.Sqrt(5 * r2))
	return k.Variance * m
}

// gradRadial returns the covariance of a radial kernel and writes its derivatives
// with respect to the logarithms of the length-scales into dst.
func (k *Kernel) gradRadial(a, b, dst []float64) float64 {
	var r2 float64
	for i, l := range k.Length {
		d := (a[i] - b[i]) / l
		dst[i] = 5 * d * d
		r2 += d * d
	}
	m, slope := matern(math.Sqrt(5 * r2))
	for i := range dst {
		dst[i] *= k.Variance * slope
	}
	return k.Variance * m
}

// gradInput returns the covariance and writes its derivatives with respect to
// the elements of a into dst.
func (k *Kernel) gradInput(a, b, dst []float64) float64 {
	if k.Form == Product {
		v := k.Variance
		for i, l := range k.Length {
			d := (a[i] - b[i]) / l
			s := math.Sqrt(5) * math.Abs(d)
			m, _ := matern(s)
			dst[i] = -5 * d / l * logSlope(s)
			v *= m
		}
		for i := range dst {
			dst[i] *= v
		}
		return v
	}
	var r2 float64
	for i, l := range k.Length {
		d := (a[i] - b[i]) / l
		dst[i] = -5 * d / l
		r2 += d * d
	}
	m, slope := matern(math.Sqrt(5 * r2))
	for i := range dst {
		dst[i] *= k.Variance * slope
	}
	return k.Variance * m
}
