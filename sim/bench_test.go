package sim_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/pool"
	"github.com/aquatope/aquatope/pool/baseline"
	"github.com/aquatope/aquatope/sim"
	"github.com/aquatope/aquatope/trace"
)

// generated returns a small trace: a few functions a minute, many now and then.
func generated(functions, minutes int) *trace.Trace {
	r := rand.New(rand.NewPCG(1, 1))
	t := &trace.Trace{Minutes: minutes, Covered: trace.Span{To: minutes}}
	for range functions {
		f := trace.Function{Duration: trace.Percentiles{Mean: 200, Levels: []float64{0, 0.5, 1}, Values: []float64{20, 150, 2000}}}
		rate := 40 * r.Float64() * r.Float64()
		for m := range minutes {
			if n := int(rate*r.ExpFloat64() + 0.5); n > 0 {
				f.Counts.Append(m, n)
			}
		}
		t.Functions = append(t.Functions, f)
	}
	return t
}

func functionsOf(t *trace.Trace, concurrency int) []pool.Function {
	fns := make([]pool.Function, len(t.Functions))
	for i := range fns {
		fns[i] = pool.Function{Memory: 256 * function.MiB, ColdStart: time.Second, Concurrency: concurrency}
	}
	return fns
}

// BenchmarkKeepAlive reports invocations per second, arrivals included.
func BenchmarkKeepAlive(b *testing.B) {
	t := generated(500, 240)
	n := t.Invocations(t.Covered)
	b.ReportAllocs()
	for b.Loop() {
		s := sim.New(functionsOf(t, 1), baseline.KeepAlive{Timeout: 10 * time.Minute}, sim.Config{Window: time.Minute, Until: 4 * time.Hour})
		a := sim.NewArrivals(t, t.Covered, sim.Measured, 1)
		for {
			batch, _, ok := a.Next()
			if !ok {
				break
			}
			s.Feed(batch)
		}
		s.Finish()
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "invocations/s")
}
