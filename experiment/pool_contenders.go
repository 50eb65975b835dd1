package experiment

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aquatope/aquatope/pool"
	"github.com/aquatope/aquatope/pool/baseline"
	"github.com/aquatope/aquatope/sim"
)

// contender is a policy with the values of its own knob.
type contender struct {
	name   string
	knob   string
	values []float64
	window time.Duration
	lead   time.Duration // see sim.Config
	weight int           // relative running time, for the order of runs
	// start makes one policy for each value.
	start func(ctx context.Context, w *world) ([]entry, error)
}

type entry struct {
	policy     pool.Policy
	capacityGB float64
	// trained, unless nil, is called when the judged part is about to begin, to
	// put into use what can be learnt from the part before it. It returns the
	// time that the learning took.
	trained func() (time.Duration, error)
}

// each makes policies that share nothing.
func each(values []float64, make func(w *world, v float64) (entry, error)) func(context.Context, *world) ([]entry, error) {
	return func(_ context.Context, w *world) ([]entry, error) {
		var out []entry
		for _, v := range values {
			e, err := make(w, v)
			if err != nil {
				return nil, err
			}
			out = append(out, e)
		}
		return out, nil
	}
}

func simple(name, knob string, values []float64, window time.Duration, weight int, make func(w *world, v float64) (entry, error)) contender {
	return contender{name: name, knob: knob, values: values, window: window, weight: weight, start: each(values, make)}
}

// ahead returns the contender planning each window that much earlier.
func (c contender) ahead(lead time.Duration) contender {
	c.lead = lead
	return c
}

var keepAliveMinutes = []float64{1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 45, 60, 120, 240}

// lead is how long before a minute policies plan it: most instances start within it.
const lead = 2 * time.Second

// contenders are all policies, in the order of reports.
func contenders() []contender {
	return []contender{
		simple("keepalive", "timeout in minutes", keepAliveMinutes, time.Minute, 3,
			func(_ *world, v float64) (entry, error) {
				return entry{policy: baseline.KeepAlive{Timeout: time.Duration(v * float64(time.Minute))}}, nil
			}),
		simple("hist", "range of the histogram in minutes", []float64{10, 20, 30, 60, 120, 180, 240}, time.Minute, 3,
			func(w *world, v float64) (entry, error) {
				cfg := baseline.DefaultHist
				cfg.Bins = int(v)
				cfg.Standard = time.Duration(v) * time.Minute
				return entry{policy: baseline.NewHist(len(w.functions), cfg)}, nil
			}),
		simple("faascache", "memory in GB", []float64{10, 20, 30, 40, 60, 80, 100, 130, 160, 200, 300, 500, 800}, time.Minute, 3,
			func(w *world, v float64) (entry, error) {
				return entry{policy: baseline.NewFaasCache(w.functions), capacityGB: v}, nil
			}),
		simple("icebreaker", "fraction from which a forecast is rounded up", []float64{0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.9}, time.Minute, 2,
			func(w *world, v float64) (entry, error) {
				return entry{policy: baseline.NewIceBreaker(len(w.functions), v)}, nil
			}).ahead(lead),
		simple("autoscale", "stable window in minutes", []float64{0.1, 0.5, 1, 2, 5, 10, 20, 40, 60}, baseline.AutoscaleTick, 6,
			func(w *world, v float64) (entry, error) {
				cfg := baseline.DefaultAutoscale
				cfg.Stable = time.Duration(v * float64(time.Minute))
				cfg.Panic = max(cfg.Stable/10, baseline.AutoscaleTick)
				return entry{policy: baseline.NewAutoscale(w.functions, cfg)}, nil
			}),
		{
			name: "aquatope-paper", knob: "standard deviations above the mean", values: deviations, window: time.Minute, lead: lead, weight: 12,
			start: startPaper,
		},
		{
			name: ownPolicy, knob: "price of a cold start in GB-seconds", values: prices, window: time.Minute, lead: lead, weight: 10,
			start: startAquatope,
		},
		simple(oraclePolicy, "price of a cold start in GB-seconds", []float64{0.1, 0.3, 0.5, 1, 1e9}, baseline.OracleStep, 6,
			func(w *world, v float64) (entry, error) {
				return entry{policy: baseline.NewOracle(w.functions, newFuture(w), v)}, nil
			}),
	}
}

// PoolPolicies returns the names of all policies.
func PoolPolicies() []string {
	var names []string
	for _, c := range contenders() {
		names = append(names, c.name)
	}
	return names
}

func choose(names []string) ([]contender, error) {
	all := contenders()
	if len(names) == 0 || len(names) == 1 && names[0] == "all" {
		return all, nil
	}
	var out []contender
	for _, n := range names {
		i := slices.IndexFunc(all, func(c contender) bool { return c.name == n })
		if i < 0 {
			return nil, fmt.Errorf("unknown policy %q: use all or some of %s", n, strings.Join(PoolPolicies(), ", "))
		}
		if !slices.ContainsFunc(out, func(c contender) bool { return c.name == n }) {
			out = append(out, all[i])
		}
	}
	return out, nil
}

// future runs ahead with everything kept warm, to tell the oracle what is coming.
type future struct {
	arrivals source
	sim      *sim.Sim
	seen     *peaks
	end      time.Duration // fed until
	last     time.Duration
	none     []int32
}

func newFuture(w *world) *future {
	f := &future{
		arrivals: w.newSource(),
		seen:     &peaks{}, none: make([]int32, len(w.functions)),
		end: instant(w.trace.Covered.From), last: instant(w.Judged.To),
	}
	warm := slices.Clone(w.functions)
	for i := range warm {
		warm[i].ColdStart = 0
	}
	f.sim = sim.New(warm, f.seen, w.config(baseline.OracleStep, 0, 0))
	return f
}

// Peaks implements baseline.Future; it is asked for steps in order.
func (f *future) Peaks(at time.Duration) []int32 {
	if at >= f.last {
		return f.none
	}
	for f.end < at+baseline.OracleStep {
		batch, minute, ok := f.arrivals.Next()
		if !ok {
			return f.none
		}
		f.sim.Feed(batch)
		f.end = instant(minute + 1)
		f.sim.Advance(f.end)
	}
	return f.seen.take(at)
}

// peaks is a policy that keeps everything and notes what is used.
type peaks struct {
	pool.Reactor
	steps map[time.Duration][]int32
	spare [][]int32
}

func (*peaks) Name() string { return "future" }

func (*peaks) Idle(pool.Event) (pool.Retention, bool) {
	return pool.Retention{KeepAlive: pool.Forever}, true
}

func (p *peaks) Plan(s *pool.Snapshot) pool.Plan {
	if p.steps == nil {
		p.steps = map[time.Duration][]int32{}
	}
	row := make([]int32, 0, len(s.States))
	if n := len(p.spare); n > 0 {
		row, p.spare = p.spare[n-1][:0], p.spare[:n-1]
	}
	for i := range s.States {
		row = append(row, int32(s.States[i].Peak))
	}
	p.steps[s.Now-baseline.OracleStep] = row
	return nil
}

func (p *peaks) take(at time.Duration) []int32 {
	row := p.steps[at]
	delete(p.steps, at)
	p.spare = append(p.spare, row)
	return row
}
