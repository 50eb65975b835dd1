package control

import (
	"time"

	"github.com/aquatope/aquatope/forecast"
	"github.com/aquatope/aquatope/pool"
)

// mind is everything of the pool that learns: the policy, how well its forecasts
// fit and what its decisions are worth. It sees events and plans and acts on
// nothing, so that the past can be played to it.
type mind struct {
	window  time.Duration
	policy  *pool.Aquatope
	watch   *watch // nil without a model
	views   []pool.Function
	index   map[string]int // of views, by name
	known   []*known       // by view
	ahead   *ahead
	paths   *paths
	touched map[int]bool // views of which more or fewer are expected than before
}

// known is what a mind knows of one function beside its history.
type known struct {
	account  *account
	sight    sight
	expected int           // invocations that an instance is kept for
	hold     time.Duration // for how long, of all of them together
}

// newMind knows nothing that came before from.
func newMind(from, window time.Duration, model forecast.Model) *mind {
	m := &mind{window: window, ahead: newAhead(), paths: &paths{}, touched: map[int]bool{}, policy: pool.NewAquatope(nil, nil, pool.Config{
		Price: coldStartWindows * window.Seconds(), From: from, Window: window, Hurry: true,
	})}
	if model != nil {
		m.watch = newWatch()
		m.watch.inner = model.New()
		m.policy.SetForecaster(m.watch)
	}
	return m
}

// setFunctions replaces the functions; those of the same name are the same.
func (m *mind) setFunctions(views []pool.Function, histories map[string]*forecast.History) {
	before := make(map[string]*known, len(m.views))
	for i, v := range m.views {
		before[v.Name] = m.known[i]
	}
	m.views, m.known, m.index = views, make([]*known, len(views)), make(map[string]int, len(views))
	for i, v := range views {
		if m.known[i] = before[v.Name]; m.known[i] == nil {
			m.known[i] = &known{account: newAccount(m.window)}
		}
		m.index[v.Name] = i
	}
	clear(m.touched)
	m.policy.SetFunctions(views, histories)
}

// see is told what follows the stages of workflows, and which functions are not
// started ahead all the same.
func (m *mind) see(paths *paths, alone func(fn string) bool) {
	m.paths = paths
	m.policy.SetSuccessors(paths.successors(m.index, alone), func(i int) bool { return m.known[i].sight.enough() })
}

func (m *mind) arrive(e pool.Event) {
	m.policy.Arrive(e)
	m.known[e.Function].account.arrive(e)
}

// idle tells of an instance that fell idle. In its own world the policy may have
// other instances than there are.
func (m *mind) idle(e pool.Event) {
	a := m.known[e.Function].account
	e.Idle = len(a.ours.idle) + 1
	r, ok := m.policy.Idle(e)
	a.idle(e, r, ok, m.views[e.Function].ColdStart)
}

// plan asks the policy.
func (m *mind) plan(s *pool.Snapshot) pool.Plan {
	p := m.policy.Plan(s)
	for i, k := range m.known {
		if p != nil {
			k.account.plan(s.Now, p[i], m.views[i].ColdStart, m.price(i))
		}
	}
	return p
}

// trust returns what is made of the forecasts of a function and why. Where runs
// foretell its invocations only the account counts.
func (m *mind) trust(i int) (trust Trust, coverage float64, scored int) {
	if m.watch == nil {
		return TrustUnproven, 0, 0
	}
	r := m.watch.of[m.policy.Histories()[i]]
	if r == nil {
		return TrustUnproven, 0, 0
	}
	calibration := r.trust
	if m.known[i].sight.enough() {
		calibration = TrustFull
	}
	return m.known[i].account.trust(calibration), r.coverage, r.scored
}
