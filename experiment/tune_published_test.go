package experiment_test

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/profile"
	"github.com/aquatope/aquatope/stats"
	"gonum.org/v1/gonum/stat/distuv"
)

// sized are service times, in seconds, with one share of a CPU.
type sized struct {
	cpu     function.MilliCPU
	seconds []float64
}

const quantiles = 200 // that stand for a distribution

// publishedRows reads a table of the published profiles.
func publishedRows(t *testing.T, name string) []map[string]string {
	t.Helper()
	root := os.Getenv("AQUATOPE_TRACES")
	if root == "" {
		root = "../../shared/traces"
	}
	f, err := os.Open(filepath.Join(root, "profiles-latency-vs-resources", name))
	if err != nil {
		t.Skipf("no measured profile: set AQUATOPE_TRACES (%v)", err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out []map[string]string
	for _, r := range rows[1:] {
		m := map[string]string{}
		for i, name := range rows[0] {
			m[name] = r[i]
		}
		out = append(out, m)
	}
	return out
}

func number(t *testing.T, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// jolteonStage is a stage of the workflows that Jolteon (NSDI '24) was measured
// on, cold epochs left out: the phases of one invocation added up, and lognormal
// noise as wide as the 95th percentile over parallel invocations says, or where
// there is but one, as the epochs differ.
func jolteonStage(t *testing.T, rows []map[string]string, workflow, stage, invocations string) []sized {
	t.Helper()
	type sums struct{ mean, tail float64 }
	cells := map[float64]map[string]sums{}
	for _, r := range rows {
		if r["workflow"] != workflow || r["stage"] != stage || r["num_functions"] != invocations || r["epoch"] == "0" || r["phase"] == "cold" {
			continue
		}
		cpu := number(t, r["vcpu"])
		if cells[cpu] == nil {
			cells[cpu] = map[string]sums{}
		}
		s := cells[cpu][r["epoch"]]
		s.mean += number(t, r["time_avg_s"])
		s.tail += number(t, r["time_p95_s"])
		cells[cpu][r["epoch"]] = s
	}
	between, pairs := 0.0, 0.0
	for _, c := range cells {
		if d := math.Log(c["1"].mean / c["2"].mean); len(c) == 2 {
			between, pairs = between+d*d/2, pairs+1
		}
	}
	between = math.Min(math.Sqrt(between/pairs), 0.3)
	var out []sized
	for cpu, c := range cells {
		var all sums
		for _, s := range c {
			all.mean += s.mean / float64(len(c))
			all.tail += s.tail / float64(len(c))
		}
		sd := math.Max(math.Max(math.Log(all.tail/all.mean)/1.645, between), 0.01)
		s := sized{cpu: function.MilliCPU(math.Round(1000 * cpu))}
		for i := range quantiles {
			z := distuv.UnitNormal.Quantile((float64(i) + 0.5) / quantiles)
			s.seconds = append(s.seconds, all.mean*math.Exp(sd*z-sd*sd/2))
		}
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b sized) int { return cmp.Compare(a.cpu, b.cpu) })
	return out
}

// throttled is a short function measured 5,000 times at each of many sizes on
// Lambda or Google's platform (EuroSys '26), which grant CPU in slices: its time
// falls in steps and takes few values.
func throttled(t *testing.T, lambda bool, scale float64) []sized {
	t.Helper()
	file, column, cores, apart := "ubc_gcp_exec_ms_vs_vcpu.csv", "vcpu", 1.0, function.MilliCPU(10)
	if lambda {
		file, column, cores, apart = "ubc_aws_exec_ms_vs_memory_mb.csv", "memory_mb", 1.0/1769, 20
	}
	levels := []float64{0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1}
	var out []sized
	for _, r := range publishedRows(t, file) {
		s := sized{cpu: function.MilliCPU(math.Round(1000 * cores * number(t, r[column])))}
		if s.cpu < 100 || s.cpu > 1000 || len(out) > 0 && s.cpu < out[len(out)-1].cpu+apart {
			continue
		}
		var q []float64
		for _, l := range levels {
			q = append(q, number(t, r[fmt.Sprintf("p%g_ms", 100*l)]))
		}
		k := 0
		for i := range quantiles {
			u := (float64(i) + 0.5) / quantiles
			for levels[k+1] < u {
				k++
			}
			s.seconds = append(s.seconds, scale/1000*(q[k]+(q[k+1]-q[k])*(u-levels[k])/(levels[k+1]-levels[k])))
		}
		out = append(out, s)
	}
	return out
}

// published is a workflow whose stages, called s0, s1, ..., were measured by
// others. Memory beyond a floor makes no difference.
type published struct {
	name       string
	graph      profile.Node
	stages     [][]sized
	floor, top function.Bytes // in MiB
	slack      float64        // of the promise, over the latency with all resources
}

func (p published) model(t *testing.T) *profile.Model {
	t.Helper()
	out := &profile.Profile{}
	out.Workflow.Name, out.Workflow.Graph = p.name, p.graph
	out.Workflow.QoS = profile.QoS{LatencyMillis: 1, Percentile: 95}
	for i, stage := range p.stages {
		floor := p.floor * function.MiB
		f := profile.Function{
			Name: fmt.Sprintf("s%d", i), MemoryFloorBytes: floor, PeakMemoryBytes: []function.Bytes{floor * 9 / 10},
			Space: &profile.Space{
				CPUMillis:   function.Range{Min: (int64(stage[0].cpu) + 49) / 50 * 50, Max: int64(stage[len(stage)-1].cpu) / 50 * 50, Step: 50},
				MemoryBytes: function.Range{Min: int64(128 * function.MiB), Max: int64(p.top * function.MiB), Step: int64(64 * function.MiB)},
			},
		}
		for _, s := range stage {
			var ms []float64
			for _, sec := range s.seconds {
				ms = append(ms, 1000*sec)
			}
			for _, m := range []function.Bytes{floor, p.top * function.MiB} {
				f.Grid = append(f.Grid, profile.Cell{CPUMillis: s.cpu, MemoryBytes: m, ServiceMillis: ms})
			}
		}
		out.Functions = append(out.Functions, f)
	}
	m, err := profile.New(out)
	if err != nil {
		t.Fatal(err)
	}
	l, err := m.Sample(20000, stats.Stream(1, p.name))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(l)
	out.Workflow.QoS.LatencyMillis = math.Round(1e5*p.slack*l[len(l)*95/100]) / 100
	if m, err = profile.New(out); err != nil {
		t.Fatal(err)
	}
	return m
}
