package control

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/aquatope/aquatope/forecast"
)

// Trust says what is made of the forecasts of a function.
type Trust string

// The trust that a function's forecasts earn: by the coverage of their nominal
// 90 % interval, when not too few windows fall into it (too many cost only
// memory, which the price of the decision bounds), and by what decisions that
// rest on them are worth, see account.
const (
	TrustUnproven Trust = "unproven" // fewer than trustAfter windows scored, or provenBy with invocations: not used yet
	TrustFull     Trust = "full"
	TrustWidened  Trust = "widened" // mixed with what came in the last windows
	TrustNone     Trust = "none"    // not used: reactive keep-alive
	TrustOutdone  Trust = "outdone" // not used: reactive keep-alive did better of late
)

const (
	trustAfter = 20
	// Coverage is a mean over about watchMemory windows; its standard error is
	// 0.03, so that sound forecasts lie above widenBelow but for one window in
	// hundreds.
	watchMemory = 100
	widenBelow  = 0.80
	fallBelow   = 0.65
	// regain is by how much coverage must exceed a bound to be trusted again.
	regain = 0.05
	// recentWindows are those that a forecast is widened by.
	recentWindows = 60
)

// watch is a forecaster that scores another one by what came, and widens its
// forecasts where they were too sure.
type watch struct {
	inner forecast.Forecaster
	of    map[*forecast.History]*record
	round int

	mu   sync.Mutex
	past map[string][]Foreseen // by function, oldest first
}

// Foreseen is what was expected of a window that has passed, and what came. The
// numbers are invocations; Low and High bound the nominal 90 % interval.
type Foreseen struct {
	Window            int64 // see WindowBegin
	Low, Median, High float64
	Came              float64
}

// pastWindows is how many windows of each function are remembered.
const pastWindows = 240

// record is how well one function was forecast.
type record struct {
	window   int64 // that was forecast last
	inner    forecast.Distribution
	coverage float64
	scored   int
	trust    Trust
	round    int
}

func newWatch() *watch {
	return &watch{of: map[*forecast.History]*record{}, past: map[string][]Foreseen{}}
}

// Forecast implements forecast.Forecaster.
func (w *watch) Forecast(histories []*forecast.History, h int) [][]forecast.Distribution {
	w.round++
	for _, x := range histories {
		r := w.of[x]
		if r == nil {
			r = &record{trust: TrustUnproven, coverage: 0.9}
			w.of[x] = r
		}
		r.round = w.round
		if r.inner != nil && x.Next() > r.window && x.Active() > 0 {
			// Before its first invocation a function may not have been there.
			r.score(x.At(r.window))
			w.remember(x.Function, Foreseen{
				Window: r.window, Low: r.inner.Quantile(0.05), Median: r.inner.Quantile(0.5), High: r.inner.Quantile(0.95), Came: x.At(r.window),
			})
		}
	}
	for x, r := range w.of {
		if r.round != w.round {
			delete(w.of, x)
			w.mu.Lock()
			delete(w.past, x.Function)
			w.mu.Unlock()
		}
	}
	out := w.inner.Forecast(histories, h)
	for i, x := range histories {
		r := w.of[x]
		r.window, r.inner = x.Next(), out[i][0]
		if r.trust == TrustWidened {
			recent := forecast.NewEmpirical(x.Dense(nil, recentWindows))
			for k, d := range out[i] {
				out[i][k] = mixture{d, recent}
			}
		}
	}
	return out
}

func (w *watch) remember(fn string, f Foreseen) {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := append(w.past[fn], f)
	if len(list) >= 2*pastWindows {
		list = append([]Foreseen(nil), list[len(list)-pastWindows:]...)
	}
	w.past[fn] = list
}

// score judges the last forecast, as it was before it was widened. It counts
// the share of the randomised transform of what came that lies between the
// levels 0.05 and 0.95.
func (r *record) score(came float64) {
	in := forecast.Coverage(r.inner, 0.95, came) - forecast.Coverage(r.inner, 0.05, came)
	r.scored++
	// The first value is the nominal one, as if a few windows had shown it.
	n := math.Min(float64(r.scored)+trustAfter/2, watchMemory)
	r.coverage += (in - r.coverage) / n
	r.trust = nextTrust(r.trust, r.coverage, r.scored)
}

// Past returns what was expected of the last windows of a function and what
// came, oldest first: at most n windows.
func (p *Pool) Past(fn string, n int) []Foreseen {
	p.mu.Lock()
	w := p.mind.watch
	p.mu.Unlock()
	if w == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	list := w.past[fn]
	return slices.Clone(list[max(0, len(list)-max(0, n)):])
}

// nextTrust is what is made of a coverage over that many windows.
func nextTrust(now Trust, coverage float64, scored int) Trust {
	if scored < trustAfter {
		return TrustUnproven
	}
	fall, widen := fallBelow, widenBelow
	switch now {
	case TrustNone:
		fall += regain
		widen += regain
	case TrustWidened:
		widen += regain
	}
	switch {
	case !(coverage >= fall):
		return TrustNone
	case coverage < widen:
		return TrustWidened
	}
	return TrustFull
}

// mixture is the even mixture of two distributions.
type mixture struct{ a, b forecast.Distribution }

func (m mixture) Mean() float64         { return (m.a.Mean() + m.b.Mean()) / 2 }
func (m mixture) CDF(x float64) float64 { return (m.a.CDF(x) + m.b.CDF(x)) / 2 }

// Quantile searches between the quantiles of the two, counts being whole.
func (m mixture) Quantile(p float64) float64 {
	a, b := m.a.Quantile(p), m.b.Quantile(p)
	low, high := math.Floor(math.Min(a, b)), math.Ceil(math.Max(a, b))
	for low < high {
		middle := math.Floor((low + high) / 2)
		if m.CDF(middle) >= p {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return high
}

func (m mixture) Sample(r *rand.Rand) float64 {
	if r.IntN(2) == 0 {
		return m.a.Sample(r)
	}
	return m.b.Sample(r)
}
