package gp

import (
	"math"
	"slices"
)

// points are inputs with what repeats among them. A kernel that is a product has to
// be evaluated only for pairs of distinct values of one input, of which there are
// few: sizes come in steps, and what proved well is tried again.
type points struct {
	x     [][]float64
	value [][]float64 // of each input, its distinct values; nil unless the kernel is a product
	at    [][]int     // of each input and point, which of the values it has
}

func (m *Model) points(x [][]float64) points {
	p := points{x: x}
	if m.Form != Product {
		return p
	}
	p.value, p.at = make([][]float64, m.Dim), make([][]int, m.Dim)
	for c := range m.Dim {
		p.at[c] = make([]int, len(x))
		for i := range x {
			k := slices.Index(p.value[c], x[i][c])
			if k < 0 {
				k = len(p.value[c])
				p.value[c] = append(p.value[c], x[i][c])
			}
			p.at[c][i] = k
		}
	}
	return p
}

// covariances are those of a kernel between the points of a and of b.
type covariances struct {
	a, b   points
	same   bool // a is b
	kernel *Kernel
	// Of each input, for the distinct values of a and b: the factor, and the
	// derivative of its logarithm with respect to that of the length-scale.
	factor, slope [][]float64
}

func newCovariances(k *Kernel, a, b points) *covariances {
	c := &covariances{a: a, b: b}
	c.use(k, false)
	return c
}

// newVariances returns the covariances between the points of a.
func newVariances(k *Kernel, a points) *covariances {
	c := &covariances{a: a, b: a, same: true}
	c.use(k, false)
	return c
}

// use evaluates another kernel, of the same form; its derivatives if asked.
func (c *covariances) use(k *Kernel, slopes bool) {
	c.kernel = k
	if k.Form != Product {
		return
	}
	if c.factor == nil {
		c.factor, c.slope = make([][]float64, len(k.Length)), make([][]float64, len(k.Length))
	}
	for i := range k.Length {
		c.useInput(i, slopes)
	}
}

func (c *covariances) useInput(i int, slopes bool) {
	l, a, b := c.kernel.Length[i], c.a.value[i], c.b.value[i]
	n := len(b)
	if c.factor[i] == nil {
		c.factor[i] = make([]float64, len(a)*n)
	}
	if slopes && c.slope[i] == nil {
		c.slope[i] = make([]float64, len(a)*n)
	}
	for k, va := range a {
		row := b
		if c.same {
			row = b[:k+1]
		}
		for j, vb := range row {
			s := math.Sqrt(5) * math.Abs(va-vb) / l
			m, _ := matern(s)
			c.factor[i][k*n+j] = m
			if slopes {
				c.slope[i][k*n+j] = s * s * logSlope(s)
			}
		}
	}
	if c.same {
		mirror(c.factor[i], n)
		if slopes {
			mirror(c.slope[i], n)
		}
	}
}

// mirror copies the lower triangle of a square matrix with n rows to the upper one.
func mirror(a []float64, n int) {
	for i := range n {
		for j := range i {
			a[j*n+i] = a[i*n+j]
		}
	}
}

// row writes the covariances of point i of a with the first points of b, as many as
// dst holds.
func (c *covariances) row(i int, dst []float64) {
	if c.kernel.Form != Product {
		for j := range dst {
			dst[j] = c.kernel.Eval(c.a.x[i], c.b.x[j])
		}
		return
	}
	for j := range dst {
		dst[j] = c.kernel.Variance
	}
	for k, factor := range c.factor {
		n := len(c.b.value[k])
		factor = factor[c.a.at[k][i]*n:][:n]
		at := c.b.at[k][:len(dst)]
		for j := range dst {
			dst[j] *= factor[at[j]]
		}
	}
}

// gradRow is row, and writes the derivatives of each covariance with respect to the
// logarithms of the length-scales into grad. The kernel must have been evaluated
// with its derivatives.
func (c *covariances) gradRow(i int, dst []float64, grad [][]float64) {
	if c.kernel.Form != Product {
		for j := range dst {
			dst[j] = c.kernel.gradRadial(c.a.x[i], c.b.x[j], grad[j])
		}
		return
	}
	c.row(i, dst)
	for k, slope := range c.slope {
		n := len(c.b.value[k])
		slope = slope[c.a.at[k][i]*n:][:n]
		for j, v := range dst {
			grad[j][k] = slope[c.b.at[k][j]] * v
		}
	}
}
