package control_test

import (
	"testing"

	"github.com/aquatope/aquatope/control"
	"github.com/aquatope/aquatope/stats"
)

func TestSpendingFollowsTheAccount(t *testing.T) {
	t.Parallel()
	var fresh, thrifty, spent control.Spending
	for _, s := range []*control.Spending{&fresh, &thrifty, &spent} {
		s.Budget = 0.05
	}
	thrifty.Add(400, 2, 0.005)
	spent.Add(400, 40, 0.1)
	if a := fresh.Allowance(); !(a > 0.01 && a < 0.05) {
		t.Errorf("at the start %v is allowed, want less than the budget", a)
	}
	if a := thrifty.Allowance(); !(a > 0.05 && a < 0.0751) {
		t.Errorf("with a tenth of the budget used %v is allowed, want more than the budget", a)
	}
	if a := spent.Allowance(); !(a > 0 && a < 0.01) {
		t.Errorf("with twice the budget used %v is allowed, want next to nothing", a)
	}
	surprised := control.Spending{Budget: 0.05}
	surprised.Add(400, 20, 0.01)
	expected := control.Spending{Budget: 0.05}
	expected.Add(400, 20, 0.05)
	if a, b := surprised.Allowance(), expected.Allowance(); !(a < b/2) {
		t.Errorf("where five times as many runs broke the promise as was expected %v is allowed, elsewhere %v", a, b)
	}
	if !(expected.Doubt() < fresh.Doubt()) {
		t.Errorf("doubt %v after 400 runs, %v before", expected.Doubt(), fresh.Doubt())
	}
}

// Where many runs come in the time that is planned for, little is set aside for
// chance; the account begins with that.
func TestSpendingPlansForTheRunsThatCome(t *testing.T) {
	t.Parallel()
	allowed := func(ahead int) float64 {
		s := control.Spending{Budget: 0.05, Ahead: ahead}
		return s.Allowance()
	}
	if few, many := allowed(80), allowed(200); !(allowed(0) < few && few < 0.65*0.05 && many > 0.65*0.05 && many < 0.05) {
		t.Errorf("%v is allowed where nothing is known, %v where 80 runs are to come, %v where 200 are, of 0.05", allowed(0), few, many)
	}
	if a, b := allowed(200), allowed(100_000); a != b {
		t.Errorf("%v is allowed for 200 runs to come, %v for 100,000: they may not come", a, b)
	}
}

// However wrong rehearsals are, by a factor, the budget is nearly spent and kept.
func TestSpendingKeepsTheBudget(t *testing.T) {
	t.Parallel()
	for _, wrong := range []float64{0.3, 1, 3} {
		rng := stats.Stream(1, "spending")
		kept, shares := 0, 0.0
		const worlds, slices, runs = 100, 24, 20
		for range worlds {
			s := control.Spending{Budget: 0.05}
			broken := 0
			for range slices {
				allowed := s.Allowance()
				n := 0
				for range runs {
					if rng.Float64() < allowed*wrong {
						n++
					}
				}
				s.Add(runs, n, allowed)
				broken += n
			}
			share := float64(broken) / (slices * runs)
			shares += share / worlds
			if share <= s.Budget {
				kept++
			}
		}
		t.Logf("rehearsals wrong by %v: %d of %d kept, %.2f %% on average", wrong, kept, worlds, 100*shares)
		if kept < 70 {
			t.Errorf("rehearsals wrong by %v: %d of %d keep the budget", wrong, kept, worlds)
		}
		if wrong >= 1 && shares < 0.03 {
			t.Errorf("rehearsals wrong by %v: %v of 0.05 spent", wrong, shares)
		}
	}
}
