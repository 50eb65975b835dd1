package baseline_test

import (
	"math"
	"testing"
	"time"

	"gonum.org/v1/gonum/dsp/fourier"

	"github.com/aquatope/aquatope/forecast"
	"github.com/aquatope/aquatope/pool"
	"github.com/aquatope/aquatope/pool/baseline"
)

// call lets one invocation of function 0 come and go, and returns what the
// policy wants then.
func call(p pool.Policy, at time.Duration) pool.Retention {
	p.Arrive(pool.Event{At: at, Busy: 1})
	r, _ := p.Idle(pool.Event{At: at, Idle: 1})
	return r
}

func near(a, b time.Duration) bool { return (a - b).Abs() < time.Millisecond }

func TestKeepAlive(t *testing.T) {
	t.Parallel()
	if r := call(baseline.KeepAlive{Timeout: baseline.DefaultKeepAlive}, 0); r != (pool.Retention{KeepAlive: 10 * time.Minute}) {
		t.Errorf("%+v", r)
	}
}

// Idle times of half an hour, every time: the histogram is one bin. Unload for
// 90 % of 30 minutes, then stay until 110 % of 31, the end of the bin.
func TestHistPreWarmsPeriodicFunction(t *testing.T) {
	t.Parallel()
	p := baseline.NewHist(1, baseline.DefaultHist)
	var r pool.Retention
	for i := range 20 {
		r = call(p, time.Duration(i)*30*time.Minute+time.Duration(i)*time.Second)
		if i < 5 && r != (pool.Retention{KeepAlive: 4 * time.Hour}) {
			t.Fatalf("after %d calls: %+v, want the standard keep-alive", i+1, r)
		}
	}
	if want := 27 * time.Minute; !near(r.PreWarm, want) {
		t.Errorf("unloads for %v, want %v", r.PreWarm, want)
	}
	if want := time.Duration((31*1.1 - 27) * float64(time.Minute)); !near(r.KeepAlive, want) {
		t.Errorf("stays for %v, want %v", r.KeepAlive, want)
	}
}

// Called every few seconds: the head is bin 0, so it is never unloaded; the tail
// ends with the first bin.
func TestHistKeepsBusyFunction(t *testing.T) {
	t.Parallel()
	p := baseline.NewHist(1, baseline.DefaultHist)
	var r pool.Retention
	for i := range 50 {
		r = call(p, time.Duration(i)*10*time.Second)
	}
	if r.PreWarm != 0 || !near(r.KeepAlive, 66*time.Second) {
		t.Errorf("%+v, want to stay for 1.1 minutes", r)
	}
}

// Idle times spread over all bins are not representative.
func TestHistFallsBackOnFlatHistogram(t *testing.T) {
	t.Parallel()
	p := baseline.NewHist(1, baseline.DefaultHist)
	at := time.Duration(0)
	var r pool.Retention
	for i := range 240 {
		at += time.Duration(i)*time.Minute + time.Second
		r = call(p, at)
	}
	if r != (pool.Retention{KeepAlive: 4 * time.Hour}) {
		t.Errorf("%+v, want the standard keep-alive", r)
	}
}

// Idle times of about ten hours are out of range: forecast as a series, pre-warmed
// at 85 % of it and kept for 30 %.
func TestHistForecastsLongIdleTimes(t *testing.T) {
	t.Parallel()
	p := baseline.NewHist(1, baseline.DefaultHist)
	at := time.Duration(0)
	var r pool.Retention
	for i := range 16 {
		at += 10*time.Hour + time.Duration(i%2)*time.Minute
		r = call(p, at)
	}
	if got := r.PreWarm.Hours() / 10; math.Abs(got-0.85) > 0.01 {
		t.Errorf("pre-warms after %v, want 85 %% of about 10 h", r.PreWarm)
	}
	if got := r.KeepAlive.Hours() / 10; math.Abs(got-0.30) > 0.01 {
		t.Errorf("keeps for %v, want 30 %% of about 10 h", r.KeepAlive)
	}
}

// The greedy-dual priorities of a hand-made cache: a small function that starts
// slowly is worth more than a large one; use adds worth; the clock ages.
func TestFaasCachePriorities(t *testing.T) {
	t.Parallel()
	p := baseline.NewFaasCache([]pool.Function{
		{Memory: 1e9, ColdStart: 2 * time.Second},
		{Memory: 4e9, ColdStart: 2 * time.Second},
	})
	for range 3 {
		p.Arrive(pool.Event{Function: 0})
	}
	p.Arrive(pool.Event{Function: 1})
	a, b := p.Worth(0, p.Stamp(0)), p.Worth(1, p.Stamp(1))
	if a != 0+3*2/1.0 || b != 0+1*2/4.0 {
		t.Fatalf("worth %v and %v, want 6 and 0.5", a, b)
	}
	p.Evicted(1, b, 1)
	if got := p.Stamp(0); got != 0.5 {
		t.Errorf("clock %v after an eviction at 0.5", got)
	}
	p.Arrive(pool.Event{Function: 1})
	if got := p.Worth(1, p.Stamp(1)); got != 0.5+0.5 {
		t.Errorf("worth %v of one that came back, want clock + 0.5: its uses went with it", got)
	}
	if r := call(p, 0); r.KeepAlive != pool.Forever {
		t.Errorf("expires after %v", r.KeepAlive)
	}
}

// snapshotOf gives the peaks to a policy as of the end of a minute.
func snapshotOf(minute int, states ...pool.State) *pool.Snapshot {
	return &pool.Snapshot{Now: time.Duration(minute) * time.Minute, Next: time.Duration(minute) * time.Minute, Window: time.Minute, States: states}
}

// Demand that swings with a period of twenty minutes, three times in the window,
// is foretold by its third harmonic, but for what the subtracted trend distorts
// at the end of the window: far better than by its mean.
func TestIceBreakerForetellsPeriods(t *testing.T) {
	t.Parallel()
	p := baseline.NewIceBreaker(1, 0.5)
	demand := func(m int) int { return int(math.Round(10 + 8*math.Sin(2*math.Pi*float64(m)/20))) }
	var off, swing float64
	for m := range 300 {
		got := p.Plan(snapshotOf(m+1, pool.State{Peak: demand(m)}))[0].Warm
		if m >= 60 {
			off += math.Abs(float64(got - demand(m+1)))
			swing += math.Abs(float64(demand(m+1) - 10))
		}
	}
	if off > swing/2 {
		t.Errorf("off by %.1f on average, the mean by %.1f", off/240, swing/240)
	}
}

// The forecast is that of the transform: trend, mean and ten lowest harmonics.
func TestIceBreakerEqualsTransform(t *testing.T) {
	t.Parallel()
	p := baseline.NewIceBreaker(1, 0.5)
	var x []float64
	for m := range 60 {
		v := 20 + m/4 + int(8*math.Sin(float64(m)/3))
		x = append(x, float64(v))
		got := p.Plan(snapshotOf(m+1, pool.State{Peak: v}))[0].Warm
		if m == 59 {
			if want := int(math.Floor(transform(x) + 0.5)); got != want {
				t.Errorf("forecast %d, the transform says %d", got, want)
			}
		}
	}
}

func transform(x []float64) float64 {
	n := float64(len(x))
	var st, sy, stt, sty float64
	for t, v := range x {
		st, sy, stt, sty = st+float64(t), sy+v, stt+float64(t*t), sty+float64(t)*v
	}
	slope := (n*sty - st*sy) / (n*stt - st*st)
	level := (sy - slope*st) / n
	rest := make([]float64, len(x))
	for t, v := range x {
		rest[t] = v - level - slope*float64(t)
	}
	f := fourier.NewFFT(len(x))
	c := f.Coefficients(nil, rest)
	for k := baseline.IceBreakerHarmonics + 1; k < len(c); k++ {
		c[k] = 0
	}
	return level + slope*n + f.Sequence(nil, c)[0]/n
}

// Knative: ten requests at once with a target of 70 % of one each want 15 pods;
// the sudden load is met in panic; idle pods go by halves and the last after a
// grace of 30 s.
func TestAutoscaleWalk(t *testing.T) {
	t.Parallel()
	p := baseline.NewAutoscale([]pool.Function{{Memory: 1e9, Concurrency: 1}}, baseline.DefaultAutoscale)
	now, alive := time.Duration(0), 0
	tick := func(load float64) int {
		now += baseline.AutoscaleTick
		alive = p.Plan(&pool.Snapshot{Now: now, Next: now, Window: baseline.AutoscaleTick, States: []pool.State{{Load: load, Idle: alive}}})[0].Warm
		return alive
	}
	if got := tick(0); got != 0 {
		t.Errorf("idle: %d", got)
	}
	for range 4 {
		tick(10)
	}
	if alive != 15 {
		t.Errorf("6 s of ten requests at once: %d instances, want ceil(10 / 0.7) = 15 in panic", alive)
	}
	for range 60 {
		tick(10)
	}
	if alive != 15 {
		t.Errorf("two minutes later: %d, want 15", alive)
	}
	var seen []int
	for range 120 {
		if got := tick(0); len(seen) == 0 || seen[len(seen)-1] != got {
			seen = append(seen, got)
		}
	}
	for i := 1; i < len(seen); i++ {
		if seen[i] > seen[i-1] || float64(seen[i]) < math.Floor(float64(seen[i-1])/2) && seen[i-1] > 1 {
			t.Errorf("scales down %v: never up, and at most by half", seen)
			break
		}
	}
	if seen[len(seen)-1] != 0 {
		t.Errorf("scales to %v, never to zero", seen)
	}
}

// soon is a future in which one instance of each function is needed at 100 s.
type soon struct{ n int }

func (f soon) Peaks(at time.Duration) []int32 {
	p := make([]int32, f.n)
	if at == 100*time.Second {
		for i := range p {
			p[i] = 1
		}
	}
	return p
}

func TestOracleIsJustInTime(t *testing.T) {
	t.Parallel()
	fns := []pool.Function{{Memory: 1e9, ColdStart: 3 * time.Second}, {Memory: 100e9, ColdStart: 3 * time.Second}}
	p := baseline.NewOracle(fns, soon{2}, 10)
	var begin, end int
	for s := 1; s < 120; s++ {
		now := time.Duration(s) * time.Second
		got := p.Plan(&pool.Snapshot{Now: now, Next: now, Window: time.Second, States: make([]pool.State, 2)})
		if got[0].Warm == 1 {
			if begin == 0 {
				begin = s
			}
			end = s
		}
		if got[1].Warm != 0 {
			t.Fatal("keeps what costs more than its cold start")
		}
	}
	if begin != 97 || end != 100 {
		t.Errorf("kept from %d to %d s, want from 97 s, in time for 100 s", begin, end)
	}
}

// normal predicts the mean and deviation that it is made of.
type normal struct{ mean, sd float64 }

func (n normal) Forecast(h []*forecast.History, _ int) [][]forecast.Distribution {
	out := make([][]forecast.Distribution, len(h))
	for i := range out {
		out[i] = []forecast.Distribution{forecast.NewGaussian(n.mean, n.sd)}
	}
	return out
}

func TestAquatopePaperAddsDeviations(t *testing.T) {
	t.Parallel()
	fns := []pool.Function{{Name: "f", Memory: 1e9}, {Name: "never called", Memory: 1e9}}
	for z, want := range map[float64]int{0: 5, 1: 7, 2: 9} {
		p := baseline.NewAquatopePaper(fns, 0, 0, time.Minute, z)
		if got := p.Plan(snapshotOf(1, pool.State{Peak: 3}, pool.State{})); got[0].Warm != 0 || got[0].KeepAlive != 10*time.Minute {
			t.Errorf("before training: %+v", got[0])
		}
		p.SetForecaster(normal{4.5, 2})
		got := p.Plan(snapshotOf(2, pool.State{Peak: 3}, pool.State{}))
		if got[0].Warm != want || got[1].Warm != 0 {
			t.Errorf("z = %v: %+v, want ceil(4.5 + 2z) = %d and none", z, got, want)
		}
	}
}
