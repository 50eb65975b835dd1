package flow_test

import (
	"math"
	"testing"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/pool"
	"github.com/aquatope/aquatope/pool/baseline"
	"github.com/aquatope/aquatope/profile"
	"github.com/aquatope/aquatope/sim/flow"
)

// A photo takes 0.1 s at each of two stages and a film 1 s, and only a film is cut,
// which takes 1 s for each of two or three chunks: no run mixes them.
func TestARunHasOneInput(t *testing.T) {
	t.Parallel()
	m, err := profile.New(&profile.Profile{
		Workflow: profile.Workflow{
			Name: "two", QoS: profile.QoS{LatencyMillis: 800, Percentile: 95},
			Graph: profile.Node{Series: []profile.Node{
				{Stage: "first", Function: "f"},
				{Parallel: []profile.Node{{Stage: "second", Function: "f"}, {DelayMillis: 1}}},
				{Choice: []profile.Way{
					{Probability: profile.Rates{1, 0}, Do: profile.Node{Series: []profile.Node{}}},
					{Probability: profile.Rates{0, 1}, Do: profile.Node{Loop: &profile.Loop{Count: profile.Rates{0, 2.5}, Do: profile.Node{Stage: "cut", Function: "f"}}}},
				}},
			}},
			Inputs: []profile.Input{{Name: "photo", Weight: 3}, {Name: "film", Weight: 1}},
		},
		Functions: []profile.Function{{Name: "f", Grid: []profile.Cell{{
			CPUMillis: 1000, MemoryBytes: 128 * function.MiB, ServiceMillis: []float64{100, 1000}, Inputs: []int{0, 1},
		}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	const runs = 4000
	films := 0
	s := flow.New([]flow.Workflow{flow.FromModel(m, nil)}, baseline.KeepAlive{Timeout: pool.Forever}, flow.Config{
		Window: time.Hour, Until: runs * time.Minute, Seed: 3,
		OnRun: func(r flow.Run) {
			switch l := r.Latency.Seconds(); {
			case math.Abs(l-4) < 1e-6 || math.Abs(l-5) < 1e-6:
				films++
			case math.Abs(l-0.2) > 1e-6:
				t.Errorf("a run took %v s", l)
			}
		},
	})
	for i := range runs {
		s.Feed([]flow.Arrival{{At: time.Duration(i) * time.Minute}})
	}
	s.Finish()
	// 1,000 are expected, with a standard deviation of 27.
	if films < 850 || films > 1150 {
		t.Errorf("%d of %d runs had a film, want about 1,000", films, runs)
	}
}
