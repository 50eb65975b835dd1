package main

import (
	"context"

	"github.com/aquatope/aquatope/examples/fn"
)

// option is an Asian call: it pays what the mean of the price over the days
// exceeds the strike. Rate and volatility are per year.
type option struct {
	Price      float64 `json:"price"`
	Strike     float64 `json:"strike"`
	Rate       float64 `json:"rate"`
	Volatility float64 `json:"volatility"`
	Days       int     `json:"days"`
	Geometric  bool    `json:"geometric,omitempty"` // of the mean; arithmetic otherwise
}

type order struct {
	Option option `json:"option"`
	Paths  int    `json:"paths"`
	Parts  int    `json:"parts"`
	Seed   uint64 `json:"seed"`
}

// part is one piece of the work.
type part struct {
	Option option `json:"option"`
	Paths  int    `json:"paths"`
	Seed   uint64 `json:"seed"`
	Stream uint64 `json:"stream"` // numbers the parts: each draws random numbers of its own
}

type partList struct {
	Parts []part `json:"parts"`
}

// split deals the paths out to the parts. It does next to nothing: what an
// invocation costs by itself shows here.
func split(_ context.Context, in order) (partList, error) {
	switch {
	case in.Parts < 1 || in.Parts > 256:
		return partList{}, fn.Invalidf("parts is %d; write 1 to 256", in.Parts)
	case in.Paths < in.Parts || in.Paths > 100_000_000:
		return partList{}, fn.Invalidf("paths is %d; write %d (one for each part) to 100000000", in.Paths, in.Parts)
	case in.Option.Days < 1 || in.Option.Price <= 0 || in.Option.Strike <= 0 || in.Option.Volatility <= 0:
		return partList{}, fn.Invalidf("option: price, strike, volatility and days must be above 0")
	}
	var out partList
	for i := range in.Parts {
		paths := (i+1)*in.Paths/in.Parts - i*in.Paths/in.Parts
		out.Parts = append(out.Parts, part{Option: in.Option, Paths: paths, Seed: in.Seed, Stream: uint64(i)})
	}
	return out, nil
}
