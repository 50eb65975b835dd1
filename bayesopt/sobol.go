package bayesopt

import (
	_ "embed"
	"fmt"
	"math/bits"
	"strings"
	"sync"

	"gonum.org/v1/gonum/stat/distuv"
)

//go:embed sobol.txt
var sobolTable string

// MaxSobolDim is the largest dimension of a [Sobol] sequence.
const MaxSobolDim = 256

// directions holds, for each dimension, the 32 direction numbers as bits after
// the binary point. They come from the table of Joe and Kuo, Constructing Sobol
// sequences with better two-dimensional projections (2008).
var directions = sync.OnceValue(func() [][32]uint32 {
	dirs := make([][32]uint32, 1, MaxSobolDim)
	for b := range 32 {
		dirs[0][b] = 1 << (31 - b)
	}
	for line := range strings.Lines(sobolTable) {
		if line[0] == '#' {
			continue
		}
		var fields []uint32
		for _, f := range strings.Fields(line) {
			var v uint32
			if _, err := fmt.Sscan(f, &v); err != nil {
				panic("bayesopt: the table of direction numbers is broken")
			}
			fields = append(fields, v)
		}
		dirs = append(dirs, expand(fields[0], fields[1:]))
	}
	return dirs
})

// expand continues the initial numbers m by the recurrence of the primitive
// polynomial poly.
func expand(poly uint32, m []uint32) (v [32]uint32) {
	degree := bits.Len32(poly) - 1
	for b := range 32 {
		if b < degree {
			v[b] = m[b] << (31 - b)
			continue
		}
		v[b] = v[b-degree] ^ v[b-degree]>>degree
		for k := 1; k < degree; k++ {
			if poly>>(degree-k)&1 == 1 {
				v[b] ^= v[b-k]
			}
		}
	}
	return v
}

// Sobol is a Sobol sequence in the unit cube, optionally with Owen's nested
// uniform scrambling: any aligned block of 2^k points is as even as the plain
// sequence, while each point is uniformly distributed. It is a value: points
// are addressed by index and nothing is consumed.
type Sobol struct {
	dim    int
	seed   uint64
	scramb bool
}

// NewSobol returns the plain sequence of dimension dim, 1 to MaxSobolDim. It
// panics outside of that.
func NewSobol(dim int) Sobol {
	if dim < 1 || dim > MaxSobolDim {
		panic("bayesopt: dimension of a Sobol sequence outside of 1 to 256")
	}
	return Sobol{dim: dim}
}

// Scrambled returns the sequence with the scrambling of the given seed.
func (s Sobol) Scrambled(seed uint64) Sobol {
	s.seed, s.scramb = seed, true
	return s
}

// Point returns point i of the sequence; plain sequences begin with the origin.
// Scrambled coordinates are strictly inside of (0, 1).
func (s Sobol) Point(i uint32) []float64 {
	x := make([]float64, s.dim)
	for d := range x {
		x[d] = s.coordinate(i, d)
	}
	return x
}

func (s Sobol) coordinate(i uint32, d int) float64 {
	v := &directions()[d]
	var bitsum uint32
	for g, b := i, 0; g != 0; g, b = g>>1, b+1 {
		if g&1 == 1 {
			bitsum ^= v[b]
		}
	}
	if !s.scramb {
		return float64(bitsum) / (1 << 32)
	}
	return (float64(owen(bitsum, hash(s.seed+uint64(d)*0x9e3779b97f4a7c15))) + 0.5) / (1 << 32)
}

// Normals returns n points of the scrambled sequence, mapped to independent
// standard normal variates.
func (s Sobol) Normals(n int) [][]float64 {
	z := make([][]float64, n)
	for i := range z {
		z[i] = s.Point(uint32(i))
		for d, u := range z[i] {
			z[i][d] = distuv.UnitNormal.Quantile(u)
		}
	}
	return z
}

// owen applies a nested uniform scramble: each bit is flipped depending on all
// higher ones. The hash that does so on reversed bits is Laine and Karras's, in
// the form of Burley, Practical hash-based Owen scrambling (2020).
func owen(x uint32, seed uint32) uint32 {
	x = bits.Reverse32(x)
	x += seed
	x ^= x * 0x6c50b47c
	x ^= x * 0xb82f1e52
	x ^= x * 0xc7afe638
	x ^= x * 0x8d22f6e6
	return bits.Reverse32(x)
}

// hash spreads a seed over 32 bits (the finaliser of SplitMix64).
func hash(z uint64) uint32 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return uint32((z ^ z>>31) >> 32)
}
