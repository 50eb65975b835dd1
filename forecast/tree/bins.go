package tree

import (
	"math"
	"slices"
)

// maxBins is the number of values a binned feature can take. 64 keeps the
// histograms of sixty features within a core's second-level cache.
const maxBins = 64

// Bins maps feature values to small integers that keep their order: bin b
// holds the values in (Edges[b-1], Edges[b]]. One slice of ascending edges per
// feature. NaN falls in the last bin.
type Bins [][]float32

// NewBins places edges at quantiles of the rows, which hold width features each.
func NewBins(rows []float32, width int) Bins {
	n := len(rows) / width
	b := make(Bins, width)
	column := make([]float32, 0, n)
	for f := range b {
		column = column[:0]
		for i := range n {
			if v := rows[i*width+f]; v == v {
				column = append(column, v)
			}
		}
		b[f] = edges(column)
	}
	return b
}

// edges returns at most maxBins-1 edges for a feature. Values that are common
// get a bin of their own, the rest is shared evenly.
func edges(v []float32) []float32 {
	slices.Sort(v)
	type run struct {
		value float32
		n     int
	}
	var runs []run
	for i := 0; i < len(v); {
		j := i
		for j < len(v) && v[j] == v[i] {
			j++
		}
		runs = append(runs, run{v[i], j - i})
		i = j
	}
	var out []float32
	left, rest := maxBins, len(v)
	filled := 0
	for i := 0; i+1 < len(runs) && len(out) < maxBins-1; i++ {
		filled += runs[i].n
		if float64(filled) < float64(rest)/float64(max(left, 1)) && len(runs) > maxBins {
			continue
		}
		// Halfway between the values that it separates.
		out = append(out, runs[i].value+(runs[i+1].value-runs[i].value)/2)
		rest -= filled
		left--
		filled = 0
	}
	return out
}

// bin returns the bin of a value of feature f.
func (b Bins) bin(f int, v float32) uint8 {
	e := b[f]
	if v != v {
		return uint8(len(e))
	}
	lo, hi := 0, len(e)
	for lo < hi {
		m := (lo + hi) / 2
		if v <= e[m] {
			hi = m
		} else {
			lo = m + 1
		}
	}
	return uint8(lo)
}

// apply bins all rows.
func (b Bins) apply(rows []float32) []uint8 {
	width := len(b)
	out := make([]uint8, len(rows))
	for i := range len(rows) / width {
		for f := range width {
			out[i*width+f] = b.bin(f, rows[i*width+f])
		}
	}
	return out
}

// threshold returns the value below or at which rows of feature f lie in the
// bins up to b.
func (b Bins) threshold(f int, bin uint8) float32 {
	if int(bin) >= len(b[f]) {
		return float32(math.Inf(1))
	}
	return b[f][bin]
}
