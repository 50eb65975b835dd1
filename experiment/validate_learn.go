package experiment

import (
	"fmt"
	"strconv"

	"github.com/aquatope/aquatope/control"
	"github.com/aquatope/aquatope/profile"
	"github.com/aquatope/aquatope/run"
	"github.com/aquatope/aquatope/sim/flow"
	"github.com/aquatope/aquatope/workflow"
)

// learn takes a profile of the functions, with the resources that they have,
// from the blocks of a live run that are not compared.
func (l *ValidateLive) learn() (flow.Workflow, error) {
	var first []run.Run
	for _, r := range l.Runs {
		if !l.compared(r.Start) && r.Status == run.StatusCompleted {
			first = append(first, r)
		}
	}
	if len(first) < fewestValidated {
		return flow.Workflow{}, fmt.Errorf("%d runs in the blocks to learn from are too few: run for longer", len(first))
	}
	g, err := l.graph(first)
	if err != nil {
		return flow.Workflow{}, err
	}
	p := &profile.Profile{APIVersion: profile.APIVersion, Kind: profile.Kind}
	p.Workflow = profile.Workflow{Name: l.Workflow.Name, Graph: profile.NodeOf(g)}
	p.Workflow.QoS = profile.QoS{LatencyMillis: 1e6, Percentile: 95} // nothing is promised here
	for i, weight := range l.Weights {
		p.Workflow.Inputs = append(p.Workflow.Inputs, profile.Input{Name: strconv.Itoa(i), Weight: weight})
	}
	for _, f := range l.Functions {
		x := profile.Function{Name: f.Name}
		c := profile.Cell{CPUMillis: f.Resources.CPU, MemoryBytes: f.Resources.Memory}
		for i := range first {
			for k := range first[i].Stages {
				s := &first[i].Stages[k]
				if s.Function != f.Name {
					continue
				}
				// What the engine saw, so that what it takes to call a function counts.
				c.ServiceMillis = append(c.ServiceMillis, 1000*(s.Duration-s.Queue-s.ColdStart).Seconds())
				c.Inputs = append(c.Inputs, l.Inputs[first[i].ID])
				if s.Cold {
					c.ColdStartMillis = append(c.ColdStartMillis, 1000*s.ColdStart.Seconds())
				}
			}
		}
		if len(c.ServiceMillis) == 0 {
			continue // on a way that no run took
		}
		x.Grid = []profile.Cell{c}
		p.Functions = append(p.Functions, x)
	}
	m, err := profile.New(p)
	if err != nil {
		return flow.Workflow{}, err
	}
	w := flow.FromModel(m, nil)
	for i := range w.Functions {
		for _, f := range l.Functions {
			if f.Name == w.Functions[i].Name {
				w.Functions[i].Resources, w.Functions[i].Concurrency, w.Functions[i].Max = f.Resources, f.Concurrency, f.Scale.Max
			}
		}
	}
	return w, nil
}

// graph says which ways runs with each of the sample inputs took.
func (l *ValidateLive) graph(runs []run.Run) (*workflow.Graph, error) {
	records := trialsOf(runs)
	byInput := control.BranchingByInput(l.Workflow, records, len(l.Weights), func(r *control.TrialRecord) int { return l.Inputs[r.ID] })
	return workflow.NewGraphOf(l.Workflow, byInput, l.Weights)
}

// trialsOf returns runs in the words of those who estimate branches.
func trialsOf(runs []run.Run) []control.TrialRecord {
	out := make([]control.TrialRecord, len(runs))
	for i := range runs {
		out[i].ID = runs[i].ID
		for k := range runs[i].Stages {
			out[i].Invocations = append(out[i].Invocations, control.TrialInvocation{Stage: runs[i].Stages[k].Path})
		}
	}
	return out
}
