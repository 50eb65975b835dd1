package report

import (
	"math"
	"strconv"

	"gonum.org/v1/plot"
)

// ticks places and names the ticks of an axis.
type ticks struct{ log bool }

// Ticks implements plot.Ticker.
func (t ticks) Ticks(lo, hi float64) []plot.Tick {
	if t.log {
		return decades(lo, hi)
	}
	out := plot.DefaultTicks{}.Ticks(lo, hi)
	for i := range out {
		if out[i].Label != "" {
			out[i].Label = short(out[i].Value)
		}
	}
	return out
}

// decades labels the powers of ten, and 2 and 5 as well when they are few.
func decades(lo, hi float64) []plot.Tick {
	var out []plot.Tick
	first, last := int(math.Floor(math.Log10(lo))), int(math.Ceil(math.Log10(hi)))
	for d := first; d <= last; d++ {
		for m := 1.0; m < 10; m++ {
			v := m * math.Pow(10, float64(d))
			if v < lo*(1-1e-9) || v > hi*(1+1e-9) {
				continue
			}
			tick := plot.Tick{Value: v}
			if m == 1 || last-first <= 2 && (m == 2 || m == 5) {
				tick.Label = short(v)
			}
			out = append(out, tick)
		}
	}
	return out
}

// short names a tick: 0.05, 250, 40k, 1.5M, 2G.
func short(x float64) string {
	for _, u := range []struct {
		size float64
		name string
	}{{1e9, "G"}, {1e6, "M"}, {1e4, "k"}} {
		if math.Abs(x) >= u.size {
			scale := u.size
			if u.name == "k" {
				scale = 1e3
			}
			return strconv.FormatFloat(x/scale, 'g', 4, 64) + u.name
		}
	}
	return strconv.FormatFloat(x, 'g', 6, 64)
}
