package baseline

import (
	"math"
	"time"

	"github.com/aquatope/aquatope/forecast"
	"github.com/aquatope/aquatope/pool"
)

// AquatopePaper is the container pool of the Aquatope paper (ASPLOS 2023): for
// each function a predictive distribution of the containers that it needs in
// the next minute, and ceil(mean + z * deviation) of them kept. Before its
// network is trained it keeps instances for OpenWhisk's ten minutes.
type AquatopePaper struct {
	pool.Planner
	level      float64 // of the quantile that is z deviations above the mean
	forecaster forecast.Forecaster
	histories  []*forecast.History // of the containers used at once in each window
	week       int64
	plan       pool.Plan
}

// paperSteps is the length of the network's input: of a function without a
// container in all of it there is nothing to extrapolate.
const paperSteps = 48

// NewAquatopePaper returns the policy with z deviations of head room. Windows are
// numbered from the minute of the week at the epoch.
func NewAquatopePaper(functions []pool.Function, week int64, from, window time.Duration, z float64) *AquatopePaper {
	p := &AquatopePaper{
		level: 0.5 * math.Erfc(-z/math.Sqrt2), week: week, plan: make(pool.Plan, len(functions)),
		histories: make([]*forecast.History, len(functions)),
	}
	for i, f := range functions {
		p.histories[i] = forecast.NewHistory(f.Name, f.App, week+int64(from/window))
		p.plan[i] = pool.Target{KeepAlive: DefaultKeepAlive}
	}
	return p
}

// Name implements pool.Policy.
func (*AquatopePaper) Name() string { return "aquatope-paper" }

// Histories are the containers used so far, to train on.
func (p *AquatopePaper) Histories() []*forecast.History { return p.histories }

// SetForecaster gives the policy its trained network.
func (p *AquatopePaper) SetForecaster(f forecast.Forecaster) { p.forecaster = f }

// Plan implements pool.Policy.
func (p *AquatopePaper) Plan(s *pool.Snapshot) pool.Plan {
	next := p.week + int64(s.Next/s.Window)
	var busy []*forecast.History
	var index []int
	for i, h := range p.histories {
		if n := s.States[i].Peak; n > 0 && next > h.Next() {
			// In range: one window after another, and counts of instances.
			if err := h.Observe(next-1, float64(n)); err != nil {
				panic("BUG: baseline: " + err.Error())
			}
		}
		h.Advance(next)
		if h.ActiveIn(next-paperSteps, next) > 0 {
			busy, index = append(busy, h), append(index, i)
		}
	}
	if p.forecaster == nil {
		return p.plan
	}
	for i := range p.plan {
		p.plan[i] = pool.Target{KeepAlive: s.Window}
	}
	for k, d := range p.forecaster.Forecast(busy, 1) {
		p.plan[index[k]].Warm = int(math.Ceil(d[0].Quantile(p.level)))
	}
	return p.plan
}
