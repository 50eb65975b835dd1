package server

import (
	"slices"
	"sync"
	"time"

	"github.com/aquatope/aquatope/run"
	"github.com/aquatope/aquatope/server/api"
	"github.com/aquatope/aquatope/stats"
	"github.com/aquatope/aquatope/workflow"
)

// recentWindow is the time over which status and page judge promises, and
// recentLimit how many runs of one workflow are remembered for it.
const (
	recentWindow = 10 * time.Minute
	recentLimit  = 4096
)

// recents remembers how the last runs of every workflow ended. It is what
// status and page read, so that watching costs the store nothing.
type recents struct {
	mu    sync.Mutex
	rings map[string]*ring
}

// ring holds the last runs of one workflow; next is overwritten next.
type ring struct {
	ends []end
	next int
}

type end struct {
	at       time.Time
	latency  time.Duration
	failed   bool
	violated bool
}

func newRecents() *recents { return &recents{rings: map[string]*ring{}} }

// add notes a run that ended.
func (r *recents) add(x *run.Run) {
	if x.Workflow == "" || x.Status == run.StatusCancelled {
		return
	}
	e := end{at: x.End, latency: x.Latency(), failed: x.Status == run.StatusFaulted, violated: x.Violated}
	r.mu.Lock()
	defer r.mu.Unlock()
	g := r.rings[x.Workflow]
	if g == nil {
		g = &ring{}
		r.rings[x.Workflow] = g
	}
	if len(g.ends) < recentLimit {
		g.ends = append(g.ends, e)
		return
	}
	g.ends[g.next] = e
	g.next = (g.next + 1) % recentLimit
}

// of summarises the runs of a workflow that ended within the window before
// now. What was violated was judged by the promise at the time.
func (r *recents) of(name string, qos workflow.QoS, now time.Time) api.Recent {
	out := api.Recent{Window: recentWindow}
	r.mu.Lock()
	var latencies []float64
	if g := r.rings[name]; g != nil {
		for _, e := range g.ends {
			if now.Sub(e.at) > recentWindow {
				continue
			}
			out.Runs++
			if e.violated || e.failed {
				out.Violations++
			}
			if e.failed {
				out.Failed++
				continue
			}
			latencies = append(latencies, float64(e.latency))
		}
	}
	r.mu.Unlock()
	if len(latencies) > 0 {
		slices.Sort(latencies)
		out.P50 = time.Duration(stats.Quantile(0.50, latencies))
		out.P95 = time.Duration(stats.Quantile(0.95, latencies))
		out.P99 = time.Duration(stats.Quantile(0.99, latencies))
	}
	if out.Runs > 0 && qos.Latency > 0 {
		met := qos.Kept(out.Runs, out.Violations)
		out.QoSMet = &met
	}
	return out
}
