package gp

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/floats"
)

// ErrNotPositiveDefinite says that a covariance matrix could not be factorised
// even after the largest allowed jitter was added to its diagonal. The usual
// cause is a value that is not finite.
var ErrNotPositiveDefinite = errors.New("covariance matrix is not positive definite")

// jitterLadder is what is added to the diagonal, relative to its mean, when a
// factorisation fails: first nothing, then more and more.
var jitterLadder = [...]float64{0, 1e-10, 1e-8, 1e-6, 1e-4}

// factor is a lower Cholesky factor with one slice for each row, so that rows
// can be appended. Matrices here have at most a few hundred rows, where plain
// loops are as fast as a call into LAPACK.
type factor [][]float64

// cholesky factorises the symmetric matrix a, of which only the lower triangle
// is read, climbing the jitter ladder. It returns the jitter that was added.
func cholesky(a [][]float64) (factor, float64, error) {
	l := factor(lowerTriangle(len(a)))
	jitter, err := l.factorise(a)
	if err != nil {
		return nil, 0, err
	}
	return l, jitter, nil
}

// factorise is cholesky in the memory of l.
func (l factor) factorise(a [][]float64) (jitter float64, err error) {
	var scale float64
	for i := range a {
		scale += a[i][i] / float64(len(a))
	}
	for _, j := range jitterLadder {
		if l.try(a, j*scale) {
			return j * scale, nil
		}
	}
	return 0, ErrNotPositiveDefinite
}

func (l factor) try(a [][]float64, jitter float64) bool {
	for i := range a {
		if !l.row(i, a[i], jitter) {
			return false
		}
	}
	return true
}

// row computes row i of the factor from row i of the matrix.
func (l factor) row(i int, a []float64, jitter float64) bool {
	li := l[i]
	for j := range i {
		li[j] = (a[j] - floats.Dot(li[:j], l[j][:j])) / l[j][j]
	}
	v := a[i] + jitter - floats.Dot(li[:i], li[:i])
	// Below rounding error of the diagonal the pivot has no meaning.
	if !(v > 1e-14*a[i]) || math.IsInf(v, 0) {
		return false
	}
	li[i] = math.Sqrt(v)
	return true
}

// append adds row a (with its diagonal element last) to the factorised matrix
// in quadratic time. If the extended matrix is not positive definite the
// diagonal gets jitter.
func (l *factor) append(a []float64) bool {
	n := len(*l)
	*l = append(*l, make([]float64, n+1))
	for _, j := range jitterLadder {
		if l.row(n, a, j*a[n]) {
			return true
		}
	}
	*l = (*l)[:n]
	return false
}

// solve overwrites b with the solution of L·x = b.
func (l factor) solve(b []float64) {
	for i, li := range l {
		b[i] = (b[i] - floats.Dot(li[:i], b[:i])) / li[i]
	}
}

// solveTransposed overwrites b with the solution of Lᵀ·x = b.
func (l factor) solveTransposed(b []float64) {
	for i := len(l) - 1; i >= 0; i-- {
		b[i] /= l[i][i]
		floats.AddScaled(b[:i], -b[i], l[i][:i])
	}
}

// multiply returns L·z.
func (l factor) multiply(z []float64) []float64 {
	x := make([]float64, len(l))
	for i, li := range l {
		x[i] = floats.Dot(li, z[:i+1])
	}
	return x
}

// inverse returns the lower triangle of the inverse of L·Lᵀ.
func (l factor) inverse() [][]float64 {
	return l.inverseIn([2][][]float64{lowerTriangle(len(l)), lowerTriangle(len(l))})
}

// inverseIn is inverse in given memory, which it returns one of.
func (l factor) inverseIn(memory [2][][]float64) [][]float64 {
	m, inv := memory[0], memory[1] // L⁻¹, by rows, and the inverse
	n := len(l)
	for i := range n {
		clear(m[i])
		clear(inv[i])
	}
	for i := range n {
		for j := range i {
			floats.AddScaled(m[i][:j+1], -l[i][j], m[j])
		}
		for j := range i {
			m[i][j] /= l[i][i]
		}
		m[i][i] = 1 / l[i][i]
	}
	for k := range n { // (L⁻¹)ᵀ·L⁻¹ as a sum over rows
		mk := m[k]
		for i := 0; i <= k; i++ {
			floats.AddScaled(inv[i], mk[i], mk[:i+1])
		}
	}
	return inv
}

// logDeterminant returns the logarithm of the determinant of L·Lᵀ.
func (l factor) logDeterminant() float64 {
	var sum float64
	for i := range l {
		sum += 2 * math.Log(l[i][i])
	}
	return sum
}

// lowerTriangle returns n rows of lengths 1 to n in one block of memory.
func lowerTriangle(n int) [][]float64 {
	block := make([]float64, n*(n+1)/2)
	rows := make([][]float64, n)
	for i := range rows {
		rows[i], block = block[:i+1:i+1], block[i+1:]
	}
	return rows
}
