package local_test

import (
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/platform"
	"github.com/aquatope/aquatope/platform/local"
	"github.com/aquatope/aquatope/platform/platformtest"
)

// TestMeasure prints how closely execution time follows the CPU quota: the
// time that 20 ms and 100 ms of work take at a share of a CPU, times that
// share, over the work, and over the time that it takes at a whole CPU. One
// means that the quota is exact. The work is CPU time, so that neighbours
// lengthen the time at a whole CPU first, and the second ratio says less the
// busier the machine is. It measures and fails only if nothing can be measured, for
// other load on the machine changes the figures.
//
//	AQUATOPE_MEASURE=1 go test -count=1 -run TestMeasure -v ./platform/local
func TestMeasure(t *testing.T) {
	if os.Getenv("AQUATOPE_MEASURE") == "" {
		t.Skip("AQUATOPE_MEASURE is not set")
	}
	p, _ := world(t, local.Config{Capacity: function.Resources{CPU: 8000, Memory: function.GiB}})
	fn := function.Function{Name: "f", Command: []string{platformtest.Build(t)}, Concurrency: 1}
	shares := []function.MilliCPU{1000, 500, 250}
	revs := make([]function.Revision, len(shares))
	for i, c := range shares {
		revs[i] = function.NewRevision(fn, function.Resources{CPU: c, Memory: 64 * function.MiB})
		if err := p.Deploy(t.Context(), revs[i]); err != nil {
			t.Fatal(err)
		}
	}
	for _, ms := range []int{20, 100} {
		times := make([][]float64, len(shares))
		const warmUp, rounds = 3, 21
		for round := range warmUp + rounds {
			for i, rev := range revs { // in turn, so that all feel the same neighbours
				resp, err := p.Invoke(t.Context(), platform.Request{Revision: rev.Name, Body: fmt.Appendf(nil, `{"burnMs":%d}`, ms)})
				if err != nil {
					t.Fatal(err)
				}
				if round >= warmUp {
					times[i] = append(times[i], resp.Observation.Execution.Seconds()*1000)
				}
			}
		}
		for i := range times {
			slices.Sort(times[i])
		}
		whole := times[0][rounds/2]
		for i, c := range shares {
			at := func(q int) float64 { return times[i][rounds*q/100] }
			t.Logf("%3d ms of work at %5s CPU: %6.1f ms (p10 %.1f, p90 %.1f); time x share / work = %.2f, / time at 1 CPU = %.2f",
				ms, c, at(50), at(10), at(90), at(50)*c.Cores()/float64(ms), at(50)*c.Cores()/whole)
		}
	}
}
