package synthetic

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/profile"
)

// behaviour is one generated function: its median time in seconds and the
// deviation of one invocation, as a factor.
type behaviour struct {
	time  func(cores, gib float64) float64
	noise func(cores, gib float64, rng *rand.Rand) float64
	// sample, if not nil, is the time of one invocation whole, in place of both.
	sample func(cores, gib float64, rng *rand.Rand) float64
	floor  function.Bytes
}

func fn(f Family, rng *rand.Rand) (behaviour, error) {
	if b, ok := rough(f, rng); ok {
		return b, nil
	}
	if f == Mixed {
		kinds := Families()
		return fn(kinds[rng.IntN(len(kinds)-1)], rng)
	}
	total := 0.05 * math.Exp(2.5*rng.Float64()) // seconds of one core
	serial := 0.02 + 0.25*rng.Float64()
	enough := 0.15 * math.Exp(2*rng.Float64()) // GiB
	sd := 0.05 + 0.15*rng.Float64()
	floor := function.Bytes(gridMemory[rng.IntN(3)]) * function.MiB
	hinge := func(gib float64) float64 { return math.Pow(math.Max(1, enough/gib), 0.5) }
	normal := func(_, _ float64, rng *rand.Rand) float64 { return math.Exp(sd * rng.NormFloat64()) }
	b := behaviour{noise: normal, floor: floor}
	b.time = func(c, m float64) float64 { return total * (serial + (1-serial)/c) * hinge(m) }
	switch f {
	case Amdahl:
	case Steps:
		unit := 0.5 * float64(1+rng.IntN(3))
		b.time = func(c, m float64) float64 {
			workers := c
			if c > unit {
				workers = unit * math.Floor(c/unit+1e-9)
			}
			return total * (serial + (1-serial)/workers) * hinge(m)
		}
	case Plateau:
		limit := 0.7 + 1.5*rng.Float64()
		b.time = func(c, m float64) float64 { return total / math.Min(c, limit) * hinge(m) }
	case Cliff:
		factor := 1.5 + 2*rng.Float64()
		b.time = func(c, m float64) float64 {
			t := total * (serial + (1-serial)/c)
			if m < enough {
				t *= factor
			}
			return t
		}
	case GrowingVar:
		small, large := 0.02+0.03*rng.Float64(), 0.15+0.15*rng.Float64()
		b.noise = func(c, _ float64, rng *rand.Rand) float64 {
			t := (math.Log(c) - math.Log(0.1)) / (math.Log(6) - math.Log(0.1))
			return math.Exp(small * math.Pow(large/small, t) * rng.NormFloat64())
		}
	case HeavyTail:
		b.noise = func(_, _ float64, rng *rand.Rand) float64 {
			var chi float64
			for range 4 {
				z := rng.NormFloat64()
				chi += z * z
			}
			return math.Exp(0.5 * sd * rng.NormFloat64() / math.Sqrt(chi/4))
		}
	case PowerLaw:
		power := 0.45 + 0.4*rng.Float64()
		b.time = func(c, m float64) float64 { return total * math.Pow(c, -power) * hinge(m) }
	case Contention:
		most := 1.5 + 2*rng.Float64()
		b.time = func(c, m float64) float64 {
			return total * (serial + (1-serial)/c + 0.1*math.Max(0, c-most)) * hinge(m)
		}
	case Outliers:
		b.noise = func(c, m float64, rng *rand.Rand) float64 {
			v := normal(c, m, rng)
			if rng.Float64() < 0.04 {
				v *= 2 + 3*rng.Float64()
			}
			return v
		}
	default:
		return b, fmt.Errorf("no family %q", f)
	}
	return b, nil
}

// measure samples a function over the grid.
func (b behaviour) measure(name string, rng *rand.Rand) profile.Function {
	f := profile.Function{Name: name, MemoryFloorBytes: b.floor, ColdStartMillis: []float64{300, 350, 500}}
	for range 5 {
		f.PeakMemoryBytes = append(f.PeakMemoryBytes, function.Bytes(float64(b.floor)*(0.85+0.1*rng.Float64())))
	}
	f.Space = &profile.Space{
		CPUMillis:   function.Range{Min: 100, Max: maxCPU, Step: 100},
		MemoryBytes: function.Range{Min: int64(128 * function.MiB), Max: int64(10240 * function.MiB), Step: int64(64 * function.MiB)},
	}
	for _, c := range gridCPU {
		for _, mib := range gridMemory {
			m := mib * function.MiB
			if m < b.floor {
				continue
			}
			cell := profile.Cell{CPUMillis: c, MemoryBytes: m}
			one := b.sample
			if one == nil {
				t := b.time(c.Cores(), m.GiB())
				one = func(c, m float64, rng *rand.Rand) float64 { return t * b.noise(c, m, rng) }
			}
			for range samples {
				ms := 1000 * one(c.Cores(), m.GiB(), rng)
				cell.ServiceMillis = append(cell.ServiceMillis, math.Round(ms*1000)/1000)
			}
			f.Grid = append(f.Grid, cell)
		}
	}
	return f
}
