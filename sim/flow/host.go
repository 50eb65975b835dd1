package flow

import (
	"math"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/sim/fleet"
	"github.com/aquatope/aquatope/stats"
)

// host is the simulation as the fleet sees it.
type host Sim

// Slowdown is how many times longer an invocation takes on a node whose busy
// instances have limits of load times the node's CPUs: 1 + interference*min(load,
// 1) for what neighbours share besides CPUs (caches, memory bandwidth), times
// load where the CPUs themselves are short. It is what holds when the
// invocation begins, for the whole of it.
func Slowdown(load, interference float64) float64 {
	return (1 + interference*min(load, 1)) * max(load, 1)
}

// ColdStart implements fleet.Host.
func (h *host) ColdStart(f int32, r function.Resources) int64 {
	x := &h.functions[f]
	if r != x.resources {
		x.at(r)
	}
	if len(x.starts) == 0 {
		return 0
	}
	x.key++
	return int64(1e9 * stats.Quantile(uniform(mix(x.key)), x.starts))
}

// Serve implements fleet.Host.
func (h *host) Serve(t int64, x *fleet.Served) (service int64, fatal bool) {
	f := &h.functions[x.Function]
	if x.Resources != f.resources {
		f.at(x.Resources)
	}
	in := &h.frames[frameOf(t)]
	bits := in.draw(stepOf(t))
	s := f.times[in.input+1](uniform(bits)) * in.scale * Slowdown(x.CPU, h.cfg.Interference)
	if h.cfg.Drift != nil {
		s *= h.cfg.Drift(int(in.workflow), time.Duration(x.Begin))
	}
	if o := h.cfg.Outliers; o.Share > 0 && uniform(mix(bits)) < o.Share {
		s *= o.Factor
	}
	h.count(frameOf(t), x)
	return max(1, int64(math.Round(1e9*s))), x.Resources.Memory < f.Floor
}

// End implements fleet.Host.
func (h *host) End(t int64, x *fleet.Served) {
	s, in, at := (*Sim)(h), frameOf(t), stepOf(t)
	killed := x.Resources.Memory < h.functions[x.Function].Floor
	if h.cfg.OnStage != nil {
		s.tell(at, in, x, killed)
	}
	switch {
	case s.over(in):
	case killed:
		s.fail(in, OutOfMemory)
	default:
		s.finish(at, in)
	}
}

// Fail implements fleet.Host. An invocation that was lost with its node is tried
// once more.
func (h *host) Fail(t int64, _ *fleet.Served, why fleet.Failure) {
	s, in, at := (*Sim)(h), frameOf(t), stepOf(t)
	switch {
	case s.over(in):
	case why == fleet.Lost && t&retried == 0:
		w := &h.workflows[h.frames[in].workflow]
		w.result.Retried++
		s.fleet.Invoke(w.steps[at].function, t|retried)
	default:
		s.fail(in, failures[why])
	}
}

// Wake implements fleet.Host: a delay is over.
func (h *host) Wake(t int64) {
	if s := (*Sim)(h); !s.over(frameOf(t)) {
		s.finish(stepOf(t), frameOf(t))
	}
}
