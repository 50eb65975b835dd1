package pool

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

func TestClockIsFound(t *testing.T) {
	t.Parallel()
	const window, gb, price = 60.0, 0.5, 100.0
	var p phase
	for range 5 {
		p.add(40.5/60, 1)
	}
	now, best := p.when(1, 1, 0, window, gb, price)
	if best.from < 37 || best.from > 40 || best.to < 41 || best.to > 60 {
		t.Errorf("struck at 40.5 s five times: wants an instance from %v to %v s", best.from, best.to)
	}
	if now.gain >= best.gain {
		t.Errorf("from now on gains %v, from the strike %v", now.gain, best.gain)
	}
	// The clock is set anew: after a while it is known again.
	for range 40 {
		p.add(10.5/60, 1)
	}
	if _, best = p.when(1, 1, 0, window, gb, price); best.from > 10 || best.to < 11 {
		t.Errorf("strikes at 10.5 s now: wants an instance from %v to %v s", best.from, best.to)
	}
}

func TestNoClockIsNoClock(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	var p phase
	for range 200 {
		p.add(r.Float64(), 1)
	}
	if p.evidence > 0 {
		t.Errorf("evidence for a clock from even arrivals: %v", p.evidence)
	}
}

// TestWhenCountsAll compares the gains with the costs of having an instance in
// sampled windows.
func TestWhenCountsAll(t *testing.T) {
	t.Parallel()
	const window, gb, price, likely = 60.0, 0.5, 40.0, 0.7
	var p phase
	for range 20 {
		p.add(20.5/60, 1)
	}
	p.evidence = 0 // half clock, half even
	now, best := p.when(likely, 1, 0, window, gb, price)
	r := rand.New(rand.NewPCG(3, 1))
	const n = 200_000
	var gainNow, gainBest float64
	for range n {
		at := math.Inf(1)
		if r.Float64() < likely {
			switch {
			case r.Float64() < 0.5:
				at = r.Float64() * window
			default:
				at = 19.5 + r.Float64() + r.Float64() + float64(r.IntN(2)) - 0.5 // about the kernel of add
			}
		}
		gain := func(s span) float64 {
			switch {
			case at < s.from:
				return 0
			case at < s.to:
				return price - gb*(at-s.from)
			}
			return -gb * (s.to - s.from)
		}
		gainNow += gain(now) / n
		gainBest += gain(best) / n
	}
	if math.Abs(gainBest-best.gain) > 1 || math.Abs(gainNow-now.gain) > 1 {
		t.Errorf("gains %v and %v in samples, expected %v and %v", gainNow, gainBest, now.gain, best.gain)
	}
}

func TestWhenIsSound(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var p phase
		for range rapid.IntRange(0, 100).Draw(t, "windows") {
			p.add(rapid.Float64Range(-0.1, 1.1).Draw(t, "at"), rapid.IntRange(0, 1e6).Draw(t, "calls"))
		}
		passed := rapid.Float64Range(-1, 70).Draw(t, "passed")
		now, best := p.when(rapid.Float64Range(0, 1).Draw(t, "likely"), rapid.Float64Range(0, 1e6).Draw(t, "calls"), passed, 60,
			rapid.Float64Range(1e-3, 10).Draw(t, "gb"), rapid.Float64Range(0, 1e9).Draw(t, "price"))
		for _, s := range []span{now, best} {
			if !(s.gain >= 0) || math.IsInf(s.gain, 0) || s.gain > 0 && s.to < s.from {
				t.Fatalf("wants %+v", s)
			}
		}
	})
}
