package main

import (
	"context"
	"math"
	"math/rand/v2"

	"github.com/aquatope/aquatope/examples/fn"
	"github.com/aquatope/aquatope/examples/parallel"
)

// moments sum up the discounted payoffs of some paths.
type moments struct {
	Count      int     `json:"count"`
	Sum        float64 `json:"sum"`
	SumSquares float64 `json:"sumSquares"`
}

// blocks is how many pieces a part is simulated in, whatever the number of
// processors, so that the result does not depend on it.
const blocks = 16

// simulate draws paths of the price and values the option on each. Nearly all
// of it runs on every processor there is; its time is paths x days.
func simulate(_ context.Context, in part) (moments, error) {
	if in.Paths < 1 || in.Option.Days < 1 {
		return moments{}, fn.Invalidf("paths and option.days must be above 0")
	}
	var results [blocks]moments
	parallel.For(blocks, func(i int) {
		paths := (i+1)*in.Paths/blocks - i*in.Paths/blocks
		random := rand.New(rand.NewPCG(in.Seed, in.Stream*blocks+uint64(i)))
		results[i] = in.Option.walk(random, paths)
	})
	var total moments
	for _, m := range results {
		total.Count += m.Count
		total.Sum += m.Sum
		total.SumSquares += m.SumSquares
	}
	return total, nil
}

// walk follows paths of a geometric Brownian motion, one step a day.
func (o option) walk(random *rand.Rand, paths int) moments {
	const year = 365
	drift := (o.Rate - o.Volatility*o.Volatility/2) / year
	spread := o.Volatility / math.Sqrt(year)
	discount := math.Exp(-o.Rate * float64(o.Days) / year)
	m := moments{Count: paths}
	for range paths {
		logPrice := math.Log(o.Price)
		mean := 0.0
		for range o.Days {
			logPrice += drift + spread*random.NormFloat64()
			if o.Geometric {
				mean += logPrice
			} else {
				mean += math.Exp(logPrice)
			}
		}
		mean /= float64(o.Days)
		if o.Geometric {
			mean = math.Exp(mean)
		}
		payoff := discount * max(0, mean-o.Strike)
		m.Sum += payoff
		m.SumSquares += payoff * payoff
	}
	return m
}
