package feature

import (
	"math"

	"github.com/aquatope/aquatope/forecast"
)

// settled is what changes only when the function is called, which most are in
// few of the windows in which they are looked at.
type settled struct {
	scale, logScale float64
	gapLogs         [4]float64              // of the last gaps; -1 without
	quantiles       [len(gapLevels)]float64 // of the gaps in the ring
	quantileLogs    [len(gapLevels)]float64
	gapDeviation    float64
	lastUnits       [3]float64 // of the last counts
	periodLogs      [2][2]float64
}

// gapLevels are the quantiles of the last gaps that are looked at.
var gapLevels = [...]float64{0.1, 0.5, 0.9, 1}

// settle brings what is settled up to date; without a history before the first
// call.
func (t *Tracker) settle(h *forecast.History) {
	t.scale = t.spreadOf()
	t.logScale = math.Log(t.scale)
	for i := range t.gapLogs {
		t.gapLogs[i] = -1
		if i < t.ringLen {
			t.gapLogs[i] = math.Log1p(t.gap(i + 1))
		}
	}
	for i, p := range gapLevels {
		t.quantiles[i] = 0
		if t.ringLen > 0 {
			t.quantiles[i] = float64(t.sorted[int(p*float64(t.ringLen-1)+0.5)])
		}
		t.quantileLogs[i] = math.Log1p(t.quantiles[i])
	}
	t.gapDeviation = math.Sqrt(t.gapVar)
	for i := range t.lastUnits {
		if h == nil {
			break
		}
		if c, ok := h.Last(i + 1); ok {
			t.lastUnits[i] = t.units(c)
		}
	}
	for i, p := range t.best {
		t.periodLogs[i] = [2]float64{math.Log1p(float64(p.lag)), math.Log1p(p.score)}
	}
}

// gap is the i-th last gap, the last being 1; 0 of those that are not there.
func (t *Tracker) gap(i int) float64 { return float64(t.ring[(t.ringAt-i+recent)%recent]) }

// Scale returns a location and a scale of log(1+z), z being the count of the next
// window if it has any demand, less a uniform fraction: the standardisation
// under which functions of any size look alike.
func (t *Tracker) Scale() (location, scale float64) { return t.fast, t.scale }

func (t *Tracker) spreadOf() float64 {
	// What Poisson noise alone would do, as long as little was seen, and the
	// uniform fraction.
	const prior = 4
	n := min(float64(t.active), 300)
	noise := math.Exp(-t.fast)
	v := (t.spread*n + noise*prior) / (n + prior)
	return math.Sqrt(v + 0.1*noise*noise)
}

// units is a count in units of the running level and spread.
func (t *Tracker) units(count float64) float64 {
	return max(-5, min(5, (math.Log1p(count)-t.fast)/t.scale))
}
