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
	window   time.Duration
	policy   *pool.Aquatope
	watch    *watch // nil without a model
	accounts []*account
	views    []pool.Function
}

// newMind knows nothing that came before from.
func newMind(from, window time.Duration, model forecast.Model) *mind {
	m := &mind{window: window, policy: pool.NewAquatope(nil, nil, pool.Config{
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
	known := make(map[string]*account, len(m.views))
	for i, v := range m.views {
		known[v.Name] = m.accounts[i]
	}
	accounts := make([]*account, len(views))
	for i, v := range views {
		if accounts[i] = known[v.Name]; accounts[i] == nil {
			accounts[i] = newAccount(m.window)
		}
	}
	m.views, m.accounts = views, accounts
	m.policy.SetFunctions(views, histories)
}

func (m *mind) arrive(e pool.Event) {
	m.policy.Arrive(e)
	m.accounts[e.Function].arrive(e)
}

// idle tells of an instance that fell idle. In its own world the policy may have
// other instances than there are.
func (m *mind) idle(e pool.Event) {
	a := m.accounts[e.Function]
	e.Idle = len(a.ours.idle) + 1
	r, ok := m.policy.Idle(e)
	a.idle(e, r, ok, m.views[e.Function].ColdStart)
}

// plan asks the policy.
func (m *mind) plan(s *pool.Snapshot) pool.Plan {
	p := m.policy.Plan(s)
	for i, a := range m.accounts {
		if p != nil {
			a.plan(s.Now, p[i], m.views[i].ColdStart, coldStartWindows*m.window.Seconds())
		}
	}
	return p
}

// trust returns what is made of the forecasts of a function and why. Where runs
// foretell its invocations only the account counts.
func (m *mind) trust(i int, foreseen bool) (trust Trust, coverage float64, scored int) {
	if m.watch == nil {
		return TrustUnproven, 0, 0
	}
	r := m.watch.of[m.policy.Histories()[i]]
	if r == nil {
		return TrustUnproven, 0, 0
	}
	calibration := r.trust
	if foreseen {
		calibration = TrustFull
	}
	return m.accounts[i].trust(calibration), r.coverage, r.scored
}
