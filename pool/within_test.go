package pool

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/aquatope/aquatope/forecast"
)

// sample returns the distribution of the given counts, each as likely.
func sample(counts ...float64) forecast.Distribution { return forecast.NewEmpirical(counts) }

// TestRestAgainstSampling compares the decision within a window with the costs
// of each choice in sampled windows.
func TestRestAgainstSampling(t *testing.T) {
	t.Parallel()
	const window, gb, price = 60.0, 0.5, 20.0
	r := rand.New(rand.NewPCG(1, 2))
	support := []float64{0, 1, 1, 1, 2, 2, 3, 5}
	var c counts
	c.fill(sample(support...))
	for _, at := range []struct {
		n int
		u float64
	}{{1, 0.1}, {1, 0.5}, {1, 0.9}, {2, 0.3}, {2, 0.8}, {5, 0.6}} {
		left := window * (1 - at.u)
		gain := map[float64]float64{0: 0}
		n := 0
		for n < 20000 {
			// A window with at.n of its invocations in the first share u.
			k := support[r.IntN(len(support))]
			before, first := 0, math.Inf(1)
			for range int(k) {
				if x := r.Float64(); x < at.u {
					before++
				} else {
					first = min(first, x*window-at.u*window)
				}
			}
			if before != at.n {
				continue
			}
			n++
			for _, share := range []float64{0.125, 0.25, 0.5, 1} {
				x := share * left
				g := -gb * min(x, first)
				if first < x {
					g += price
				}
				gain[share] += g
			}
		}
		best := 0.0
		for share, g := range gain {
			if g > gain[best] {
				best = share
			}
		}
		seconds, all := c.rest(at.n, at.u, left, gb, price, 0)
		got := seconds / left
		if math.Abs(gain[got]-gain[best])/float64(n) > 0.05*price {
			t.Errorf("after %d in %.0f %% of the window: keeps %.3f of the rest (gain %.2f), best is %.3f (%.2f)",
				at.n, 100*at.u, got, gain[got]/float64(n), best, gain[best]/float64(n))
		}
		if all != (got == 1) {
			t.Errorf("keeps %.3f of the rest, all is %v", got, all)
		}
	}
}

func TestKeepMinimisesCost(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var g, pooled gaps
		n := rapid.IntRange(1, 60).Draw(t, "gaps")
		bins := make([]int, n)
		for i := range bins {
			bins[i] = rapid.IntRange(0, gapBins-2).Draw(t, "bin")
			g.add(time.Duration(gapEdge(bins[i]) * 0.999 * float64(time.Second)))
		}
		gb, price := rapid.Float64Range(0.05, 2).Draw(t, "gb"), rapid.Float64Range(0.1, 5000).Draw(t, "price")
		cost := func(keep float64) float64 {
			c := unended * (gb*keep + price)
			for _, b := range bins {
				lower := 0.0
				if b > 0 {
					lower = gapEdge(b - 1)
				}
				if gapEdge(b) <= keep*(1+1e-6) {
					c += gb * (lower + gapEdge(b)) / 2
				} else {
					c += gb*keep + price
				}
			}
			return c
		}
		got := g.keep(&pooled, gb, price).Seconds()
		for b := -1; b < gapBins-1; b++ {
			keep := 0.0
			if b >= 0 {
				keep = gapEdge(b)
			}
			if cost(got) > cost(keep)*(1+1e-4)+1e-6 {
				t.Fatalf("keeps %v s at cost %v, %v s costs %v", got, cost(got), keep, cost(keep))
			}
		}
	})
}

func TestWithoutGapsBreakEven(t *testing.T) {
	t.Parallel()
	var g, pooled gaps
	if got := g.keep(&pooled, 0.5, 30); got != time.Minute {
		t.Errorf("keeps %v, want price / memory = 1m", got)
	}
	if got := breakEven(1e-300, 1e300); got != Forever {
		t.Errorf("break-even of next to nothing is %v", got)
	}
}

func TestGapsForget(t *testing.T) {
	t.Parallel()
	var g gaps
	for range 10 * forgetAt {
		g.add(time.Second)
	}
	sum := float32(0)
	for _, c := range g.count {
		sum += c
	}
	if sum > forgetAt || math.Abs(float64(sum-g.n)) > 1 {
		t.Errorf("%v gaps in the bins, %v counted", sum, g.n)
	}
}

func TestLevelsWorth(t *testing.T) {
	t.Parallel()
	f := Function{Memory: 1e9, Service: time.Second, Concurrency: 1}
	levels := func(d forecast.Distribution, price float64) int {
		var c counts
		c.fill(d)
		return levelsWorth(d, c.first(), f, 60, 1, price)
	}
	if got := levels(sample(0), 1e9); got != 0 {
		t.Errorf("nothing is coming: %d instances", got)
	}
	if got := levels(sample(1), 40); got != 1 {
		t.Errorf("one call, a cold start dearer than half a minute idle: %d instances, want 1", got)
	}
	if got := levels(sample(1), 20); got != 0 {
		t.Errorf("one call, a cold start cheaper than half a minute idle: %d instances, want 0", got)
	}
	// 600 calls of a second in a minute: ten at work on average.
	last := 0
	for _, price := range []float64{1, 10, 100, 1000, 1e5} {
		got := levels(sample(600), price)
		if got < last {
			t.Errorf("a dearer cold start wants fewer: %d after %d", got, last)
		}
		last = got
	}
	if last < 15 || last > 40 {
		t.Errorf("at a very high price %d instances for ten at work on average", last)
	}
}

// TestQuietIsKnownAtOnce: what is decided from the chance of no call alone is what
// all counts together decide.
func TestQuietIsKnownAtOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		values := []float64{rapid.Float64Range(0, 50).Draw(t, "low"), rapid.Float64Range(0, 50).Draw(t, "high")}
		d := forecast.NewHurdle(rapid.Float64Range(0, 1).Draw(t, "zero"), []float64{0.2, 0.9}, values)
		gb, price := rapid.Float64Range(0.01, 10).Draw(t, "gb"), rapid.Float64Range(0.01, 2000).Draw(t, "price")
		var c counts
		c.fill(d)
		f := Function{Memory: 1e9, Service: time.Second}
		if !(use{1 - d.CDF(0), d.CDF(0)}).worth(60, gb, price) && levelsWorth(d, c.first(), f, 60, gb, price) != 0 {
			t.Fatalf("no instance at once, %d after a look at the counts", levelsWorth(d, c.first(), f, 60, gb, price))
		}
	})
}

func TestUse(t *testing.T) {
	t.Parallel()
	var c counts
	c.fill(sample(0, 0, 1, 3))
	u := c.first()
	// First of n even arrivals after 1/(n+1) of the window, the whole without any.
	if want := 0.5 + 0.25/2 + 0.25/4; math.Abs(u.until-want) > 1e-12 || u.likely != 0.5 {
		t.Errorf("use %+v, want 0.5 likely after %v", u, want)
	}
	if got, want := c.within(0.1), 0.25*0.1+0.25*(1-0.9*0.9*0.9); math.Abs(got-want) > 1e-12 {
		t.Errorf("within a tenth: %v, want %v", got, want)
	}
}
