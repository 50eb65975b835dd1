// Package forecasttest checks that forecasters keep their promises, whatever
// the histories.
package forecasttest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/aquatope/aquatope/forecast"
)

// Sound asks forecasters of a model for histories of all kinds, growing by
// jumps of the clock and by bursts, and checks every distribution.
func Sound(t *testing.T, m forecast.Model) {
	t.Helper()
	rapid.Check(t, func(rt *rapid.T) {
		f := m.New()
		histories := make([]*forecast.History, rapid.IntRange(1, 4).Draw(rt, "functions"))
		for i := range histories {
			histories[i] = history(rt, i)
		}
		h := rapid.IntRange(1, 3).Draw(rt, "horizon")
		for range rapid.IntRange(1, 6).Draw(rt, "rounds") {
			out := f.Forecast(histories, h)
			if len(out) != len(histories) {
				rt.Fatalf("%d forecasts for %d histories", len(out), len(histories))
			}
			for i, ds := range out {
				if len(ds) != h {
					rt.Fatalf("%d windows instead of %d", len(ds), h)
				}
				for _, d := range ds {
					if err := Distribution(d); err != nil {
						rt.Fatalf("%s, function %d: %v", m.Name(), i, err)
					}
				}
			}
			for _, hist := range histories {
				grow(rt, hist)
			}
		}
	})
}

// history draws one: empty, constant, seen once, a timer, noise, of any length.
func history(rt *rapid.T, i int) *forecast.History {
	h := forecast.NewHistory(fmt.Sprint("f", i), "app", rapid.Int64Range(-1e6, 1e6).Draw(rt, "start"))
	n := rapid.SampledFrom([]int{0, 1, 2, 13, 59, 60, 61, 250, 1500}).Draw(rt, "length")
	r := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1))
	kind := rapid.IntRange(0, 5).Draw(rt, "kind")
	once, period := r.IntN(max(n, 1)), 1+r.IntN(70)
	size := rapid.SampledFrom([]float64{1, 3, 1000, forecast.MaxDemand}).Draw(rt, "size")
	for w := range n {
		c := 0.0
		switch {
		case kind == 1, kind == 2 && w == once, kind == 3 && w%period == 0:
			c = size
		case kind == 4:
			c = math.Floor(r.ExpFloat64() * 3)
		case kind == 5:
			c = r.Float64() * size
		}
		if err := h.Observe(h.Next(), c); err != nil {
			rt.Fatal(err)
		}
	}
	return h
}

// grow adds a window, or lets the clock jump by up to two weeks.
func grow(rt *rapid.T, h *forecast.History) {
	jump := rapid.SampledFrom([]int64{0, 0, 0, 1, 100, 20_000}).Draw(rt, "jump")
	c := rapid.SampledFrom([]float64{0, 0, 1, 5, 0.3, 1e6, forecast.MaxDemand}).Draw(rt, "count")
	if err := h.Observe(h.Next()+jump, c); err != nil {
		rt.Fatal(err)
	}
}

// Distribution checks that a distribution is sound: finite and not negative,
// quantiles ascending and in accord with the distribution function.
func Distribution(d forecast.Distribution) error {
	finite := func(v float64) bool { return v >= 0 && !math.IsInf(v, 0) }
	if m := d.Mean(); !finite(m) {
		return fmt.Errorf("mean %v", m)
	}
	last := 0.0
	for _, p := range []float64{0, 0.001, 0.1, 0.5, 0.9, 0.99, 0.9999} {
		q := d.Quantile(p)
		if !finite(q) || q < last {
			return fmt.Errorf("%v-quantile %v after %v", p, q, last)
		}
		last = q
		if c := d.CDF(q); c < p-1e-6 || c > 1 {
			return fmt.Errorf("%v-quantile %v has probability %v below it", p, q, c)
		}
	}
	if c := d.CDF(-1); c != 0 {
		return fmt.Errorf("probability %v of a negative demand", c)
	}
	before := 0.0
	for _, x := range []float64{0, 0.5, 1, 2, 10, 1e3, 1e6, 1e10} {
		c := d.CDF(x)
		if !(c >= before && c <= 1) {
			return fmt.Errorf("CDF(%v) is %v after %v", x, c, before)
		}
		before = c
	}
	r := rand.New(rand.NewPCG(1, 1))
	for range 5 {
		if s := d.Sample(r); !finite(s) {
			return fmt.Errorf("sample %v", s)
		}
	}
	return nil
}
