package profile

import (
	"fmt"
	"math"
	"slices"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/stats"
)

// setStarts sorts the cold starts by CPU. Memory has not been seen to matter.
func (t *Table) setStarts(f *Function, cpus []function.MilliCPU) error {
	for _, ms := range f.AllColdStartMillis() {
		if !(ms >= 0 && ms < 1e9) {
			return fmt.Errorf("cold start of %v ms", ms)
		}
		t.ColdStart = append(t.ColdStart, ms/1000)
	}
	slices.Sort(t.ColdStart)
	rows := make([][]float64, len(cpus))
	for _, c := range f.Grid {
		if i := slices.Index(cpus, c.CPUMillis); i >= 0 {
			for _, ms := range c.ColdStartMillis {
				rows[i] = append(rows[i], ms/1000)
			}
		}
	}
	for _, row := range rows {
		if len(row) == 0 {
			return nil
		}
		slices.Sort(row)
	}
	t.starts = rows
	return nil
}

// ColdStarts returns equally likely times in seconds, ascending, that an instance
// with resources r takes to be ready. Between the CPUs of the grid the logarithms
// of quantiles are interpolated over the logarithm of CPU, as those of service
// times are. Where it is not known which start had which CPU it is all of them.
func (t *Table) ColdStarts(r function.Resources) []float64 {
	if t.starts == nil {
		return t.ColdStart
	}
	i, a := locate(t.logCPU, math.Log(r.CPU.Cores()))
	if a == 0 {
		return t.starts[i]
	}
	const shortest = 1e-6 // whose logarithm is finite
	low, high := t.starts[i], t.starts[i+1]
	out := make([]float64, max(len(low), len(high)))
	for k := range out {
		u := (float64(k) + 0.5) / float64(len(out))
		x, y := math.Max(shortest, stats.Quantile(u, low)), math.Max(shortest, stats.Quantile(u, high))
		out[k] = math.Exp((1-a)*math.Log(x) + a*math.Log(y))
	}
	return out
}

// WithColdStarts returns a copy that starts in one of these times, equally likely
// and in seconds, whatever its resources.
func (t *Table) WithColdStarts(seconds []float64) *Table {
	out := *t
	out.ColdStart, out.starts = slices.Sorted(slices.Values(seconds)), nil
	return &out
}
