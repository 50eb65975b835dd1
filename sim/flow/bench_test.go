package flow_test

import (
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/pool/baseline"
	"github.com/aquatope/aquatope/profile"
	"github.com/aquatope/aquatope/profile/synthetic"
	"github.com/aquatope/aquatope/sim/fleet"
	"github.com/aquatope/aquatope/sim/flow"
)

// model returns a generated profile with cold starts.
func model(tb testing.TB, shape synthetic.Shape, seed uint64) *profile.Model {
	tb.Helper()
	p, err := synthetic.Generate(synthetic.Options{Family: synthetic.Mixed, Shape: shape, Functions: 5, Seed: seed})
	if err != nil {
		tb.Fatal(err)
	}
	for i := range p.Functions {
		p.Functions[i].ColdStartMillis = []float64{300, 400, 500, 700}
	}
	m, err := profile.New(p)
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// arrivals returns a Poisson process over all workflows together.
func arrivals(r *rand.Rand, workflows int, rate float64, until time.Duration) []flow.Arrival {
	var out []flow.Arrival
	for at := r.ExpFloat64() / rate; at < until.Seconds(); at += r.ExpFloat64() / rate {
		out = append(out, flow.Arrival{At: time.Duration(at * 1e9), Workflow: r.IntN(workflows)})
	}
	return out
}

func workflows(tb testing.TB, n int) []flow.Workflow {
	var out []flow.Workflow
	shapes := synthetic.Shapes()
	for i := range n {
		out = append(out, flow.FromModel(model(tb, shapes[i%len(shapes)], uint64(i)), nil))
	}
	return out
}

// spent is the CPU time of this process, which other processes do not change.
func spent() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkCluster reports stage executions per second, and per second of CPU
// time where the machine is busy: 200 workflows, nodes with interference.
func BenchmarkCluster(b *testing.B) {
	ws := workflows(b, 200)
	as := arrivals(rand.New(rand.NewPCG(1, 1)), len(ws), 20, time.Hour)
	nodes := slices.Repeat([]fleet.Node{{CPU: 64_000, Memory: 256 * function.GiB}}, 100)
	var stages int64
	before := spent()
	b.ReportAllocs()
	for b.Loop() {
		s := flow.New(ws, baseline.KeepAlive{Timeout: 10 * time.Minute}, flow.Config{
			Window: time.Minute, Until: time.Hour, Nodes: nodes, Interference: 0.2, Seed: 1,
		})
		s.Feed(as)
		stages += s.Finish().StageExecutions
	}
	b.ReportMetric(float64(stages)/b.Elapsed().Seconds(), "stages/s")
	b.ReportMetric(float64(stages)/(spent()-before).Seconds(), "stages/CPU-s")
}
