package function_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aquatope/aquatope/function"
)

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(math.Abs(a), math.Abs(b)) }

// Costs by hand from the published lists.
func TestPresets(t *testing.T) {
	r := function.Resources{CPU: 2000, Memory: 4 * function.GiB}
	for name, want := range map[string]struct{ busy, idle, call float64 }{
		// Two vCPUs come with 3.455 GiB, less than the 4 GiB bought.
		"aws-lambda": {4 * 0.0000166667 * 3600, 4 * 0.0000041667 * 3600, 0.0000002},
		"azure":      {(2*0.000024 + 4*0.000003) * 3600, (2*0.000003 + 4*0.000003) * 3600, 0.0000004},
		"cloud-run":  {(2*0.000024 + 4*0.0000025) * 3600, (2 + 4) * 0.0000025 * 3600, 0.0000004},
		"paper":      {2*0.173 + 4*0.0123, 2*0.173 + 4*0.0123, 0},
	} {
		p, err := function.LookupPrice(name)
		if err != nil {
			t.Fatal(err)
		}
		busy, idle := p.Busy(r, time.Hour), p.Idle(r, time.Hour)
		if !near(busy, want.busy) || !near(idle, want.idle) || p.Invocation(r, 0) != want.call {
			t.Errorf("%s: busy %g idle %g per hour, want %+v", name, busy, idle, want)
		}
		if idle > busy {
			t.Errorf("%s: idling costs more than serving", name)
		}
	}
}

// Where CPU is sold with memory, more CPU is never free.
func TestCoupledPrice(t *testing.T) {
	p, err := function.LookupPrice("aws-lambda")
	if err != nil {
		t.Fatal(err)
	}
	small := function.Resources{CPU: 100, Memory: 128 * function.MiB}
	fast := function.Resources{CPU: 4000, Memory: 128 * function.MiB}
	if got, want := p.Busy(fast, time.Second), 0.0000166667*4*1769/1024; !near(got, want) {
		t.Errorf("4 vCPU with little memory cost %g a second, want %g", got, want)
	}
	if p.Busy(fast, time.Second) <= p.Busy(small, time.Second) || p.Idle(fast, time.Second) <= p.Idle(small, time.Second) {
		t.Error("40 times the CPU costs nothing")
	}
}

func TestLookupPrice(t *testing.T) {
	_, err := function.LookupPrice("ibm")
	if err == nil || !strings.Contains(err.Error(), "aws-lambda, azure, cloud-run, paper") {
		t.Errorf("error %v does not list the names", err)
	}
	if !slices.IsSortedFunc(function.Presets(), func(a, b function.Price) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("presets are not in order of name")
	}
}
