package main

import (
	"context"
	"math"

	"github.com/aquatope/aquatope/examples/fn"
)

type results struct {
	Results []moments `json:"results"`
}

type estimate struct {
	Value         float64 `json:"value"`
	StandardError float64 `json:"standardError"`
	Paths         int     `json:"paths"`
}

// merge adds the parts up to the option's value and how sure it is.
func merge(_ context.Context, in results) (estimate, error) {
	var n, sum, squares float64
	for _, m := range in.Results {
		n, sum, squares = n+float64(m.Count), sum+m.Sum, squares+m.SumSquares
	}
	if n < 2 {
		return estimate{}, fn.Invalidf("results hold %v paths; at least 2 are needed", n)
	}
	mean := sum / n
	variance := max(0, squares/n-mean*mean) * n / (n - 1)
	return estimate{Value: mean, StandardError: math.Sqrt(variance / n), Paths: int(n)}, nil
}
