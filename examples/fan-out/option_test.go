package main

import (
	"math"
	"testing"
)

// TestEstimateMeetsClosedForm values a geometric Asian call, for which there
// is a formula: the mean of log prices is normal, so the price is that of Black
// and Scholes with the mean's own drift and spread (Kemna and Vorst, 1990).
func TestEstimateMeetsClosedForm(t *testing.T) {
	o := option{Price: 100, Strike: 98, Rate: 0.04, Volatility: 0.3, Days: 30, Geometric: true}
	list, err := split(t.Context(), order{Option: o, Paths: 40_001, Parts: 7, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	var all results
	for _, p := range list.Parts {
		m, err := simulate(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		all.Results = append(all.Results, m)
	}
	got, err := merge(t.Context(), all)
	if err != nil {
		t.Fatal(err)
	}
	if got.Paths != 40_001 {
		t.Errorf("%d paths were simulated, want 40001", got.Paths)
	}
	if want := o.geometricValue(); math.Abs(got.Value-want) > 4*got.StandardError || got.StandardError > 0.05 {
		t.Errorf("value %.4f with error %.4f, the formula says %.4f", got.Value, got.StandardError, want)
	}
}

func (o option) geometricValue() float64 {
	n, years := float64(o.Days), float64(o.Days)/365
	mean := math.Log(o.Price) + (o.Rate-o.Volatility*o.Volatility/2)*years*(n+1)/(2*n)
	variance := o.Volatility * o.Volatility * years * (n + 1) * (2*n + 1) / (6 * n * n)
	d := (mean - math.Log(o.Strike)) / math.Sqrt(variance)
	normal := func(x float64) float64 { return 0.5 * math.Erfc(-x/math.Sqrt2) }
	return math.Exp(-o.Rate*years) * (math.Exp(mean+variance/2)*normal(d+math.Sqrt(variance)) - o.Strike*normal(d))
}

func TestBadOrders(t *testing.T) {
	good := order{Option: option{Price: 1, Strike: 1, Volatility: 1, Days: 1}, Paths: 10, Parts: 2}
	for name, spoil := range map[string]func(*order){
		"no parts":         func(o *order) { o.Parts = 0 },
		"too many parts":   func(o *order) { o.Parts = 11 },
		"no days":          func(o *order) { o.Option.Days = 0 },
		"negative price":   func(o *order) { o.Option.Price = -1 },
		"far too much":     func(o *order) { o.Paths = 1 << 40 },
		"not a volatility": func(o *order) { o.Option.Volatility = 0 },
	} {
		bad := good
		spoil(&bad)
		if _, err := split(t.Context(), bad); err == nil {
			t.Errorf("%s: split succeeded", name)
		}
	}
	if _, err := merge(t.Context(), results{}); err == nil {
		t.Error("merge of nothing succeeded")
	}
}
