package server

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/aquatope/aquatope/control"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/profile"
	"github.com/aquatope/aquatope/workflow"
)

// document makes the file.
func (p *profiler) document(functions []*profiled, records []control.TrialRecord) (*profile.Profile, error) {
	w := p.plan.workflow.workflow
	inputs := p.plan.config.Inputs
	weights := make([]float64, len(inputs))
	for i, in := range inputs {
		weights[i] = in.Weight
	}
	g, err := workflow.NewGraphOf(w, control.BranchingByInput(w, records, len(inputs), func(r *control.TrialRecord) int {
		return slices.IndexFunc(inputs, func(in control.TrialInput) bool { return in.Name == r.Input })
	}), weights)
	if err != nil {
		return nil, err
	}
	out := &profile.Profile{
		APIVersion: profile.APIVersion, Kind: profile.Kind,
		Description: p.description(),
		Machine:     machine(),
		Workflow: profile.Workflow{
			Name: w.Name, Graph: profile.NodeOf(g),
			Inputs: p.inputs(), QoS: profile.QoS{LatencyMillis: p.plan.qos.Latency.Seconds() * 1000, Percentile: p.plan.qos.Percentile},
		},
	}
	for _, f := range functions {
		out.Functions = append(out.Functions, f.document(len(out.Workflow.Inputs) > 0))
	}
	if _, err := profile.New(out); err != nil {
		return nil, err
	}
	return out, nil
}

// inputs returns what runs were measured with, where there is more than one.
func (p *profiler) inputs() []profile.Input {
	if len(p.plan.config.Inputs) < 2 {
		return nil
	}
	var out []profile.Input
	for _, in := range p.plan.config.Inputs {
		name, _, _ := strings.Cut(in.Name, "@") // without the digest of its body
		out = append(out, profile.Input{Name: name, Weight: in.Weight})
	}
	return out
}

func (p *profiler) description() string {
	how := "each function alone"
	if p.inRuns {
		how = "in runs of the workflow, whose stages at the same time share the machine"
	}
	return fmt.Sprintf("measured by aquatope profile %s on %s in %s, %s",
		p.plan.workflow.workflow.Name, p.began.UTC().Format(time.DateOnly), time.Since(p.began).Round(time.Second), how)
}

func (f *profiled) document(inputs bool) profile.Function {
	out := profile.Function{
		Name: f.function.Name, MemoryFloorBytes: function.Bytes(f.memories[0]),
		PeakMemoryBytes: f.peaks,
	}
	cpu, mem := f.space.CPU, f.space.Memory
	cpu.Min, cpu.Max = f.cpus[0], f.cpus[len(f.cpus)-1]
	mem.Max = f.memories[len(f.memories)-1]
	out.Space = &profile.Space{CPUMillis: cpu, MemoryBytes: mem}
	for _, c := range f.cpus {
		for _, m := range f.memories {
			r := function.Resources{CPU: function.MilliCPU(c), Memory: function.Bytes(m)}
			cell := profile.Cell{CPUMillis: r.CPU, MemoryBytes: r.Memory, ColdStartMillis: rounded(f.cold[r])}
			for _, s := range f.cells[r] {
				cell.ServiceMillis = append(cell.ServiceMillis, math.Round(s.millis*1000)/1000)
				if inputs {
					cell.Inputs = append(cell.Inputs, s.input)
				}
			}
			out.Grid = append(out.Grid, cell)
		}
	}
	return out
}

// rounded rounds to microseconds, which are measured.
func rounded(ms []float64) []float64 {
	out := make([]float64, len(ms))
	for i, v := range ms {
		out[i] = math.Round(v*1000) / 1000
	}
	return out
}
