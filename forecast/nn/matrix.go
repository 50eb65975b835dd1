package nn

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
)

// Matrix is a dense matrix, row by row. A batch is a matrix with a row per
// sample.
type Matrix struct {
	Rows, Cols int
	Data       []float32
}

// NewMatrix returns a matrix of zeros.
func NewMatrix(rows, cols int) Matrix {
	return Matrix{rows, cols, make([]float32, rows*cols)}
}

// Row returns row i; it shares memory with m.
func (m Matrix) Row(i int) []float32 { return m.Data[i*m.Cols : (i+1)*m.Cols] }

// Slice returns the rows [from, to); it shares memory with m.
func (m Matrix) Slice(from, to int) Matrix {
	return Matrix{to - from, m.Cols, m.Data[from*m.Cols : to*m.Cols]}
}

// resize gives m a shape, with its memory if that suffices. The content is
// undefined.
func (m *Matrix) resize(rows, cols int) {
	if n := rows * cols; cap(m.Data) < n {
		m.Data = make([]float32, n)
	} else {
		m.Data = m.Data[:n]
	}
	m.Rows, m.Cols = rows, cols
}

func (m Matrix) general() blas32.General {
	return blas32.General{Rows: m.Rows, Cols: m.Cols, Stride: max(m.Cols, 1), Data: m.Data}
}

// mul adds a·b to beta·c, beta being 0 or 1.
func mul(a, b Matrix, beta float32, c Matrix) {
	if !fast {
		blas32.Gemm(blas.NoTrans, blas.NoTrans, 1, a.general(), b.general(), beta, c.general())
		return
	}
	if beta == 0 {
		clear(c.Data)
	}
	gemm(a.Rows, a.Cols, b.Cols, operand{a.Data, a.Cols, 1}, b, c)
}

// mulTN adds aᵀ·b to c.
func mulTN(a, b, c Matrix) {
	if !fast {
		blas32.Gemm(blas.Trans, blas.NoTrans, 1, a.general(), b.general(), 1, c.general())
		return
	}
	gemm(a.Cols, a.Rows, b.Cols, operand{a.Data, 1, a.Cols}, b, c)
}

// mulNT sets c to a·bᵀ.
func mulNT(a, b, c Matrix) {
	if !fast {
		blas32.Gemm(blas.NoTrans, blas.Trans, 1, a.general(), b.general(), 0, c.general())
		return
	}
	s := scratch.Get().(*buffers)
	defer scratch.Put(s)
	clear(c.Data)
	gemm(a.Rows, a.Cols, b.Rows, operand{a.Data, a.Cols, 1}, s.transpose(b), c)
}

// Mul sets c to a·b.
func Mul(a, b, c Matrix) { mul(a, b, 0, c) }
