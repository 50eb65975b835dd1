package experiment_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/aquatope/aquatope/experiment"
	"github.com/aquatope/aquatope/trace"
)

// TestInterrupted: who stops an experiment gets what was through by then, told to
// be incomplete, and the error; and nothing if there is nothing.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	noted := func(notes []string) bool {
		return strings.HasPrefix(notes[len(notes)-1], "Interrupted: these are 1 of ")
	}
	t.Run("simulate", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(context.Background())
		c := experiment.SimulateConfig{
			Synthetic: trace.Generator{Functions: 10, Days: 1}, Seed: 1,
			Policies: []experiment.PolicyChoice{choice(t, "keepalive"), choice(t, "hist")},
			Progress: func(done, total int, _ string) {
				if done > total/2+100 {
					cancel()
				}
			},
		}
		r, err := experiment.Simulate(ctx, c)
		if !errors.Is(err, context.Canceled) || r == nil || len(r.Results) != 1 || !noted(r.Notes) {
			t.Errorf("stopped in the second policy: %v, %+v", err, r)
		}
		if r, err := experiment.Simulate(ctx, c); !errors.Is(err, context.Canceled) || r != nil {
			t.Errorf("stopped before the first was through: %v, %+v", err, r)
		}
	})
	t.Run("workflows", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(context.Background())
		c := chainOnNodes(t)
		c.Policies = append(c.Policies, choice(t, "hist"))
		c.Progress = func(done, total int, _ string) {
			if done > total/2+100 {
				cancel()
			}
		}
		r, err := experiment.SimulateWorkflows(ctx, c)
		if !errors.Is(err, context.Canceled) || r == nil || len(r.Results) != 1 || !noted(r.Notes) {
			t.Errorf("stopped in the second policy: %v, %+v", err, r)
		}
	})
	t.Run("pool", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(context.Background())
		first := ""
		c := experiment.PoolConfig{Trace: poolTrace(), Policies: []string{"hist", "keepalive"}, Workers: 1, Progress: func(_, _ int64, note string) {
			if first == "" {
				first = note
			}
			if note != first {
				cancel()
			}
		}}
		r, err := experiment.Pool(ctx, c)
		if !errors.Is(err, context.Canceled) || r == nil || !noted(r.Notes) {
			t.Fatalf("stopped in the second policy: %v, %+v", err, r)
		}
		for _, x := range r.Results {
			if x.Policy != r.Results[0].Policy || x.Invocations == 0 {
				t.Errorf("a result of a policy that was not through: %+v", x)
			}
		}
	})
	t.Run("tune", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(context.Background())
		o := tuneOptions(t)
		o.Strategies, o.Seeds, o.Budget = []string{"random"}, 20, 10
		o.Progress = func(int, int, string) { cancel() }
		ex, err := experiment.Tune(ctx, o)
		if !errors.Is(err, context.Canceled) || ex == nil || len(ex.Results) == 0 || len(ex.Results) >= 40 || ex.Results[0].Strategy != "random" {
			t.Fatalf("stopped after the first search: %v, %+v", err, ex)
		}
		if len(ex.Summaries()) == 0 {
			t.Error("no summary of what there is")
		}
	})
	t.Run("endtoend", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(context.Background())
		o := endToEndOptions(t, "autoscale+parrotfish", "aquatope", "aquatope-strict", "oracle")
		o.Progress = func(int, int, string) { cancel() }
		ex, err := experiment.EndToEnd(ctx, o)
		if !errors.Is(err, context.Canceled) || ex == nil || len(ex.Results) == 0 || len(ex.Results) == 4 || ex.Results[0].Runs == 0 {
			t.Fatalf("stopped after the first system: %v, %+v", err, ex)
		}
		if len(ex.Summary) > 0 || !strings.HasPrefix(ex.Notes[len(ex.Notes)-1], "Interrupted: ") {
			t.Errorf("a summary of a part: %v, notes %v", ex.Summary, ex.Notes)
		}
	})
}
