package gp

import (
	"errors"
	"fmt"
	"math"
)

// Model is what is believed before data: shapes with unknown parameters, and
// priors on these. The zero value of an optional field is named with it.
type Model struct {
	Dim   int   // number of inputs, at least 1
	Form  Form  // of the kernel; Radial
	Mean  Mean  // ConstantMean
	Noise Noise // ConstantNoise

	// Priors and bounds, one for each parameter in the order of Params: NumParams()
	// of them. Nil priors are flat and nil bounds are wide.
	Priors       []Prior
	Lower, Upper []float64

	// Linearise keeps the uncertainty of the mean function's parameters in the
	// posterior: around the fitted ones the mean is taken as linear, with the
	// Normal priors of its parameters (others count as known), which adds a
	// linear kernel. Without it the fitted mean is taken for granted, and
	// predictions away from data are too sure.
	Linearise bool
}

// Params are the parameters of a model in one vector: logarithms of the Dim
// length-scales, logarithm of the kernel's variance, the noise model's, the
// mean function's. Methods panic where there are not NumParams() of them.
type Params []float64

// Data are observations. X holds one row for each, Y their values. Fixed, if
// not nil, holds known noise variances that are added to the model's own.
// Weight, if not nil, divides the model's noise variance: an observation of
// weight 0.1 has ten times the variance, the mean of five has a fifth.
//
// Repeats and Scatter, both or neither nil, say of values that are means of
// several observations how many more there were than the one, and the sum of
// their squared deviations from the mean: it tells of the noise.
type Data struct {
	X       [][]float64
	Y       []float64
	Fixed   []float64
	Weight  []float64
	Repeats []float64
	Scatter []float64
}

// ErrData says that observations cannot be used.
var ErrData = errors.New("unusable observations")

// Check reports rows of wrong length and values that are not finite.
func (d Data) Check(dim int) error {
	n := len(d.X)
	if len(d.Y) != n || d.Fixed != nil && len(d.Fixed) != n || d.Weight != nil && len(d.Weight) != n ||
		len(d.Repeats) != len(d.Scatter) || d.Repeats != nil && len(d.Repeats) != n {
		return fmt.Errorf("%w: %d inputs, %d values", ErrData, n, len(d.Y))
	}
	for i, x := range d.X {
		if len(x) != dim {
			return fmt.Errorf("%w: input %d has %d elements, want %d", ErrData, i, len(x), dim)
		}
		for _, v := range x {
			if !isFinite(v) {
				return fmt.Errorf("%w: input %d is not finite", ErrData, i)
			}
		}
		if !isFinite(d.Y[i]) {
			return fmt.Errorf("%w: value %d is not finite", ErrData, i)
		}
		if d.Fixed != nil && !(d.Fixed[i] >= 0 && isFinite(d.Fixed[i])) {
			return fmt.Errorf("%w: noise variance %d is %v", ErrData, i, d.Fixed[i])
		}
		if d.Weight != nil && !(d.Weight[i] > 0 && isFinite(d.Weight[i])) {
			return fmt.Errorf("%w: weight %d is %v", ErrData, i, d.Weight[i])
		}
		if d.Repeats != nil && !(d.Repeats[i] >= 0 && d.Scatter[i] >= 0 && isFinite(d.Repeats[i]+d.Scatter[i])) {
			return fmt.Errorf("%w: value %d has a scatter of %v over %v repeats", ErrData, i, d.Scatter[i], d.Repeats[i])
		}
	}
	return nil
}

func isFinite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// NumParams returns the length of the model's parameter vector.
func (m *Model) NumParams() int { return m.Dim + 1 + m.noise().Len() + m.mean().Len() }

func (m *Model) mean() Mean {
	if m.Mean == nil {
		return ConstantMean{}
	}
	return m.Mean
}

func (m *Model) noise() Noise {
	if m.Noise == nil {
		return ConstantNoise{}
	}
	return m.Noise
}

// split returns the parts of p; they share its memory.
func (m *Model) split(p []float64) (length []float64, variance float64, noise, mean []float64) {
	if len(p) != m.NumParams() {
		panic("gp: parameter vector has the wrong length")
	}
	k := m.Dim + 1 + m.noise().Len()
	return p[:m.Dim], p[m.Dim], p[m.Dim+1 : k], p[k:]
}

func (m *Model) kernel(p []float64) *Kernel {
	logLength, logVariance, _, _ := m.split(p)
	k := &Kernel{Form: m.Form, Variance: math.Exp(logVariance), Length: make([]float64, m.Dim)}
	for i, l := range logLength {
		k.Length[i] = math.Exp(l)
	}
	return k
}

// own returns the part of the variance of observation i that the model's noise makes,
// where that of one observation is noise.
func (d Data) own(i int, noise float64) float64 {
	if d.Weight != nil {
		return noise / d.Weight[i]
	}
	return noise
}

// variance returns the variance of observation i where the model's noise is noise.
func (d Data) variance(i int, noise float64) float64 {
	v := d.own(i, noise)
	if d.Fixed != nil {
		v += d.Fixed[i]
	}
	return v
}
