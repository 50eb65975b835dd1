package sim

import (
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/sim/fleet"
)

// host is the simulation as the fleet sees it. The token of an invocation is its
// service time.
type host Sim

// ColdStart implements fleet.Host.
func (h *host) ColdStart(f int32, _ function.Resources) int64 { return int64(h.fns[f].ColdStart) }

// Serve implements fleet.Host.
func (h *host) Serve(service int64, x *fleet.Served) (int64, bool) {
	if h.fleet.Counted(x.Arrived) {
		r := &h.result
		*[...]*int64{fleet.Warm: &r.Warm, fleet.Cold: &r.Cold, fleet.Joined: &r.Joined, fleet.Waited: &r.Waited}[x.How]++
		r.latency.add(x.Begin - x.Arrived)
	}
	return service, false
}

// End implements fleet.Host.
func (*host) End(int64, *fleet.Served) {}

// Fail implements fleet.Host.
func (h *host) Fail(_ int64, x *fleet.Served, why fleet.Failure) {
	if !h.fleet.Counted(x.Arrived) {
		return
	}
	switch why {
	case fleet.Rejected:
		h.result.Rejected++
	case fleet.TooLarge:
		h.result.TooLarge++
	case fleet.Lost: // no node is lost here
	}
}

// Wake implements fleet.Host.
func (*host) Wake(int64) {}

func seconds(ns int64) float64 { return float64(ns) / float64(time.Second) }
