package flow_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/aquatope/aquatope/pool"
	"github.com/aquatope/aquatope/pool/baseline"
	"github.com/aquatope/aquatope/profile/synthetic"
	"github.com/aquatope/aquatope/sim/flow"
	"github.com/aquatope/aquatope/stats"
)

// TestIdleLatencyIsComposed compares a system in which every run finds all
// functions warm with what the graph makes of the profile.
func TestIdleLatencyIsComposed(t *testing.T) {
	t.Parallel()
	for _, shape := range append(synthetic.Shapes(), synthetic.Random) {
		t.Run(string(shape), func(t *testing.T) {
			t.Parallel()
			m := model(t, shape, 7)
			w := flow.FromModel(m, nil)
			for i := range w.Functions {
				w.Functions[i].ColdStart = nil
			}
			const runs = 20_000
			var got []float64
			s := flow.New([]flow.Workflow{w}, baseline.KeepAlive{Timeout: pool.Forever}, flow.Config{
				Window: time.Hour, Until: runs * time.Hour, Seed: 3, OnRun: func(r flow.Run) { got = append(got, r.Latency.Seconds()) },
			})
			for i := range runs {
				s.Feed([]flow.Arrival{{At: time.Duration(i) * time.Hour}})
			}
			r := s.Finish()
			if r.Workflows[0].Runs != runs || len(got) != runs {
				t.Fatalf("%d runs ended and %d were told of, want %d", r.Workflows[0].Runs, len(got), runs)
			}
			want, err := m.Sample(runs, rand.New(rand.NewPCG(1, 2)))
			if err != nil {
				t.Fatal(err)
			}
			slices.Sort(got)
			slices.Sort(want)
			// Two samples of one distribution differ by more than this in one of a
			// million cases (Kolmogorov and Smirnov).
			if d := distance(got, want); d > 2.7*math.Sqrt(2.0/runs) {
				t.Errorf("distributions differ by %.4f; medians %.4f and %.4f s", d, stats.Quantile(0.5, got), stats.Quantile(0.5, want))
			}
		})
	}
}

// distance is the largest difference of the empirical distribution functions of
// two ascending samples.
func distance(a, b []float64) float64 {
	d, i, j := 0.0, 0, 0
	for i < len(a) && j < len(b) {
		x := min(a[i], b[j])
		for i < len(a) && a[i] <= x {
			i++
		}
		for j < len(b) && b[j] <= x {
			j++
		}
		d = max(d, math.Abs(float64(i)/float64(len(a))-float64(j)/float64(len(b))))
	}
	return d
}
