package rehearsal

import (
	"slices"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/sim/flow"
	"github.com/aquatope/aquatope/stats"
	"github.com/aquatope/aquatope/tuner"
)

// Watch sees in a simulation of one workflow how its functions are served.
type Watch struct {
	From time.Duration // what arrives before does not count

	waits [][]float64 // by function, in seconds
}

// Stage is for flow.Config.OnStage.
func (w *Watch) Stage(x flow.Stage) {
	if x.At < w.From {
		return
	}
	for len(w.waits) <= x.Function {
		w.waits = append(w.waits, nil)
	}
	w.waits[x.Function] = append(w.waits[x.Function], x.Wait.Seconds())
}

// waitPoints is how many evenly spread quantiles stand for waiting times: enough
// to tell how long the one in a hundred waits that decides a promise.
const waitPoints = 400

// Serving returns what was seen until the end of the simulation, when an
// invocation of each function is served for so many seconds. Longer is that of
// tuner.Serving.
func (w *Watch) Serving(m *flow.WorkflowResult, service []float64, longer func(int, function.Resources) float64) tuner.Serving {
	out := tuner.Serving{Waiting: make([][]float64, len(m.Functions)), Longer: longer}
	runs := float64(max(1, m.Runs))
	for f, u := range m.Functions {
		out.Standing = append(out.Standing, u.Idle.Seconds()/runs)
		// An instance is busy that serves, or starts for an invocation.
		out.Starting = append(out.Starting, max(0, u.Busy.Seconds()-float64(u.Invocations)*service[f])/runs)
	}
	for f, list := range w.waits {
		slices.Sort(list)
		if n := len(list); n > waitPoints {
			few := make([]float64, waitPoints)
			for k := range few {
				few[k] = stats.Quantile((float64(k)+0.5)/waitPoints, list)
			}
			list = few
		}
		out.Waiting[f] = list
	}
	return out
}
