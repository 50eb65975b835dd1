package control

import (
	"time"

	"github.com/aquatope/aquatope/pool"
)

const (
	// provenBy is how many windows with invocations an account must have seen.
	// Quiet ones prove nothing: every keep-alive is as good in them.
	provenBy = 5
	// accountMemory is how many windows with invocations an account remembers.
	accountMemory = 100
	// provenWorth is what forecasts must have saved, in cold starts, before they
	// are used; after wellKnown windows with invocations it is enough that they
	// lost nothing. They are used until they have lost more than lostWorth.
	provenWorth = 1
	wellKnown   = 20
	lostWorth   = 0.25
	// caution is what a cold start that the fixed keep-alive would not have had
	// weighs: nobody minds fewer, and less idle time makes up for few more.
	// All were chosen on seeds other than those that TestNeverWorse runs.
	caution = 4
)

// account compares what the policy decides for one function with the fixed
// keep-alive, on the same invocations, whichever of the two is in force. It is
// what "never worse than without it" rests on.
type account struct {
	ours, fixed twin
	windows     int     // with invocations
	called      bool    // in the window under way
	unused      bool    // the fixed keep-alive is in force
	saved       float64 // cold starts, see worth
}

func newAccount(window time.Duration) *account {
	return &account{fixed: twin{keep: ReactiveWindows * window}, unused: true}
}

// Account is what a function's recent invocations would have met under the
// forecasts and under the fixed keep-alive. Older windows count for less.
type Account struct {
	Windows   int // with invocations, all that were seen
	Cold      float64
	Idle      time.Duration
	ColdFixed float64
	IdleFixed time.Duration
	Saved     float64 // by forecasts, in cold starts; cold starts more count fourfold
}

func (a *account) report() Account {
	return Account{
		Windows: a.windows, Cold: a.ours.cold, Idle: seconds(a.ours.idled),
		ColdFixed: a.fixed.cold, IdleFixed: seconds(a.fixed.idled), Saved: a.saved,
	}
}

func (a *account) arrive(e pool.Event) {
	a.called = true
	a.ours.use(e.At, e.Busy)
	a.fixed.use(e.At, e.Busy)
}

// idle is told what the policy wants of an instance that falls idle in its own
// world.
func (a *account) idle(e pool.Event, r pool.Retention, decided bool, start time.Duration) {
	a.ours.free(e.At, e.Busy, r, decided, start)
	a.fixed.free(e.At, e.Busy, pool.Retention{}, false, start)
}

// plan ends a window and judges, a cold start being worth price seconds of an
// idle instance.
func (a *account) plan(now time.Duration, target pool.Target, start time.Duration, price float64) {
	if a.windows == 0 && !a.called {
		return // before its first invocation a function may not have been there
	}
	a.ours.plan(now, target, start)
	a.fixed.settle(now)
	if !a.called {
		return
	}
	a.called = false
	a.windows++
	least := -lostWorth
	switch {
	case a.unused && a.windows < wellKnown:
		least = provenWorth
	case a.unused:
		least = 0
	}
	a.saved = a.worth(price)
	a.unused = a.saved < least
	a.ours.fade(1.0 / accountMemory)
	a.fixed.fade(1.0 / accountMemory)
}

// worth is what the policy saved against the fixed keep-alive, in cold starts.
func (a *account) worth(price float64) float64 {
	fewer := a.fixed.cold - a.ours.cold
	if fewer < 0 {
		fewer *= caution
	}
	return fewer + (a.fixed.idled-a.ours.idled)/price
}

// trust is what is made of forecasts whose calibration earns c.
func (a *account) trust(c Trust) Trust {
	switch {
	case c == TrustUnproven || c == TrustNone:
		return c
	case a.windows < provenBy || a.unused && a.saved >= 0:
		return TrustUnproven
	case a.unused:
		return TrustOutdone
	}
	return c
}
