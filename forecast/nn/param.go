package nn

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
)

// Param is a trainable array with the gradient of the loss by it.
type Param struct {
	Value []float32
	Grad  []float32
}

func newParam(n int) *Param { return &Param{make([]float32, n), make([]float32, n)} }

// uniform fills the values from [-bound, bound].
func (p *Param) uniform(bound float64, r *rand.Rand) {
	for i := range p.Value {
		p.Value[i] = float32((2*r.Float64() - 1) * bound)
	}
}

// fork returns a parameter with the same values and a gradient of its own.
func (p *Param) fork() *Param { return &Param{p.Value, make([]float32, len(p.Grad))} }

// Adam is the optimiser of Kingma and Ba (ICLR 2015) with decoupled weight
// decay (Loshchilov and Hutter, ICLR 2019).
type Adam struct {
	Rate  float64
	Decay float64
	// Clip bounds the norm of the whole gradient; 0 means no bound.
	Clip float64

	step int
	m, v [][]float32
}

// Step moves the parameters against their gradients and clears these.
func (a *Adam) Step(params []*Param) {
	const beta1, beta2, epsilon = 0.9, 0.999, 1e-8
	if a.m == nil {
		for _, p := range params {
			a.m = append(a.m, make([]float32, len(p.Value)))
			a.v = append(a.v, make([]float32, len(p.Value)))
		}
	}
	scale := float32(1)
	if a.Clip > 0 {
		var sum float64
		for _, p := range params {
			for _, g := range p.Grad {
				sum += float64(g) * float64(g)
			}
		}
		if norm := math.Sqrt(sum); norm > a.Clip {
			scale = float32(a.Clip / norm)
		}
	}
	a.step++
	rate := float32(a.Rate * math.Sqrt(1-math.Pow(beta2, float64(a.step))) / (1 - math.Pow(beta1, float64(a.step))))
	decay := float32(1 - a.Rate*a.Decay)
	for i, p := range params {
		m, v := a.m[i][:len(p.Value)], a.v[i][:len(p.Value)]
		grad := p.Grad[:len(p.Value)]
		for j, g := range grad {
			g *= scale
			m[j] += (1 - beta1) * (g - m[j])
			v[j] += (1 - beta2) * (g*g - v[j])
			p.Value[j] = p.Value[j]*decay - rate*m[j]/(float32(math.Sqrt(float64(v[j])))+epsilon)
		}
		clear(grad)
	}
}

// Collect adds the gradients of a fork's parameters to those of the original
// and clears them.
func Collect(params, fork []*Param) {
	for i, p := range params {
		for j, g := range fork[i].Grad {
			p.Grad[j] += g
		}
		clear(fork[i].Grad)
	}
}

// Values returns the values of parameters, shared, for saving.
func Values(params []*Param) [][]float32 {
	v := make([][]float32, len(params))
	for i, p := range params {
		v[i] = p.Value
	}
	return v
}

// SetValues copies saved values into parameters, which must have the same sizes.
// Values that are not finite are refused.
func SetValues(params []*Param, values [][]float32) error {
	if len(values) != len(params) {
		return fmt.Errorf("%d arrays of weights instead of %d", len(values), len(params))
	}
	for i, p := range params {
		if len(values[i]) != len(p.Value) {
			return fmt.Errorf("%d weights instead of %d", len(values[i]), len(p.Value))
		}
		for _, v := range values[i] {
			if v-v != 0 {
				return errors.New("a weight is not a number")
			}
		}
		copy(p.Value, values[i])
	}
	return nil
}
