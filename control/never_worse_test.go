package control_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/aquatope/aquatope/control"
	"github.com/aquatope/aquatope/forecast/prior"
)

// arrivals are how a function is called: the instants over some windows.
type arrivals func(windows int, r *rand.Rand) []time.Duration

// bursts come at random and last a few windows: nobody can foresee them.
func bursts(quiet float64) arrivals {
	return func(windows int, r *rand.Rand) []time.Duration {
		var out []time.Duration
		for at := r.ExpFloat64() * quiet; at < float64(windows); at += r.ExpFloat64() * quiet {
			end := at + 3*r.ExpFloat64()
			for x := at; x < end; x += r.ExpFloat64() * 0.3 {
				out = append(out, time.Duration(x*float64(window)))
			}
			at = end
		}
		return out
	}
}

func poisson(perWindow float64) arrivals {
	return func(windows int, r *rand.Rand) []time.Duration {
		var out []time.Duration
		for x := r.ExpFloat64() / perWindow; x < float64(windows); x += r.ExpFloat64() / perWindow {
			out = append(out, time.Duration(x*float64(window)))
		}
		return out
	}
}

func timer(every float64) arrivals {
	return func(windows int, r *rand.Rand) []time.Duration {
		var out []time.Duration
		for x := r.Float64() * every; x < float64(windows); x += every {
			out = append(out, time.Duration((x+0.05*r.Float64())*float64(window)))
		}
		return out
	}
}

// outcome is what some functions met.
type outcome struct {
	cold int
	idle float64
}

func (o *outcome) add(x outcome) {
	o.cold += x.cold
	o.idle += x.idle
}

// meet lets functions that are called like that, without a history, meet a pool.
func meet(t *testing.T, mode control.Mode, how arrivals, functions, windows int, seed uint64) outcome {
	m, err := prior.Load()
	if err != nil {
		t.Fatal(err)
	}
	v := newVirtual(t, mode, m, seed)
	r := rand.New(rand.NewPCG(seed, 7))
	for i := range functions {
		name := string(rune('a' + i))
		v.add(name, 300*time.Millisecond, 200*time.Millisecond)
		for _, at := range how(windows, r) {
			v.at(start.Add(at), func() { v.invoke(call(name), nil) })
		}
	}
	v.run(start.Add(time.Duration(windows) * window))
	return outcome{v.cold, v.idle}
}

// Whatever comes, the pool that acts has no more cold starts than the fixed
// keep-alive, but for what two counts of the same differ by, and costs no more at
// the price of a cold start.
// With -v it tells by how much it has fewer.
func TestNeverWorse(t *testing.T) {
	t.Parallel()
	const functions, windows, seeds = 8, 180, 2
	for name, how := range map[string]arrivals{
		"bursts every 40 windows": bursts(40), "bursts every 12": bursts(12), "bursts every 5": bursts(5),
		"Poisson, one in 30": poisson(1.0 / 30), "Poisson, one in 10": poisson(0.1), "Poisson, one in 3": poisson(1.0 / 3), "Poisson, two a window": poisson(2),
		"timer every 5": timer(5), "timer every 12.3": timer(12.3), "timer every 15": timer(15),
	} {
		var fixed, ours outcome
		for seed := range uint64(seeds) {
			fixed.add(meet(t, control.ModeOff, how, functions, windows, seed+1))
			ours.add(meet(t, control.ModeApply, how, functions, windows, seed+1))
		}
		cost := func(o outcome) float64 { return 10*window.Seconds()*float64(o.cold) + o.idle }
		t.Logf("%-24s cold starts %4d -> %4d, idle %7.0f -> %7.0f s, cost %+.1f %%",
			name, fixed.cold, ours.cold, fixed.idle, ours.idle, 100*(cost(ours)/cost(fixed)-1))
		// One in twenty pairs of counts of the same differ by more than twice the
		// standard deviation of their difference.
		if noise := 2 * math.Sqrt(float64(fixed.cold+ours.cold)); float64(ours.cold) > float64(fixed.cold)+noise {
			t.Errorf("%s: %d cold starts instead of %d", name, ours.cold, fixed.cold)
		}
		if cost(ours) > 1.05*cost(fixed) {
			t.Errorf("%s: cost %.0f instead of %.0f", name, cost(ours), cost(fixed))
		}
	}
}
