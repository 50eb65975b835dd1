package nn

import "sync"

// A block is what the kernel computes at once.
const blockRows, blockCols = 4, 16

// operand is a matrix whose element (i, k) lies at i·row + k·col.
type operand struct {
	data     []float32
	row, col int
}

// gemm adds a·b to c, a being rows x depth and b depth x cols, row by row.
func gemm(rows, depth, cols int, a operand, b Matrix, c Matrix) {
	if rows == 0 || depth == 0 || cols == 0 {
		return
	}
	const size = 4 // bytes of a float32
	whole := cols / blockCols * blockCols
	s := scratch.Get().(*buffers)
	defer scratch.Put(s)
	panel, stride := b.Data, b.Cols
	for j := 0; j < cols; j += blockCols {
		edge := j == whole
		if edge {
			panel, stride = s.pad(b, whole, depth), blockCols
		}
		for i := 0; i < rows; i += blockRows {
			if !edge && i+blockRows <= rows {
				kernel4x16(depth, &a.data[i*a.row], a.row*size, a.col*size, &panel[j], stride*size, &c.Data[i*c.Cols+j], c.Cols*size)
				continue
			}
			// A block at the edge is computed aside. Rows beyond the last
			// repeat it and are dropped.
			clear(s.block[:])
			n := min(blockRows, rows-i)
			at := j
			if edge {
				at = 0
			}
			if n == blockRows {
				kernel4x16(depth, &a.data[i*a.row], a.row*size, a.col*size, &panel[at], stride*size, &s.block[0], blockCols*size)
			} else {
				for k := range n {
					kernel4x16(depth, &a.data[(i+k)*a.row], 0, a.col*size, &panel[at], stride*size, &s.spare[0], blockCols*size)
					copy(s.block[k*blockCols:(k+1)*blockCols], s.spare[:blockCols])
					clear(s.spare[:])
				}
			}
			for k := range n {
				dst := c.Data[(i+k)*c.Cols+j : (i+k)*c.Cols+min(j+blockCols, cols)]
				for l := range dst {
					dst[l] += s.block[k*blockCols+l]
				}
			}
		}
	}
}

// buffers are reused between products.
type buffers struct {
	block, spare [blockRows * blockCols]float32
	padded       []float32
	transposed   []float32
}

var scratch = sync.Pool{New: func() any { return new(buffers) }}

// pad copies the columns of b from the given one on, filled up with zeros to a
// whole block.
func (s *buffers) pad(b Matrix, from, depth int) []float32 {
	if cap(s.padded) < depth*blockCols {
		s.padded = make([]float32, depth*blockCols)
	}
	s.padded = s.padded[:depth*blockCols]
	clear(s.padded)
	for k := range depth {
		copy(s.padded[k*blockCols:], b.Data[k*b.Cols+from:(k+1)*b.Cols])
	}
	return s.padded
}

// transpose returns bᵀ.
func (s *buffers) transpose(b Matrix) Matrix {
	if cap(s.transposed) < len(b.Data) {
		s.transposed = make([]float32, len(b.Data))
	}
	s.transposed = s.transposed[:len(b.Data)]
	for i := range b.Rows {
		for j, v := range b.Row(i) {
			s.transposed[j*b.Rows+i] = v
		}
	}
	return Matrix{b.Cols, b.Rows, s.transposed}
}
