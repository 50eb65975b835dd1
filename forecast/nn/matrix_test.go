package nn_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/aquatope/aquatope/forecast/nn"
)

func transpose(m nn.Matrix) nn.Matrix {
	t := nn.NewMatrix(m.Cols, m.Rows)
	for i := range m.Rows {
		for j, v := range m.Row(i) {
			t.Row(j)[i] = v
		}
	}
	return t
}

// TestProducts compares the three products with the definition, for shapes on
// and off the blocks of the kernels.
func TestProducts(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 1))
	sizes := []int{1, 3, 4, 5, 15, 16, 17, 33}
	for _, rows := range sizes {
		for _, depth := range sizes {
			for _, cols := range sizes {
				a, b, c := random(rows, depth, r), random(depth, cols, r), random(rows, cols, r)
				want := make([]float64, rows*cols)
				for i := range rows {
					for j := range cols {
						for k := range depth {
							want[i*cols+j] += float64(a.Row(i)[k]) * float64(b.Row(k)[j])
						}
					}
				}
				compare := func(name string, got nn.Matrix, plus nn.Matrix) {
					for i, v := range got.Data {
						if w := want[i] + float64(plus.Data[i]); math.Abs(float64(v)-w) > 1e-4 {
							t.Fatalf("%s %dx%dx%d: element %d is %v, want %v", name, rows, depth, cols, i, v, w)
						}
					}
				}
				zero := nn.NewMatrix(rows, cols)
				got := nn.Matrix{Rows: rows, Cols: cols, Data: append([]float32(nil), c.Data...)}
				nn.MulAdd(a, b, 1, got)
				compare("mul", got, c)
				nn.Mul(a, b, got)
				compare("mul anew", got, zero)
				copy(got.Data, c.Data)
				nn.MulTN(transpose(a), b, got)
				compare("mulTN", got, c)
				nn.MulNT(a, transpose(b), got)
				compare("mulNT", got, zero)
			}
		}
	}
}

func TestTanh(t *testing.T) {
	t.Parallel()
	x := make([]float32, 2003)
	for i := range x {
		x[i] = float32(i-1000) / 80
	}
	y := make([]float32, len(x))
	nn.Tanhs(y, x)
	for i := range x {
		if want := math.Tanh(float64(x[i])); math.Abs(float64(y[i])-want) > 1e-6 {
			t.Fatalf("tanh(%v) = %v, want %v", x[i], y[i], want)
		}
	}
}

func BenchmarkProduct(b *testing.B) {
	r := rand.New(rand.NewPCG(5, 1))
	for _, n := range []int{64, 256} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			x, y, z := random(n, n, r), random(n, n, r), nn.NewMatrix(n, n)
			for b.Loop() {
				nn.Mul(x, y, z)
			}
			b.ReportMetric(2*float64(n*n*n)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}
