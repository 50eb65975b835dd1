package profile

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/stats"
	"github.com/aquatope/aquatope/workflow"
)

// Model is a profile that can be sampled. It is read-only and safe for
// concurrent use.
type Model struct {
	Name      string
	QoS       workflow.QoS
	Graph     *workflow.Graph
	Functions []*Table // in order of the file
}

// Table is the measured behaviour of one function.
type Table struct {
	Name      string
	Space     function.Space
	Floor     function.Bytes // less memory than this kills an invocation
	Peak      []function.Bytes
	ColdStart []float64 // seconds, ascending

	logCPU, logMem []float64     // the grid's axes
	cells          [][][]float64 // by CPU and memory: logarithms of seconds, ascending
	middles        [][][]float64 // of each cell: meanPoints evenly spaced quantiles
}

// New checks a profile and makes it a model.
func New(p *Profile) (*Model, error) {
	g, err := p.Workflow.Graph.graph()
	if err != nil {
		return nil, err
	}
	m := &Model{Name: p.Workflow.Name, Graph: g}
	if m.Name == "" {
		return nil, errors.New("reading a profile: the workflow has no name")
	}
	q := p.Workflow.QoS
	if !(q.LatencyMillis > 0 && q.LatencyMillis < 1e9) || !(q.Percentile > 0 && q.Percentile < 100) {
		return nil, fmt.Errorf("reading a profile: qos of %v ms at percentile %v: latencyMillis must be positive and percentile between 0 and 100", q.LatencyMillis, q.Percentile)
	}
	m.QoS = workflow.QoS{Latency: time.Duration(q.LatencyMillis * float64(time.Millisecond)), Percentile: q.Percentile}
	known := map[string]bool{}
	for i := range p.Functions {
		t, err := newTable(&p.Functions[i])
		if err != nil {
			return nil, fmt.Errorf("reading a profile: function %q: %w", p.Functions[i].Name, err)
		}
		if known[t.Name] {
			return nil, fmt.Errorf("reading a profile: function %q is there twice", t.Name)
		}
		known[t.Name] = true
		m.Functions = append(m.Functions, t)
	}
	for _, s := range g.Stages {
		if !known[s.Function] {
			return nil, fmt.Errorf("reading a profile: stage %q calls function %q, which has no measurements", s.Name, s.Function)
		}
	}
	if _, err := workflow.NewComposition(g); err != nil {
		return nil, fmt.Errorf("reading a profile: %w", err)
	}
	return m, nil
}

// Function returns the table of the function called name, nil without one.
func (m *Model) Function(name string) *Table {
	for _, t := range m.Functions {
		if t.Name == name {
			return t
		}
	}
	return nil
}

func newTable(f *Function) (*Table, error) {
	if f.Name == "" {
		return nil, errors.New("it has no name")
	}
	t := &Table{Name: f.Name, Floor: f.MemoryFloorBytes, Peak: f.PeakMemoryBytes}
	var cpus []function.MilliCPU
	var mems []function.Bytes
	type key struct {
		c function.MilliCPU
		m function.Bytes
	}
	cells := map[key][]float64{}
	for i, c := range f.Grid {
		if c.CPUMillis <= 0 || c.MemoryBytes <= 0 {
			return nil, fmt.Errorf("grid cell %d has %d millis of CPU and %d bytes", i, c.CPUMillis, c.MemoryBytes)
		}
		if c.MemoryBytes < f.MemoryFloorBytes {
			continue // measured while it was failing
		}
		k := key{c.CPUMillis, c.MemoryBytes}
		if len(c.ServiceMillis) == 0 || cells[k] != nil {
			return nil, fmt.Errorf("grid cell %d (%s, %s) has no samples or is there twice", i, c.CPUMillis, c.MemoryBytes)
		}
		logs := make([]float64, len(c.ServiceMillis))
		for j, v := range c.ServiceMillis {
			if !(v > 0 && v < 1e12) {
				return nil, fmt.Errorf("grid cell %d (%s, %s): service time %v ms", i, c.CPUMillis, c.MemoryBytes, v)
			}
			logs[j] = math.Log(v / 1000)
		}
		slices.Sort(logs)
		cells[k] = logs
		cpus, mems = append(cpus, c.CPUMillis), append(mems, c.MemoryBytes)
	}
	if len(cells) == 0 {
		return nil, errors.New("its grid is empty (at or above the memory floor)")
	}
	slices.Sort(cpus)
	slices.Sort(mems)
	cpus, mems = slices.Compact(cpus), slices.Compact(mems)
	for _, c := range cpus {
		t.logCPU = append(t.logCPU, math.Log(c.Cores()))
		row := make([][]float64, len(mems))
		for j, m := range mems {
			if row[j] = cells[key{c, m}]; row[j] == nil {
				return nil, fmt.Errorf("its grid lacks the cell of %s CPU and %s memory: every CPU must be measured with every memory at or above the floor", c, m)
			}
		}
		t.cells = append(t.cells, row)
		points := make([][]float64, len(row))
		for j := range row {
			for k := range meanPoints {
				points[j] = append(points[j], stats.Quantile((float64(k)+0.5)/meanPoints, row[j]))
			}
		}
		t.middles = append(t.middles, points)
	}
	for _, m := range mems {
		t.logMem = append(t.logMem, math.Log(m.GiB()))
	}
	if t.Floor == 0 {
		t.Floor = mems[0]
	}
	if err := t.setSpace(f, cpus, mems); err != nil {
		return nil, err
	}
	for _, ms := range f.ColdStartMillis {
		if !(ms >= 0 && ms < 1e9) {
			return nil, fmt.Errorf("cold start of %v ms", ms)
		}
		t.ColdStart = append(t.ColdStart, ms/1000)
	}
	slices.Sort(t.ColdStart)
	for _, b := range t.Peak {
		if b <= 0 {
			return nil, fmt.Errorf("peak memory of %d bytes", b)
		}
	}
	return t, nil
}

// setSpace takes the declared space or the hull of the grid.
func (t *Table) setSpace(f *Function, cpus []function.MilliCPU, mems []function.Bytes) error {
	loC, hiC := int64(cpus[0]), int64(cpus[len(cpus)-1])
	loM, hiM := int64(mems[0]), int64(mems[len(mems)-1])
	if f.Space == nil {
		hull := func(lo, hi, step int64) function.Range {
			if hi-lo < step {
				step = max(hi-lo, 1)
			}
			return function.Range{Min: lo, Max: lo + (hi-lo)/step*step, Step: step}
		}
		t.Space = function.Space{CPU: hull(loC, hiC, 100), Memory: hull(loM, hiM, int64(64*function.MiB))}
		return nil
	}
	t.Space = function.Space{CPU: f.Space.CPUMillis, Memory: f.Space.MemoryBytes}
	if err := t.Space.Validate(); err != nil {
		return err
	}
	if t.Space.CPU.Min < loC || t.Space.CPU.Max > hiC || t.Space.Memory.Max > hiM {
		return fmt.Errorf("its space reaches beyond what was measured (%d to %d millis of CPU, up to %d bytes): narrow it or measure more", loC, hiC, hiM)
	}
	if t.Space.Memory.Min < loM && t.Space.Memory.Min >= int64(t.Floor) {
		return fmt.Errorf("its space has memory of %d bytes, above the floor of %d but below what was measured", t.Space.Memory.Min, t.Floor)
	}
	if t.Space.Memory.Max < int64(t.Floor) {
		return fmt.Errorf("its space ends below the memory floor of %d bytes", t.Floor)
	}
	return nil
}

// Works reports whether the function survives with resources r.
func (t *Table) Works(r function.Resources) bool { return r.Memory >= t.Floor }

// Quantile returns the u-quantile, in seconds, of the service time with
// resources r: between the cells of the grid the logarithms of their quantiles
// are interpolated linearly over the logarithms of CPU and memory, so that the
// shape of the noise is interpolated with its size. Outside of the grid it is
// that of the nearest point in it.
func (t *Table) Quantile(r function.Resources, u float64) float64 {
	s := t.At(r)
	return s.Quantile(u)
}

// At returns the service times with resources r, for drawing many of them.
func (t *Table) At(r function.Resources) Times {
	i, a := locate(t.logCPU, math.Log(r.CPU.Cores()))
	j, b := locate(t.logMem, math.Log(r.Memory.GiB()))
	var s Times
	add := func(i, j int, w float64) {
		if w > 0 {
			s.cells[s.n], s.weights[s.n] = t.cells[i][j], w
			s.n++
		}
	}
	add(i, j, (1-a)*(1-b))
	if a > 0 {
		add(i+1, j, a*(1-b))
	}
	if b > 0 {
		add(i, j+1, (1-a)*b)
	}
	if a > 0 && b > 0 {
		add(i+1, j+1, a*b)
	}
	return s
}

// Times is the distribution of a function's service time with fixed resources.
type Times struct {
	cells   [4][]float64 // logarithms of seconds, ascending
	weights [4]float64
	n       int
}

// Quantile returns the u-quantile in seconds.
func (s *Times) Quantile(u float64) float64 {
	var sum float64
	for k := range s.n {
		sum += s.weights[k] * stats.Quantile(u, s.cells[k])
	}
	return math.Exp(sum)
}

// meanPoints is how many quantiles stand for a distribution in Mean.
const meanPoints = 128

// Mean returns the mean service time in seconds with resources r.
func (t *Table) Mean(r function.Resources) float64 {
	i, a := locate(t.logCPU, math.Log(r.CPU.Cores()))
	j, b := locate(t.logMem, math.Log(r.Memory.GiB()))
	i1, j1 := min(i+1, len(t.logCPU)-1), min(j+1, len(t.logMem)-1)
	p, q, r1, s := t.middles[i][j], t.middles[i1][j], t.middles[i][j1], t.middles[i1][j1]
	var sum float64
	for k := range meanPoints {
		sum += math.Exp((1-b)*((1-a)*p[k]+a*q[k]) + b*((1-a)*r1[k]+a*s[k]))
	}
	return sum / meanPoints
}

// locate returns the interval of the ascending axis that v falls into and the
// position in it, 0 to 1; values outside are moved to the nearest end.
func locate(axis []float64, v float64) (int, float64) {
	n := len(axis)
	switch {
	case v <= axis[0]:
		return 0, 0
	case v >= axis[n-1]:
		return n - 1, 0
	}
	i, _ := slices.BinarySearch(axis, v)
	if axis[i] == v {
		return i, 0
	}
	return i - 1, (v - axis[i-1]) / (axis[i] - axis[i-1])
}
