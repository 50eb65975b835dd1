package nn

import "math/rand/v2"

// ReLU sets negative values to zero, in place.
type ReLU struct{ y Matrix }

// Forward returns x, changed.
func (a *ReLU) Forward(x Matrix) Matrix {
	for i, v := range x.Data {
		x.Data[i] = max(v, 0)
	}
	a.y = x
	return x
}

// Backward returns dy, changed.
func (a *ReLU) Backward(dy Matrix) Matrix {
	y := a.y.Data[:len(dy.Data)]
	for i := range dy.Data {
		if y[i] <= 0 {
			dy.Data[i] = 0
		}
	}
	return dy
}

// Dropout zeroes a share P of the values and scales the others up, in place.
// With Shared > 1 the rows come in blocks of that many time steps by sample and
// one mask is used for all steps of a sample: variational dropout (Gal and
// Ghahramani, NeurIPS 2016). Rows are then ordered by step, and Shared is the
// number of steps.
type Dropout struct {
	P      float64
	Shared int
	mask   []float32
}

// Forward draws a mask and returns x, changed.
func (d *Dropout) Forward(x Matrix, r *rand.Rand) Matrix {
	if d.P <= 0 {
		return x
	}
	steps := max(d.Shared, 1)
	n := len(x.Data) / steps
	if cap(d.mask) < n {
		d.mask = make([]float32, n)
	}
	d.mask = d.mask[:n]
	keep := float32(1 / (1 - d.P))
	threshold := uint32(d.P * (1 << 32))
	for i := range d.mask {
		d.mask[i] = keep
		if r.Uint32() < threshold {
			d.mask[i] = 0
		}
	}
	return d.apply(x)
}

// Backward applies the last mask to dy.
func (d *Dropout) Backward(dy Matrix) Matrix {
	if d.P <= 0 {
		return dy
	}
	return d.apply(dy)
}

func (d *Dropout) apply(x Matrix) Matrix {
	for at := 0; at < len(x.Data); at += len(d.mask) {
		part := x.Data[at : at+len(d.mask)]
		for i, m := range d.mask {
			part[i] *= m
		}
	}
	return x
}

// tanh is accurate to single precision for |x| < 9 and clamps beyond.
// Rational approximation of degree 13/6 with minimax coefficients.
func tanh(x float32) float32 {
	x = min(max(x, -9), 9)
	s := x * x
	p := float32(-2.76076847742355e-16)
	p = p*s + 2.00018790482477e-13
	p = p*s - 8.60467152213735e-11
	p = p*s + 5.12229709037114e-08
	p = p*s + 1.48572235717979e-05
	p = p*s + 6.37261928875436e-04
	p = p*s + 4.89352455891786e-03
	q := float32(1.19825839466702e-06)
	q = q*s + 1.18534705686654e-04
	q = q*s + 2.26843463243900e-03
	q = q*s + 4.89352518554385e-03
	return x * p / q
}

// Sigmoid returns 1/(1+exp(-x)).
func Sigmoid(x float32) float32 { return 0.5 + 0.5*tanh(0.5*x) }

// Tanhs sets y to tanh(x).
func Tanhs(y, x []float32) {
	n := 0
	if fast && len(x) >= 8 {
		n = len(x) &^ 7
		tanh8(n, &x[0], &y[0], 1, 1, 0)
	}
	for i := n; i < len(x); i++ {
		y[i] = tanh(x[i])
	}
}

// Sigmoids replaces x by 1/(1+exp(-x)).
func Sigmoids(x []float32) {
	n := 0
	if fast && len(x) >= 8 {
		n = len(x) &^ 7
		tanh8(n, &x[0], &x[0], 0.5, 0.5, 0.5)
	}
	for i := n; i < len(x); i++ {
		x[i] = Sigmoid(x[i])
	}
}
