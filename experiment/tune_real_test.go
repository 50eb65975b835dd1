package experiment_test

import (
	"context"
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/aquatope/aquatope/experiment"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/profile"
)

// measuredCells reads the execution times over CPU of a function measured on
// Google's platform, whose quota is granted in slices: time falls in steps, and
// its distribution is one of few values. Quantiles stand for the 5,000 runs.
func measuredCells(t *testing.T, scale float64) []profile.Cell {
	t.Helper()
	root := os.Getenv("AQUATOPE_TRACES")
	if root == "" {
		root = "../../shared/traces"
	}
	f, err := os.Open(filepath.Join(root, "profiles-latency-vs-resources", "ubc_gcp_exec_ms_vs_vcpu.csv"))
	if err != nil {
		t.Skipf("no measured profile: set AQUATOPE_TRACES (%v)", err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	// columns 4 to 14 are quantiles at these levels
	levels := []float64{0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1}
	number := func(s string) float64 {
		v, err := strconv.ParseFloat(s, 64)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	var cells []profile.Cell
	for _, row := range rows[1:] {
		c := profile.Cell{CPUMillis: function.MilliCPU(math.Round(1000 * number(row[0]))), MemoryBytes: 256 * function.MiB}
		if c.CPUMillis < 100 || c.CPUMillis%20 != 0 {
			continue
		}
		for i := range 200 {
			u := (float64(i) + 0.5) / 200
			k := 0
			for levels[k+1] < u {
				k++
			}
			a, b := number(row[4+k]), number(row[5+k])
			c.ServiceMillis = append(c.ServiceMillis, scale*(a+(b-a)*(u-levels[k])/(levels[k+1]-levels[k])))
		}
		cells = append(cells, c)
	}
	return cells
}

// On a chain of three functions of measured shape, and sizes 1, 3 and 8, the
// structured strategy keeps the promise almost always and costs little more than
// the oracle after 25 runs.
func TestTuneOnMeasuredShape(t *testing.T) {
	p := &profile.Profile{Workflow: profile.Workflow{Name: "measured", QoS: profile.QoS{LatencyMillis: 900, Percentile: 95}}}
	for i, scale := range []float64{1, 3, 8} {
		name := fmt.Sprintf("f%d", i)
		p.Workflow.Graph.Series = append(p.Workflow.Graph.Series, profile.Node{Stage: name})
		p.Functions = append(p.Functions, profile.Function{Name: name, Grid: measuredCells(t, scale), Space: &profile.Space{
			CPUMillis:   function.Range{Min: 100, Max: 1000, Step: 20},
			MemoryBytes: function.Fixed(int64(256 * function.MiB)),
		}})
	}
	m, err := profile.New(p)
	if err != nil {
		t.Fatal(err)
	}
	price, err := function.LookupPrice("paper")
	if err != nil {
		t.Fatal(err)
	}
	ex, err := experiment.Tune(context.Background(), experiment.TuneOptions{
		Profiles: []*profile.Model{m}, Strategies: []string{"structured"}, Seeds: 4, Budget: 25, Price: price,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range ex.Summaries() {
		t.Logf("after %d runs: %.3f of the oracle's cost (worst %.3f), %.0f %% keep the promise, worst excess %.1f %%", s.Samples, s.CostOverOracle.Mean, s.WorstCost, 100*s.Kept, 100*s.WorstExcess)
		if s.Samples == 25 && (s.CostOverOracle.Mean > 1.2 || s.WorstExcess > 0.1) {
			t.Errorf("cost %.3f of the oracle's, worst excess %.1f %%", s.CostOverOracle.Mean, 100*s.WorstExcess)
		}
	}
}
