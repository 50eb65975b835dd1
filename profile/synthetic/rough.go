package synthetic

import (
	"math"
	"math/rand/v2"

	"github.com/aquatope/aquatope/function"
)

// The rough families: what platforms and programs do to service times beside a
// smooth law and a bell-shaped noise. They are not among those that Mixed draws
// from.
const (
	Throttle Family = "throttle" // a CPU quota dealt out by the period: times fall in slices
	Stairs   Family = "stairs"   // a few jumps of any height at any CPU, flat in between
	Coupled  Family = "coupled"  // no more CPU than memory brings with it
	Starved  Family = "starved"  // noise that grows as CPU gets scarce
	Pressure Family = "pressure" // noise that grows as memory gets scarce
	Bimodal  Family = "bimodal"  // a share of invocations misses a cache
	Pareto   Family = "pareto"   // a tail that falls as a power
	Stalls   Family = "stalls"   // rare stalls, of another share and length for each function
	Knee     Family = "knee"     // a plateau beyond a knee, noisier there
	RoughMix Family = "rough"    // each function of another rough family
)

// RoughFamilies returns the rough ones.
func RoughFamilies() []Family {
	return []Family{Throttle, Stairs, Coupled, Starved, Pressure, Bimodal, Pareto, Stalls, Knee, RoughMix}
}

// between draws a number evenly in the logarithm.
func between(lo, hi float64, rng *rand.Rand) float64 {
	return lo * math.Pow(hi/lo, rng.Float64())
}

// rough returns a function of a rough family; false for other families.
func rough(f Family, rng *rand.Rand) (behaviour, bool) {
	if f == RoughMix {
		kinds := RoughFamilies()
		return rough(kinds[rng.IntN(len(kinds)-1)], rng)
	}
	total := between(0.05, 0.6, rng) // seconds of one core
	serial := 0.02 + 0.25*rng.Float64()
	enough := between(0.15, 1.1, rng) // GiB
	sd := 0.03 + 0.12*rng.Float64()
	b := behaviour{floor: function.Bytes(gridMemory[rng.IntN(3)]) * function.MiB}
	hinge := func(gib float64) float64 { return math.Pow(math.Max(1, enough/gib), 0.5) }
	b.time = func(c, m float64) float64 { return total * (serial + (1-serial)/c) * hinge(m) }
	even := func(sd float64) func(_, _ float64, rng *rand.Rand) float64 {
		return func(_, _ float64, rng *rand.Rand) float64 { return math.Exp(sd * rng.NormFloat64()) }
	}
	b.noise = even(sd)
	switch f {
	case Throttle:
		b.sample = quota(rng)
	case Stairs:
		jumps := make([][2]float64, 2+rng.IntN(4))
		for i := range jumps {
			jumps[i] = [2]float64{between(0.15, 4, rng), 1.15 + 0.8*rng.Float64()}
		}
		b.time = func(c, m float64) float64 {
			t := total * hinge(m)
			for _, j := range jumps {
				if c < j[0]*(1-1e-9) {
					t *= j[1]
				}
			}
			return t
		}
	case Coupled:
		gibPerCore := between(0.5, 2, rng)
		b.time = func(c, m float64) float64 {
			c = math.Min(c, m/gibPerCore)
			return total * (serial + (1-serial)/c)
		}
	case Starved:
		small, large := 0.02+0.03*rng.Float64(), 0.15+0.2*rng.Float64()
		b.noise = func(c, _ float64, rng *rand.Rand) float64 {
			t := math.Log(c/0.1) / math.Log(maxCPU/100)
			return math.Exp(large * math.Pow(small/large, t) * rng.NormFloat64())
		}
	case Pressure:
		small, large := 0.02+0.03*rng.Float64(), 0.15+0.2*rng.Float64()
		b.noise = func(_, m float64, rng *rand.Rand) float64 {
			short := math.Min(1, math.Max(0, math.Log(2*enough/m)/math.Log(8)))
			return math.Exp(small * math.Pow(large/small, short) * rng.NormFloat64())
		}
	case Bimodal:
		share, slower := 0.05+0.45*rng.Float64(), between(1.3, 3, rng)
		narrow := sd / 2
		b.noise = func(_, _ float64, rng *rand.Rand) float64 {
			v := math.Exp(narrow * rng.NormFloat64())
			if rng.Float64() < share {
				v *= slower
			}
			return v
		}
	case Pareto:
		power, size := 1.8+2*rng.Float64(), 0.02+0.08*rng.Float64()
		b.noise = func(_, _ float64, rng *rand.Rand) float64 {
			return 1 + size*(math.Pow(1-rng.Float64(), -1/power)-1)/(1/(power-1))*2
		}
	case Stalls:
		share, longest := between(0.003, 0.1, rng), between(2, 8, rng)
		narrow := sd / 2
		b.noise = func(_, _ float64, rng *rand.Rand) float64 {
			v := math.Exp(narrow * rng.NormFloat64())
			if rng.Float64() < share {
				v *= 1.5 + (longest-1.5)*rng.Float64()
			}
			return v
		}
	case Knee:
		limit := between(0.3, 3, rng)
		wide := sd * (1 + 2*rng.Float64())
		b.time = func(c, m float64) float64 { return total / math.Min(c, limit) * hinge(m) }
		b.noise = func(c, _ float64, rng *rand.Rand) float64 {
			s := sd
			if c >= limit {
				s = wide
			}
			return math.Exp(s * rng.NormFloat64())
		}
	default:
		return b, false
	}
	return b, true
}

// quota returns the time of one invocation under a CPU quota (Linux CFS bandwidth
// control): each period brings as much CPU time as the quota says, and what has
// used it up waits for the next. It begins at any moment of a period, in which
// others, such as the runtime's threads, have used some of the quota.
func quota(rng *rand.Rand) func(c, m float64, rng *rand.Rand) float64 {
	work, threads := between(0.01, 0.3, rng), float64(1+rng.IntN(2))
	period := []float64{0.02, 0.05, 0.1}[rng.IntN(3)]
	sd, used := 0.02+0.06*rng.Float64(), 0.5*rng.Float64()
	return func(c, _ float64, rng *rand.Rand) float64 {
		left := work * math.Exp(sd*math.Abs(rng.NormFloat64()))
		at, ready := period*rng.Float64(), c*period*(1-used*rng.Float64())
		began := at
		if c >= threads {
			return left / threads
		}
		for {
			run := math.Min(math.Min(left, ready)/threads, period-math.Mod(at, period))
			left -= run * threads
			if left <= 1e-12 {
				return at + run - began
			}
			at = (math.Floor(at/period+1e-9) + 1) * period
			ready = c * period
		}
	}
}
