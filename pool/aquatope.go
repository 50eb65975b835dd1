package pool

import (
	"time"

	"github.com/aquatope/aquatope/forecast"
)

// Config holds the parameters of Aquatope.
type Config struct {
	// Price of a cold start in GB-seconds of idle memory, or in the unit of
	// Function.IdleCost: the knob.
	Price float64
	// Hurry starts stages together with the run that will reach them even if that
	// is too late to spare it all of their cold start: the wait is shorter.
	Hurry bool
	// Week is the minute of the week, Monday 00:00 being 0, at the epoch, for
	// forecasters that know the calendar.
	Week int64
	// From is the instant from which arrivals are known.
	From time.Duration
	// Window is the time between plans; 0 means a minute.
	Window time.Duration
	// Successors are what follows each entry of a workflow; see the function
	// of that name and SetSuccessors.
	Successors map[int][]Successor
}

// Aquatope is the project's own policy. Every window it asks a forecaster for
// the distribution of each function's arrivals and keeps the instances warm
// whose expected cold starts cost more than their expected idle memory: the
// newsvendor's quantile, by function and instance. Within the window it decides
// again whenever a function falls idle, from what the forecast leaves to come
// given what came. Instances beyond the first follow the gaps between their own
// uses. Without a forecaster every instance is kept until break-even.
type Aquatope struct {
	cfg        Config
	functions  []Function
	forecaster forecast.Forecaster
	fns        []demand
	histories  []*forecast.History
	ahead      lookahead
	pooled     [maxLevels]gaps
	plan       Plan
	planned    time.Duration // when the last plan was made: its window's arrivals count from here
	begin      time.Duration // of the window that was planned last
	window     time.Duration
}

// demand is what the policy remembers of one function.
type demand struct {
	seen   int                   // arrivals since the last plan
	first  float64               // share of the window after which the first of them came
	phase  *phase                // nil until called
	busy   int                   // instances as of the last event
	next   forecast.Distribution // of the current window; nil without a forecast
	none   float64               // the chance that it brings no invocation
	counts *counts               // the same by count; see byCount
	known  bool                  // that counts are of next
	levels []level               // by the number of busy instances, from one on
}

// level is the use of one instance beyond the first.
type level struct {
	gaps
	idle  bool
	since time.Duration
}

// NewAquatope returns the policy. The forecaster may be nil, and set later.
func NewAquatope(functions []Function, f forecast.Forecaster, cfg Config) *Aquatope {
	if cfg.Window <= 0 {
		cfg.Window = time.Minute
	}
	p := &Aquatope{
		cfg: cfg, functions: functions, forecaster: f, fns: make([]demand, len(functions)),
		histories: make([]*forecast.History, len(functions)), plan: make(Plan, len(functions)),
		window: cfg.Window, begin: cfg.From, ahead: newLookahead(functions, cfg.Successors, nil, cfg),
	}
	for i, fn := range functions {
		p.histories[i] = forecast.NewHistory(fn.Name, fn.App, p.windowAt(cfg.From))
		p.plan[i] = Target{}
	}
	return p
}

// Name implements Policy.
func (*Aquatope) Name() string { return "aquatope" }

// SetForecaster replaces the forecaster, after training; nil falls back.
func (p *Aquatope) SetForecaster(f forecast.Forecaster) { p.forecaster = f }

// SetFunctions replaces the functions. Those that were there under the same name
// keep what is known of them; the others begin with the history given for their
// name, or an empty one.
func (p *Aquatope) SetFunctions(functions []Function, histories map[string]*forecast.History) {
	old := make(map[string]int, len(p.functions))
	for i, f := range p.functions {
		old[f.Name] = i
	}
	fns := make([]demand, len(functions))
	known := make([]*forecast.History, len(functions))
	for i, f := range functions {
		switch j, ok := old[f.Name]; {
		case ok:
			fns[i], known[i] = p.fns[j], p.histories[j]
		case histories[f.Name] != nil:
			known[i] = histories[f.Name]
		default:
			known[i] = forecast.NewHistory(f.Name, f.App, p.windowAt(p.begin))
		}
	}
	p.functions, p.fns, p.histories = functions, fns, known
	p.plan = make(Plan, len(functions))
	p.SetSuccessors(nil, nil)
}

// SetSuccessors replaces what follows the entries of workflows; SetFunctions,
// which renumbers functions, forgets it. A function that can be started when a
// run starts is not kept warm between runs if that is enough for it: if nearly
// all of its invocations are foreseen. A nil function says that it always is.
func (p *Aquatope) SetSuccessors(of map[int][]Successor, enough func(function int) bool) {
	p.ahead = newLookahead(p.functions, of, enough, p.cfg)
}

// Followed reports whether it costs less than a cold start not to have an instance
// of a function, because runs foretell its invocations.
func (p *Aquatope) Followed(i int) bool { return p.ahead.price[i] < p.functions[i].price(p.cfg.Price) }

// Forecast is what the last plan took the arrivals of a function in the window
// to be; nil without a forecaster.
func (p *Aquatope) Forecast(i int) forecast.Distribution { return p.fns[i].next }

// Histories are the arrivals so far, by function, to train on.
func (p *Aquatope) Histories() []*forecast.History { return p.histories }

func (p *Aquatope) windowAt(t time.Duration) int64 { return p.cfg.Week + int64(t/p.window) }

// Plan implements Policy.
func (p *Aquatope) Plan(s *Snapshot) Plan {
	p.planned, p.begin, p.window = s.Now, s.Next, s.Window
	next := p.windowAt(s.Next)
	if next <= p.windowAt(p.cfg.From) {
		return nil
	}
	for i := range s.States {
		d := &p.fns[i]
		if d.seen > 0 {
			if d.phase == nil {
				d.phase = &phase{}
			}
			d.phase.add(d.first, d.seen)
			d.seen = 0
		}
		h := p.histories[i]
		if n := s.States[i].Arrivals; n > 0 && next > h.Next() {
			// In range: a window is not closed twice, and counts are bounded.
			if err := h.Observe(next-1, min(float64(n), forecast.MaxDemand)); err != nil {
				panic("BUG: pool: " + err.Error())
			}
		}
		h.Advance(next)
	}
	if p.forecaster == nil {
		for i := range p.fns {
			p.fns[i].next = nil
			if p.functions[i].OnDemand {
				p.plan[i] = Target{KeepAlive: secondsOf(p.ahead.price[i] / p.functions[i].idleCost())}
				continue
			}
			p.plan[i] = Target{KeepAlive: breakEven(p.functions[i].idleCost(), p.functions[i].price(p.cfg.Price))}
		}
		return p.plan
	}
	out := p.forecaster.Forecast(p.histories, 1)
	for i := range p.fns {
		d := &p.fns[i]
		d.next = out[i][0]
		d.none, d.known = max(0, d.next.CDF(0)), false
		p.plan[i] = p.target(i, &s.States[i])
	}
	return p.plan
}

// Arrive implements Policy.
func (p *Aquatope) Arrive(e Event) {
	d := &p.fns[e.Function]
	if d.seen == 0 {
		d.first = (e.At - p.planned).Seconds() / p.window.Seconds()
	}
	d.seen++
	if e.Busy > d.busy {
		l := d.level(e.Busy)
		if l.idle {
			l.idle = false
			l.add(e.At - l.since)
			p.pooled[min(e.Busy, maxLevels)-1].add(e.At - l.since)
		}
	}
	d.busy = e.Busy
}

// Idle implements Policy.
func (p *Aquatope) Idle(e Event) (Retention, bool) {
	d := &p.fns[e.Function]
	d.busy = e.Busy
	l := d.level(e.Busy + 1)
	l.idle, l.since = true, e.At
	f := &p.functions[e.Function]
	gb := f.idleCost()
	alive := e.Busy + e.Idle
	price := p.ahead.price[e.Function]
	if alive > 1 || f.OnDemand {
		return Retention{KeepAlive: p.keep(d, alive, gb, price), Release: f.OnDemand}, true
	}
	if d.next == nil {
		return Retention{}, false
	}
	passed := (e.At - p.planned).Seconds()
	window := p.window.Seconds()
	switch {
	case d.seen == 0 && d.clocked():
		return p.awaited(e.Function, passed), true
	case d.seen == 0 && e.At < p.begin:
		return Retention{}, false // the target holds, which is of a window about to begin
	}
	// Without an instance now one must be started for the next window, taken to
	// be like this one, and those that start slowly will come late.
	late := max(0, f.ColdStart-(p.begin-p.planned)).Seconds()
	restart := gb*f.ColdStart.Seconds()*(1-d.none) + price*d.byCount().within(min(1, late/window))
	x, all := d.byCount().rest(d.seen, passed/window, window-passed, gb, price, restart)
	if all {
		return Retention{KeepAlive: UntilPlan}, true
	}
	return Retention{KeepAlive: time.Duration(x * float64(time.Second)), Release: true}, true
}

// byCount is the forecast of the current window by count: computed when it is
// asked for, as most functions are quiet in most windows.
func (d *demand) byCount() *counts {
	if d.counts == nil {
		d.counts = &counts{}
	}
	if !d.known {
		d.counts.fill(d.next)
		d.known = true
	}
	return d.counts
}

// Foresee implements Foreseer.
func (p *Aquatope) Foresee(entry int) []Ahead { return p.ahead.of[entry] }

// Follow implements Follower.
func (p *Aquatope) Follow(by int) []Ahead { return p.ahead.after[by] }

// keep is how long the last of that many instances is worth keeping, by the
// gaps between its uses.
func (p *Aquatope) keep(d *demand, alive int, gb, price float64) time.Duration {
	return d.level(alive).keep(&p.pooled[min(alive, maxLevels)-1], gb, price)
}

func (d *demand) level(k int) *level {
	i := min(k, maxLevels) - 1
	for len(d.levels) <= i {
		d.levels = append(d.levels, level{})
	}
	return &d.levels[i]
}
