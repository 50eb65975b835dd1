package rehearsal

import (
	"time"

	"github.com/aquatope/aquatope/forecast"
)

// Foreseen holds a forecast of the number of runs in each window of the past, from
// what had come when the window was planned. It is made once for all plans, and
// forecasts the functions of the workflow by how often runs visit them.
type Foreseen struct {
	first int64                              // window of the first of each
	of    map[string][]forecast.Distribution // by function, one for each window
}

// Foresee forecasts the functions of a workflow, which runs visit so often each on
// average, in every window from that on in which arrivals begin to be known. Proceed is called between forecasts; when it returns false there is no result.
func Foresee(f forecast.Forecaster, w *Workflow, past Past, visits []float64, proceed func() bool) (known *Foreseen, ok bool) {
	number := func(t time.Duration) int64 { return w.Week + int64(t/w.Window) }
	out := &Foreseen{first: number(past.From), of: map[string][]forecast.Distribution{}}
	h := forecast.NewHistory(w.Name, w.Name, out.first)
	rest := past.Arrivals
	for next := out.first; next < number(past.Until); next++ {
		if next > out.first {
			n := 0
			for planned := time.Duration(next-w.Week)*w.Window - w.Lead; len(rest) > 0 && rest[0].At < planned; rest = rest[1:] {
				n++
			}
			if n > 0 {
				if err := h.Observe(next-1, min(float64(n), forecast.MaxDemand)); err != nil {
					panic("BUG: rehearsal: " + err.Error()) // windows follow one another
				}
			}
			h.Advance(next)
		}
		runs := f.Forecast([]*forecast.History{h}, 1)[0][0]
		same := map[float64]forecast.Distribution{}
		for i, x := range w.Problem.Functions {
			if same[visits[i]] == nil {
				same[visits[i]] = newTabled(forecast.Visited(runs, visits[i]))
			}
			name := w.Name + "/" + x.Name
			out.of[name] = append(out.of[name], same[visits[i]])
		}
		if !proceed() {
			return nil, false
		}
	}
	return out, true
}

// Forecast implements forecast.Forecaster for the functions of the workflow.
func (f *Foreseen) Forecast(histories []*forecast.History, h int) [][]forecast.Distribution {
	out := make([][]forecast.Distribution, len(histories))
	for i, x := range histories {
		all := f.of[x.Function]
		for k := range int64(h) {
			out[i] = append(out[i], all[min(max(x.Next()+k-f.first, 0), int64(len(all)-1))])
		}
	}
	return out
}

// tabled is a distribution of counts that knows its function at small ones, which
// every rehearsal asks for.
type tabled struct {
	forecast.Distribution
	cdf [34]float64
}

func newTabled(d forecast.Distribution) *tabled {
	t := &tabled{Distribution: d}
	for k := range t.cdf {
		t.cdf[k] = d.CDF(float64(k))
	}
	return t
}

// CDF implements forecast.Distribution.
func (t *tabled) CDF(x float64) float64 {
	if k := int(x); x >= 0 && k < len(t.cdf) && float64(k) == x {
		return t.cdf[k]
	}
	return t.Distribution.CDF(x)
}
