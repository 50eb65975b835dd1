package server

import (
	"errors"
	"testing"

	"github.com/aquatope/aquatope/function"
)

// What is tried again, and what is believed at once.
func TestChances(t *testing.T) {
	t.Parallel()
	failed := func(o function.Outcome, peak, limit function.Bytes) *function.Observation {
		return &function.Observation{Outcome: o, PeakMem: peak, Resources: function.Resources{Memory: limit}}
	}
	for _, c := range []struct {
		name  string
		tries []*function.Observation // nil for one that works
		made  int
		fails bool
	}{
		{"works", []*function.Observation{nil}, 1, false},
		{"killed at its limit", []*function.Observation{failed(function.OutcomeOOM, 64, 64), nil}, 1, true},
		{"killed, peak unknown", []*function.Observation{failed(function.OutcomeOOM, 0, 64), nil}, 1, true},
		{"killed by the machine", []*function.Observation{failed(function.OutcomeOOM, 20, 64), nil}, 2, false},
		{"killed twice far below its limit", []*function.Observation{failed(function.OutcomeOOM, 20, 64), failed(function.OutcomeOOM, 20, 64)}, 2, true},
		{"timed out once", []*function.Observation{failed(function.OutcomeTimeout, 20, 64), nil}, 2, false},
		{"timed out twice", []*function.Observation{failed(function.OutcomeTimeout, 20, 64), failed(function.OutcomeTimeout, 20, 64)}, 2, true},
	} {
		made := 0
		got, err := withChances(func() (*function.Observation, error) {
			made++
			return c.tries[made-1], nil
		})
		if err != nil || made != c.made || (got != nil) != c.fails {
			t.Errorf("%s: %d tries, failed with %v, error %v; want %d tries, failed %v", c.name, made, got, err, c.made, c.fails)
		}
	}
	broken := errors.New("no more")
	if _, err := withChances(func() (*function.Observation, error) { return nil, broken }); !errors.Is(err, broken) {
		t.Errorf("error %v, want that of the try", err)
	}
}

// A failure takes out of the grid what cannot work, and no more.
func TestNarrow(t *testing.T) {
	t.Parallel()
	at := function.Resources{CPU: 200, Memory: 64}
	for _, c := range []struct {
		outcome        function.Outcome
		cpus, memories int
		err            bool
	}{
		{function.OutcomeOOM, 3, 1, false},
		{function.OutcomeTimeout, 1, 3, false},
		{function.OutcomeError, 3, 3, true},
	} {
		f := profiled{cpus: []int64{100, 200, 400}, memories: []int64{32, 64, 128}}
		err := f.narrow(at, &function.Observation{Outcome: c.outcome})
		if (err != nil) != c.err || len(f.cpus) != c.cpus || len(f.memories) != c.memories {
			t.Errorf("%s: %v and %v left, error %v", c.outcome, f.cpus, f.memories, err)
		}
	}
	f := profiled{cpus: []int64{100}, memories: []int64{32, 64}}
	if err := f.narrow(at, &function.Observation{Outcome: function.OutcomeOOM}); err == nil {
		t.Error("a function without memory that works is no error")
	}
}
