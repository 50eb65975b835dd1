package profile

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/workflow"
	"gonum.org/v1/gonum/floats"
)

// Model is a profile that can be sampled. It is read-only and safe for
// concurrent use.
type Model struct {
	Name      string
	QoS       workflow.QoS
	Graph     *workflow.Graph
	Functions []*Table // in order of the file
	// Inputs are what runs may get. All stages of a run have the same, so those
	// that it makes slow are slow together. May be empty.
	Inputs []Input
}

// InputAt returns the input of a run by a uniform number in [0, 1): an index into
// Inputs, or -1 where there are none.
func (m *Model) InputAt(u float64) int {
	for i, share := range m.Shares() {
		if u -= share; u < 0 {
			return i
		}
	}
	return len(m.Inputs) - 1
}

// Shares returns the share of runs that has each of Inputs.
func (m *Model) Shares() []float64 { return shares(m.Inputs) }

func shares(inputs []Input) []float64 {
	out := make([]float64, len(inputs))
	for i, in := range inputs {
		out[i] = in.Weight
	}
	if len(out) > 0 {
		floats.Scale(1/floats.Sum(out), out)
	}
	return out
}

// Table is the measured behaviour of one function.
type Table struct {
	Name      string
	Space     function.Space
	Floor     function.Bytes // less memory than this kills an invocation
	Peak      []function.Bytes
	ColdStart []float64 // seconds, ascending; of all that were measured

	logCPU, logMem []float64 // the grid's axes
	all            *grid
	of             []*grid     // by input, nil where it was not measured in every cell
	shares         []float64   // of the inputs
	starts         [][]float64 // ColdStart by CPU of the grid; nil where it was not measured at each
}

// New checks a profile and makes it a model.
func New(p *Profile) (*Model, error) {
	m := &Model{Name: p.Workflow.Name}
	if m.Name == "" {
		return nil, errors.New("reading a profile: the workflow has no name")
	}
	q := p.Workflow.QoS
	const shortest = 1e-6 // a nanosecond, the unit of durations
	if !(q.LatencyMillis >= shortest && q.LatencyMillis < 1e9) || !(q.Percentile > 0 && q.Percentile < 100) {
		return nil, fmt.Errorf("reading a profile: qos of %v ms at percentile %v: latencyMillis must be at least %v and below 1e9, and percentile between 0 and 100", q.LatencyMillis, q.Percentile, shortest)
	}
	m.QoS = workflow.QoS{Latency: time.Duration(q.LatencyMillis * float64(time.Millisecond)), Percentile: q.Percentile}
	for i, in := range p.Workflow.Inputs {
		if in.Name == "" || !(in.Weight > 0 && in.Weight < 1e9) {
			return nil, fmt.Errorf("reading a profile: input %d, %q, has weight %v: it needs a name and a positive weight", i, in.Name, in.Weight)
		}
	}
	m.Inputs = p.Workflow.Inputs
	g, err := p.Workflow.Graph.graph(m.Shares())
	if err != nil {
		return nil, err
	}
	m.Graph = g
	known := map[string]bool{}
	for i := range p.Functions {
		t, err := newTable(&p.Functions[i], m.Inputs)
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

func newTable(f *Function, inputs []Input) (*Table, error) {
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
	byInput := make([]map[key][]float64, len(inputs))
	for i := range byInput {
		byInput[i] = map[key][]float64{}
	}
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
		if c.Inputs != nil && len(c.Inputs) != len(c.ServiceMillis) {
			return nil, fmt.Errorf("grid cell %d (%s, %s) has %d service times and tells the inputs of %d", i, c.CPUMillis, c.MemoryBytes, len(c.ServiceMillis), len(c.Inputs))
		}
		logs := make([]float64, len(c.ServiceMillis))
		for j, v := range c.ServiceMillis {
			if !(v > 0 && v < 1e12) {
				return nil, fmt.Errorf("grid cell %d (%s, %s): service time %v ms", i, c.CPUMillis, c.MemoryBytes, v)
			}
			logs[j] = math.Log(v / 1000)
			if c.Inputs == nil {
				continue
			}
			in := c.Inputs[j]
			if in < 0 || in >= len(inputs) {
				return nil, fmt.Errorf("grid cell %d (%s, %s) has a sample of input %d: the workflow has %d inputs, counted from 0", i, c.CPUMillis, c.MemoryBytes, in, len(inputs))
			}
			byInput[in][k] = append(byInput[in][k], logs[j])
		}
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
		for _, m := range mems {
			if cells[key{c, m}] == nil {
				return nil, fmt.Errorf("its grid lacks the cell of %s CPU and %s memory: every CPU must be measured with every memory at or above the floor", c, m)
			}
		}
	}
	gridOf := func(cells map[key][]float64) *grid {
		return newGrid(len(cpus), len(mems), func(i, j int) []float64 { return cells[key{cpus[i], mems[j]}] })
	}
	t.all = gridOf(cells)
	t.shares = shares(inputs)
	for _, cells := range byInput {
		t.of = append(t.of, gridOf(cells))
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
	if err := t.setStarts(f, cpus); err != nil {
		return nil, err
	}
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
