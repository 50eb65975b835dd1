package pool

import "time"

// target is what is wanted of a function in the window that is planned.
func (p *Aquatope) target(i int, s *State) Target {
	d, f, price := &p.fns[i], &p.functions[i], p.ahead.price[i]
	if f.OnDemand {
		return Target{}
	}
	window, warm := p.window.Seconds(), 0
	// The first instance is idle for the whole window if nobody comes, at least:
	// when that alone is too long, how many come need not be asked.
	if (use{1 - d.none, d.none}).worth(window, f.idleCost(), price) {
		warm = levelsWorth(d.next, d.byCount().first(), *f, window, f.idleCost(), price)
	}
	if warm > 1 || !d.clocked() {
		return Target{Warm: warm}
	}
	if s.Busy > 0 {
		return Target{} // decided when it falls idle
	}
	start := f.ColdStart.Seconds()
	from, alive := start, s.Idle+s.Starting > 0
	if alive {
		from = 0
	}
	now, best := p.when(i, from, price)
	restart := f.idleCost() * start
	switch {
	case alive && now.gain > 0 && now.gain >= best.gain-restart:
		if now.to >= window {
			return Target{Warm: 1}
		}
		return Target{Part: Retention{KeepAlive: secondsOf(now.to)}}
	case best.gain <= restart:
		return Target{}
	case best.to >= window && best.from <= start:
		return Target{Warm: 1}
	}
	return Target{Part: Retention{PreWarm: secondsOf(max(0, best.from-start)), KeepAlive: secondsOf(best.to-best.from) + untilPlan}}
}

// untilPlan lets what is kept to the end of the window live until the next plan
// has decided over it.
const untilPlan = time.Millisecond

// awaited is what is wanted of the last instance that falls idle after so many
// seconds of a window in which no call came yet.
func (p *Aquatope) awaited(i int, passed float64) Retention {
	f, price := &p.functions[i], p.ahead.price[i]
	start, window := f.ColdStart.Seconds(), p.window.Seconds()
	now, best := p.when(i, passed, price)
	restart := f.idleCost() * start
	switch {
	case now.gain > 0 && (now.gain >= best.gain-restart || best.from-passed <= start):
		if now.to >= window {
			return Retention{KeepAlive: UntilPlan}
		}
		return Retention{KeepAlive: secondsOf(now.to - passed), Release: true}
	case best.gain <= restart || best.from-passed <= start:
		return Retention{Release: true}
	}
	return Retention{PreWarm: secondsOf(best.from - passed - start), KeepAlive: secondsOf(best.to-best.from) + untilPlan, Release: true}
}

func (p *Aquatope) when(i int, passed, price float64) (now, best span) {
	d, f := &p.fns[i], &p.functions[i]
	likely := 1 - d.none
	if !(likely > 0) {
		return span{}, span{}
	}
	return d.phase.when(likely, d.next.Mean()/likely, passed, p.window.Seconds(), f.idleCost(), price)
}

// clocked reports whether there is anything to know of when in a window the
// function is called.
func (d *demand) clocked() bool { return d.phase != nil && d.phase.known() }
