package baseline

import (
	"math"
	"time"

	"github.com/aquatope/aquatope/pool"
)

// AutoscaleConfig holds the parameters of Autoscale; DefaultAutoscale those of
// Knative.
type AutoscaleConfig struct {
	// Stable is the window of the mean concurrency, Panic that of sudden load.
	Stable, Panic time.Duration
	// Utilisation is the share of an instance's concurrency to aim for.
	Utilisation float64
	// PanicAt is the ratio of wanted to existing instances that starts a panic.
	PanicAt float64
	// MaxDown bounds how much a tick may scale down: to 1/MaxDown.
	MaxDown float64
	// Grace is how long the last instance stays after the wish for none.
	Grace time.Duration
}

// DefaultAutoscale holds Knative's defaults.
var DefaultAutoscale = AutoscaleConfig{
	Stable: time.Minute, Panic: 6 * time.Second, Utilisation: 0.7, PanicAt: 2, MaxDown: 2, Grace: 30 * time.Second,
}

// AutoscaleTick is how often Knative's autoscaler decides. Plan it is to be
// called at this rate.
const AutoscaleTick = 2 * time.Second

// Autoscale is the Knative pod autoscaler (KPA): instances follow the mean
// concurrency over a stable window; when a short window wants twice of what is
// there, it panics and does not scale down for a stable window.
type Autoscale struct {
	pool.Planner
	cfg         AutoscaleConfig
	concurrency []float64
	fns         []scaleFunction
	plan        pool.Plan
}

type scaleFunction struct {
	ring          []float32 // mean concurrency of each tick of the stable window
	next          int
	stable, short float64 // sums over the windows
	active        int     // ticks of the stable window with load
	panicUntil    time.Duration
	panicWarm     int
	zeroSince     time.Duration
	zero          bool
}

// NewAutoscale returns the policy.
func NewAutoscale(functions []pool.Function, cfg AutoscaleConfig) *Autoscale {
	p := &Autoscale{
		cfg: cfg, concurrency: make([]float64, len(functions)),
		fns: make([]scaleFunction, len(functions)), plan: make(pool.Plan, len(functions)),
	}
	ticks := max(1, int(cfg.Stable/AutoscaleTick))
	for i, f := range functions {
		p.concurrency[i] = float64(max(1, f.Concurrency))
		p.fns[i] = scaleFunction{ring: make([]float32, ticks), zero: true, zeroSince: -cfg.Grace}
	}
	return p
}

// Name implements pool.Policy.
func (*Autoscale) Name() string { return "autoscale" }

// Plan implements pool.Policy.
func (p *Autoscale) Plan(s *pool.Snapshot) pool.Plan {
	for i := range s.States {
		// What a burst starts between ticks stays until the next one judges it.
		p.plan[i] = pool.Target{Warm: p.decide(i, &s.States[i], s.Now), KeepAlive: AutoscaleTick}
	}
	return p.plan
}

func (p *Autoscale) decide(i int, state *pool.State, now time.Duration) int {
	f := &p.fns[i]
	f.observe(state.Load, int(p.cfg.Panic/AutoscaleTick))
	if f.active == 0 && f.zero && state.Alive() == 0 {
		return 0
	}
	target := p.cfg.Utilisation * p.concurrency[i]
	alive := float64(max(1, state.Alive()))
	stable := math.Ceil(f.stable / float64(len(f.ring)) / target)
	if f.active == 0 {
		stable = 0 // rounding of the running sum
	}
	panicWish := math.Ceil(f.short / float64(min(len(f.ring), max(1, int(p.cfg.Panic/AutoscaleTick)))) / target)
	lower := math.Floor(alive / p.cfg.MaxDown)
	wish := math.Max(stable, lower)
	if stable == 0 && alive <= 1 {
		wish = 0
	}
	if panicWish/alive >= p.cfg.PanicAt {
		f.panicUntil = now + p.cfg.Stable
	}
	if now < f.panicUntil {
		// In a panic the number only grows.
		f.panicWarm = max(f.panicWarm, int(math.Max(wish, panicWish)), state.Alive())
		wish = float64(f.panicWarm)
	} else {
		f.panicWarm = 0
	}
	return p.grace(f, int(wish), now)
}

// grace keeps the last instance for a while after nothing was wanted.
func (p *Autoscale) grace(f *scaleFunction, wish int, now time.Duration) int {
	if wish > 0 {
		f.zero = false
		return wish
	}
	if !f.zero {
		f.zero, f.zeroSince = true, now
	}
	if now-f.zeroSince < p.cfg.Grace {
		return 1
	}
	return 0
}

// observe adds the mean concurrency of a tick.
func (f *scaleFunction) observe(load float64, panicTicks int) {
	n := len(f.ring)
	old := f.ring[f.next]
	gone := f.ring[((f.next-panicTicks)%n+n)%n] // leaves the panic window
	v := float32(load)
	f.stable += float64(v) - float64(old)
	f.short += float64(v) - float64(gone)
	if v > 0 {
		f.active++
	}
	if old > 0 {
		f.active--
	}
	f.ring[f.next] = v
	f.next = (f.next + 1) % n
}
