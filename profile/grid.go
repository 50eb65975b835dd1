package profile

import (
	"math"
	"slices"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/stats"
)

// grid holds samples over CPU and memory.
type grid struct {
	cells   [][][]float64 // logarithms of seconds, ascending
	middles [][][]float64 // of each cell: meanPoints evenly spaced quantiles
}

// meanPoints is how many quantiles stand for a distribution in Mean.
const meanPoints = 128

// newGrid sorts the samples of cells; nil if one has none.
func newGrid(cpus, mems int, cell func(i, j int) []float64) *grid {
	g := &grid{}
	for i := range cpus {
		row, points := make([][]float64, mems), make([][]float64, mems)
		for j := range mems {
			row[j] = cell(i, j)
			if len(row[j]) == 0 {
				return nil
			}
			slices.Sort(row[j])
			for k := range meanPoints {
				points[j] = append(points[j], stats.Quantile((float64(k)+0.5)/meanPoints, row[j]))
			}
		}
		g.cells, g.middles = append(g.cells, row), append(g.middles, points)
	}
	return g
}

// Quantile returns the u-quantile, in seconds, of the service time with
// resources r: between the cells of the grid the logarithms of their quantiles
// are interpolated linearly over the logarithms of CPU and memory, so that the
// shape of the noise is interpolated with its size. Outside of the grid it is
// that of the nearest point in it.
func (t *Table) Quantile(r function.Resources, u float64) float64 {
	s := t.At(r)
	return s.Quantile(u)
}

// At returns the service times with resources r, for drawing many of them.
func (t *Table) At(r function.Resources) Times { return t.times(t.all, r) }

// Of is At for runs with one input, an index into Model.Inputs. For -1, and for
// an input that was not measured here, it is that of all.
func (t *Table) Of(input int, r function.Resources) Times {
	return t.times(t.grid(input), r)
}

// grid returns what was measured with an input.
func (t *Table) grid(input int) *grid {
	if input < 0 || t.of[input] == nil {
		return t.all
	}
	return t.of[input]
}

func (t *Table) times(g *grid, r function.Resources) Times {
	i, a := locate(t.logCPU, math.Log(r.CPU.Cores()))
	j, b := locate(t.logMem, math.Log(r.Memory.GiB()))
	var s Times
	add := func(i, j int, w float64) {
		if w > 0 {
			s.cells[s.n], s.weights[s.n] = g.cells[i][j], w
			s.n++
		}
	}
	add(i, j, (1-a)*(1-b))
	if a > 0 {
		add(i+1, j, a*(1-b))
	}
	if b > 0 {
		add(i, j+1, (1-a)*b)
	}
	if a > 0 && b > 0 {
		add(i+1, j+1, a*b)
	}
	return s
}

// Times is the distribution of a function's service time with fixed resources.
type Times struct {
	cells   [4][]float64 // logarithms of seconds, ascending
	weights [4]float64
	n       int
}

// Quantile returns the u-quantile in seconds.
func (s *Times) Quantile(u float64) float64 {
	var sum float64
	for k := range s.n {
		sum += s.weights[k] * stats.Quantile(u, s.cells[k])
	}
	return math.Exp(sum)
}

// Mean returns the mean service time in seconds with resources r in runs with one
// input, as Of; for -1 over all inputs, by how many runs get them.
func (t *Table) Mean(input int, r function.Resources) float64 {
	if input >= 0 || len(t.of) == 0 {
		return t.mean(t.grid(input), r)
	}
	var sum float64
	for k, share := range t.shares {
		sum += share * t.mean(t.grid(k), r)
	}
	return sum
}

func (t *Table) mean(g *grid, r function.Resources) float64 {
	i, a := locate(t.logCPU, math.Log(r.CPU.Cores()))
	j, b := locate(t.logMem, math.Log(r.Memory.GiB()))
	i1, j1 := min(i+1, len(t.logCPU)-1), min(j+1, len(t.logMem)-1)
	p, q, r1, s := g.middles[i][j], g.middles[i1][j], g.middles[i][j1], g.middles[i1][j1]
	var sum float64
	for k := range meanPoints {
		sum += math.Exp((1-b)*((1-a)*p[k]+a*q[k]) + b*((1-a)*r1[k]+a*s[k]))
	}
	return sum / meanPoints
}

// locate returns the interval of the ascending axis that v falls into and the
// position in it, 0 to 1; values outside are moved to the nearest end.
func locate(axis []float64, v float64) (int, float64) {
	n := len(axis)
	switch {
	case v <= axis[0]:
		return 0, 0
	case v >= axis[n-1]:
		return n - 1, 0
	}
	i, _ := slices.BinarySearch(axis, v)
	if axis[i] == v {
		return i, 0
	}
	return i - 1, (v - axis[i-1]) / (axis[i] - axis[i-1])
}
