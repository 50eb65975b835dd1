package replay

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/run"
	"github.com/aquatope/aquatope/stats"
)

// Outcome is what happened to the runs of one workflow, of one function that was
// called on its own, or of all.
type Outcome struct {
	Workflow string `json:"workflow,omitempty"`
	Function string `json:"function,omitempty"`
	Runs     int    `json:"runs"`
	// Violations are runs that broke their promise.
	Violations    int     `json:"violations"`
	ViolationRate float64 `json:"violationRate"`
	// P50 to P99 are latencies of runs that completed.
	P50           time.Duration `json:"p50Nanos"`
	P95           time.Duration `json:"p95Nanos"`
	P99           time.Duration `json:"p99Nanos"`
	Invocations   int           `json:"invocations"`
	ColdStarts    int           `json:"coldStarts"` // invocations that waited for a start
	ColdStartRate float64       `json:"coldStartRate"`
	// Rejected are invocations that found no room for an instance in time.
	Rejected int `json:"rejected"`
	// BusyCost is the price of serving, the starts that invocations waited for
	// included.
	BusyCost float64 `json:"busyCost"`

	latencies []float64
}

// Accounts are outcomes in the making, by workflow and function.
type accounts struct {
	price function.Price
	of    map[[2]string]*Outcome
}

func newAccounts(p function.Price) *accounts {
	return &accounts{price: p, of: map[[2]string]*Outcome{}}
}

func (a *accounts) get(r *run.Run) *Outcome {
	k := [2]string{r.Workflow, ""}
	if r.Workflow == "" {
		k[1] = r.Function
	}
	o := a.of[k]
	if o == nil {
		o = &Outcome{Workflow: k[0], Function: k[1]}
		a.of[k] = o
	}
	return o
}

// invocation counts one invocation of r that was served for a time after it
// waited for a start, if it did.
func (a *accounts) invocation(r *run.Run, res function.Resources, service, start time.Duration, cold bool) {
	o := a.get(r)
	o.Invocations++
	if cold {
		o.ColdStarts++
	}
	o.BusyCost += a.price.Invocation(res, service+start)
}

// ended counts a run that took that long; a rejected one was not served.
func (a *accounts) ended(r *run.Run, latency time.Duration, rejected bool) {
	o := a.get(r)
	o.Runs++
	switch {
	case rejected:
		o.Violations++
	case r.Status == run.StatusFaulted:
		if r.Violated {
			o.Violations++
		}
	case r.Status == run.StatusCompleted:
		o.latencies = append(o.latencies, float64(latency))
		if r.QoS.Latency > 0 && latency > r.QoS.Latency {
			o.Violations++
		}
	}
}

// outcomes returns those of workflows and functions, in order, and that of all.
func (a *accounts) outcomes() (each []Outcome, total Outcome) {
	keys := slices.SortedFunc(maps.Keys(a.of), func(x, y [2]string) int {
		return cmp.Or(cmp.Compare(x[1], y[1]), cmp.Compare(x[0], y[0]))
	})
	for _, k := range keys {
		o := a.of[k]
		total.Runs += o.Runs
		total.Violations += o.Violations
		total.Invocations += o.Invocations
		total.ColdStarts += o.ColdStarts
		total.Rejected += o.Rejected
		total.BusyCost += o.BusyCost
		total.latencies = append(total.latencies, o.latencies...)
		o.finish()
		each = append(each, *o)
	}
	total.finish()
	return each, total
}

func (o *Outcome) finish() {
	if o.Runs > 0 {
		o.ViolationRate = float64(o.Violations) / float64(o.Runs)
	}
	if o.Invocations > 0 {
		o.ColdStartRate = float64(o.ColdStarts) / float64(o.Invocations)
	}
	if len(o.latencies) > 0 {
		q := stats.Quantiles(o.latencies, 0.50, 0.95, 0.99)
		o.P50, o.P95, o.P99 = time.Duration(q[0]), time.Duration(q[1]), time.Duration(q[2])
	}
}
