package control_test

import (
	"testing"
	"time"

	"github.com/aquatope/aquatope/control"
	"github.com/aquatope/aquatope/function"
)

func TestDemand(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	obs := func(at, wait, execution int, cpu function.MilliCPU) function.Observation {
		return function.Observation{
			Time: start.Add(ms(at)), Queue: ms(wait), Execution: ms(execution), Resources: function.Resources{CPU: cpu},
		}
	}
	for name, c := range map[string]struct {
		want float64
		obs  []function.Observation
	}{
		"nothing":                   {0, nil},
		"one after the other":       {2, []function.Observation{obs(0, 0, 10, 500), obs(10, 0, 10, 2000)}},
		"at once":                   {3, []function.Observation{obs(0, 0, 10, 500), obs(5, 0, 10, 2000)}},
		"at once but for the queue": {2, []function.Observation{obs(0, 0, 10, 500), obs(5, 5, 10, 2000)}},
	} {
		if got := control.Demand(c.obs); got != c.want {
			t.Errorf("%s: %v CPUs, want %v", name, got, c.want)
		}
	}
}

func TestCrowded(t *testing.T) {
	for name, c := range map[string]struct {
		demand, others, cpus float64
		want                 bool
	}{
		"a quiet machine":                    {2, 0.1, 2, false},
		"no room left":                       {2, 0.5, 2, true},
		"room for both":                      {1, 0.5, 2, false},
		"little room beside a busy one":      {1, 1.2, 2, true},
		"a large machine, busy elsewhere":    {4, 20, 64, false},
		"more than the machine, alone":       {8, 0.1, 2, false},
		"more than the machine, not alone":   {8, 0.5, 2, true},
		"a run that invoked nothing, a hog":  {0, 1.5, 2, true},
		"a run that invoked nothing, silent": {0, 0, 2, false},
	} {
		if got := control.Crowded(c.demand, c.others, c.cpus); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
