package baseline

import (
	"math"

	"github.com/aquatope/aquatope/pool"
	"gonum.org/v1/gonum/dsp/fourier"
)

// IceBreaker forecasts the concurrency of each function one step ahead from the
// harmonics of a sliding window, after Roy, Patel and Tiwari, IceBreaker
// (ASPLOS 2022): the linear trend is subtracted, the lowest harmonics are kept
// and extrapolated. On a homogeneous cluster its placement has no choice, so
// that the forecast is the policy.
type IceBreaker struct {
	pool.Planner
	// Round is the fraction from which a forecast is rounded up; the paper
	// rounds to the nearest, 0.5. Lower keeps more warm.
	round   float64
	weights []float64 // of the window's values, oldest first: the forecast is linear in them
	fns     []iceFunction
	plan    pool.Plan
}

type iceFunction struct {
	ring  []float64
	next  int
	known int
	sum   float64 // of the ring, to pass by functions that are idle for long
}

// The paper's window in minutes and number of harmonics.
const (
	IceBreakerWindow    = 60
	IceBreakerHarmonics = 10
)

// NewIceBreaker returns the policy for that many functions.
func NewIceBreaker(functions int, round float64) *IceBreaker {
	p := &IceBreaker{
		round: round, weights: harmonicWeights(IceBreakerWindow, IceBreakerHarmonics),
		fns: make([]iceFunction, functions), plan: make(pool.Plan, functions),
	}
	for i := range p.fns {
		p.fns[i].ring = make([]float64, IceBreakerWindow)
	}
	return p
}

// Name implements pool.Policy.
func (*IceBreaker) Name() string { return "icebreaker" }

// Plan implements pool.Policy.
func (p *IceBreaker) Plan(s *pool.Snapshot) pool.Plan {
	for i := range s.States {
		f := &p.fns[i]
		v := float64(s.States[i].Peak)
		f.sum += v - f.ring[f.next]
		f.ring[f.next] = v
		f.next = (f.next + 1) % len(f.ring)
		f.known = min(f.known+1, len(f.ring))
		p.plan[i] = pool.Target{Warm: p.warm(p.forecast(f)), KeepAlive: s.Window}
	}
	return p.plan
}

func (p *IceBreaker) warm(forecast float64) int {
	if !(forecast > 0) {
		return 0
	}
	return int(math.Floor(forecast + 1 - p.round))
}

// forecast predicts the next value. Before the window has filled it uses the
// last value, as there is no period to find yet.
func (p *IceBreaker) forecast(f *iceFunction) float64 {
	n := len(f.ring)
	if f.known < n {
		return f.ring[(f.next+n-1)%n]
	}
	if f.sum == 0 {
		return 0
	}
	var v float64
	older := f.ring[f.next:]
	for i, x := range older {
		v += p.weights[i] * x
	}
	for i, x := range f.ring[:f.next] {
		v += p.weights[len(older)+i] * x
	}
	return v
}

// harmonicForecast extrapolates x by one step: its linear trend continued plus
// its mean and lowest harmonics, which continue periodically.
func harmonicForecast(x []float64, harmonics int) float64 {
	n := float64(len(x))
	var sy, sty float64
	for t, v := range x {
		sy += v
		sty += float64(t) * v
	}
	meanT := (n - 1) / 2
	slope := (sty - meanT*sy) / (n * (n*n - 1) / 12)
	level := sy/n - slope*meanT
	rest := make([]float64, len(x))
	for t, v := range x {
		rest[t] = v - level - slope*float64(t)
	}
	coef := fourier.NewFFT(len(x)).Coefficients(nil, rest)
	// One step past the end of a periodic signal is its start.
	v := real(coef[0]) / n
	for k := 1; k <= harmonics && k < len(coef); k++ {
		scale := 2.0
		if 2*k == len(x) {
			scale = 1
		}
		v += scale * real(coef[k]) / n
	}
	return level + slope*n + v
}

// harmonicWeights returns the weights w with harmonicForecast(x) = w . x, which
// exist since every step of it is linear: sixty multiplications instead of a
// transform for each function and minute.
func harmonicWeights(window, harmonics int) []float64 {
	w := make([]float64, window)
	for i := range w {
		unit := make([]float64, window)
		unit[i] = 1
		w[i] = harmonicForecast(unit, harmonics)
	}
	return w
}
