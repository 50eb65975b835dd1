package replay

import (
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/run"
)

// Result is what happened, or would have.
type Result struct {
	Total Outcome   `json:"total"`
	Each  []Outcome `json:"each"` // by workflow, then by function called on its own
	// Idle is how long instances were warm and served nothing, added up, and
	// what that cost. It is not recorded, hence nil for what happened.
	Idle *Idle `json:"idle,omitempty"`
	// Unended are runs that had not ended when the record did.
	Unended int `json:"unended,omitempty"`
}

// Idle is the time of instances that serve nothing, those that are started ahead
// included.
type Idle struct {
	InstanceSeconds float64 `json:"instanceSeconds"`
	GBSeconds       float64 `json:"gbSeconds"`
	Cost            float64 `json:"cost"`
	// StartedAhead are instances that no invocation waited for.
	StartedAhead int64 `json:"startedAhead"`
}

// Cost is that of serving and of idling.
func (r *Result) Cost() float64 {
	if r.Idle == nil {
		return r.Total.BusyCost
	}
	return r.Total.BusyCost + r.Idle.Cost
}

// Recorded is what happened to the runs that began in [from, until).
func Recorded(h *History, from, until time.Time, p function.Price) *Result {
	a := newAccounts(p)
	functions := h.index()
	out := &Result{}
	for i := range h.Runs {
		r := &h.Runs[i]
		if r.Start.Before(from) || !r.Start.Before(until) {
			continue
		}
		if !r.Status.Ended() {
			out.Unended++
			continue
		}
		for j := range r.Stages {
			s := &r.Stages[j]
			switch f, ok := functions[s.Function]; {
			case !ok:
			case s.Execution > 0:
				a.invocation(r, h.resources(s, f), s.Execution, s.ColdStart, s.Cold)
			case s.Outcome == function.OutcomeRejected:
				a.get(r).Rejected++
			}
		}
		a.ended(r, r.Latency(), false)
	}
	out.Each, out.Total = a.outcomes()
	return out
}

func (h *History) index() map[string]int32 {
	index := make(map[string]int32, len(h.Functions))
	for i, f := range h.Functions {
		index[f.Name] = int32(i)
	}
	return index
}

// resources are those that an invocation had.
func (h *History) resources(s *run.Stage, f int32) function.Resources {
	if r, ok := h.Revisions[s.Revision]; ok {
		return r
	}
	return h.Functions[f].Resources
}
