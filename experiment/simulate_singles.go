package experiment

import (
	"math/rand/v2"
	"time"

	"github.com/DataDog/sketches-go/ddsketch"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/pool"
	"github.com/aquatope/aquatope/sim"
	"github.com/aquatope/aquatope/sim/fleet"
	"github.com/aquatope/aquatope/stats"
	"github.com/aquatope/aquatope/trace"
)

// singles invokes functions one by one. The token of an invocation is its
// service time.
type singles struct {
	price     function.Price
	fleet     *fleet.Fleet
	functions []fleet.Function
	views     []pool.Function
	out       *Simulation
	waits     *ddsketch.DDSketch // of those that waited, in seconds
	latencies *ddsketch.DDSketch
}

// Instances get CPU in proportion to their memory, as providers sell it that
// couple the two.
const (
	memoryPerCPU = 1769 * 1e6
	cpuNote      = "CPU is not in traces: an instance has one for every 1769 MB of its memory."
)

func newSingles(t *trace.Trace, seed uint64) *singles {
	h := &singles{
		waits: newSketch(), latencies: newSketch(), out: &Simulation{Rejected: map[string]int64{}},
	}
	r := stats.Stream(seed, "experiment/cold-start")
	for i := range t.Functions {
		f := &t.Functions[i]
		view := newView(f, r)
		h.views = append(h.views, view)
		h.functions = append(h.functions, fleet.Function{
			Name: view.Name, ColdStart: view.ColdStart,
			Resources: function.Resources{CPU: function.MilliCPU(max(1, 1000*int64(view.Memory)/memoryPerCPU)), Memory: view.Memory},
		})
	}
	return h
}

func newView(f *trace.Function, r *rand.Rand) pool.Function {
	return pool.Function{
		Name: f.ID.String(), App: f.App, Memory: function.Bytes(max(1, f.Memory.Mean) * 1e6), ColdStart: drawCold(r),
		Service: time.Duration(f.Duration.Mean * float64(time.Millisecond)),
	}
}

func newSketch() *ddsketch.DDSketch {
	s, err := ddsketch.NewDefaultDDSketch(0.01)
	if err != nil {
		panic("BUG: experiment: " + err.Error()) // only for an accuracy outside (0, 1)
	}
	return s
}

func (h *singles) feed(batch []sim.Arrival) {
	for i := range batch {
		a := &batch[i]
		h.fleet.RunTo(a.At)
		h.out.Invocations++
		h.fleet.Invoke(int32(a.Function), int64(a.Service))
	}
}

// ColdStart implements fleet.Host.
func (h *singles) ColdStart(f int32, _ function.Resources) int64 {
	return int64(h.functions[f].ColdStart)
}

// Serve implements fleet.Host.
func (h *singles) Serve(service int64, x *fleet.Served) (int64, bool) {
	wait := x.Begin - x.Arrived
	switch x.How {
	case fleet.Cold, fleet.Joined:
		h.out.ColdStarts++
	case fleet.Waited:
		h.out.Queued++
	case fleet.Warm:
	}
	add(h.waits, wait)
	add(h.latencies, wait+service)
	return service, false
}

// add adds nanoseconds to a sketch of seconds.
func add(s *ddsketch.DDSketch, ns int64) {
	if err := s.Add(float64(ns) / 1e9); err != nil {
		panic("BUG: experiment: " + err.Error()) // only for values out of the sketch's range
	}
}

// End implements fleet.Host.
func (*singles) End(int64, *fleet.Served) {}

// The reasons for which invocations are rejected.
const (
	noRoom   = "no room within 30 s"
	tooLarge = "larger than any node"
)

// Fail implements fleet.Host.
func (h *singles) Fail(_ int64, _ *fleet.Served, why fleet.Failure) {
	if why == fleet.TooLarge {
		h.out.Rejected[tooLarge]++
		return
	}
	h.out.Rejected[noRoom]++
}

// Wake implements fleet.Host.
func (*singles) Wake(int64) {}

func (h *singles) finish() *Simulation {
	h.fleet.Settle()
	out := h.out
	for i := range h.functions {
		for _, u := range h.fleet.Usage(int32(i)) {
			gb := float64(u.Resources.Memory) / 1e9
			out.BusyGBSeconds += gb * u.Busy.Seconds()
			out.IdleGBSeconds += gb * u.Idle.Seconds()
			out.BusyCost += h.price.Busy(u.Resources, u.Busy) + float64(u.Invocations)*h.price.PerInvocation
			out.IdleCost += h.price.Idle(u.Resources, u.Idle)
		}
	}
	out.TotalCost = out.BusyCost + out.IdleCost
	c := h.fleet.Counts()
	out.StartedAhead, out.Evicted = c.StartedAhead, c.Evicted
	out.ColdStartRate = float64(out.ColdStarts) / float64(max(1, out.Invocations))
	out.Open = out.Invocations - int64(h.waits.GetCount())
	for _, n := range out.Rejected {
		out.Open -= n
	}
	out.Wait, out.Latency = quantiles(h.waits), quantiles(h.latencies)
	return out
}

// quantiles are those of a sketch of seconds; 0 of an empty one.
func quantiles(s *ddsketch.DDSketch) Quantiles {
	v, err := s.GetValuesAtQuantiles([]float64{0.50, 0.95, 0.99})
	if err != nil {
		return Quantiles{}
	}
	return Quantiles{1000 * v[0], 1000 * v[1], 1000 * v[2]}
}
