package control

import "maps"

// Terms are what the pool is told of a function by whoever decides over its
// workflow as a whole, see Joint.
type Terms struct {
	// Price of a cold start in seconds of an idle instance; 0 means the pool's own.
	Price float64
	// OnDemand functions are not kept between runs.
	OnDemand bool
	// Alone functions are not started ahead along a run.
	Alone bool
}

// SetTerms replaces the terms of all functions from the next step on. What was
// decided under others says little of these, so the past is played once more.
func (p *Pool) SetTerms(of map[string]Terms) {
	if was := p.terms.Load(); was != nil && maps.Equal(*was, of) {
		return
	}
	of = maps.Clone(of)
	p.terms.Store(&of)
	if m := p.latest.Load(); m != nil {
		p.model.Store(m)
	}
}

func (p *Pool) termsOf(fn string) Terms {
	if t := p.terms.Load(); t != nil {
		return (*t)[fn]
	}
	return Terms{}
}

func (p *Pool) alone(fn string) bool { return p.termsOf(fn).Alone }

// price is what a cold start of a function is worth, in seconds of an idle instance:
// of one on demand no more than it takes, or keeping it would always be judged better.
func (m *mind) price(i int) float64 {
	v := &m.views[i]
	p := v.Price
	if p <= 0 {
		p = coldStartWindows * m.window.Seconds()
	}
	if start := v.ColdStart.Seconds(); v.OnDemand && start > 0 {
		p = min(p, start)
	}
	return p
}
