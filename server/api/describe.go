package api

import (
	"fmt"

	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/workflow"
)

// DescribeFunction returns the change that deploying a function for the first
// time is, with the function in words.
func DescribeFunction(f function.Function) Change {
	detail := f.Resources.String()
	if f.Concurrency > 1 {
		detail += fmt.Sprintf(", %d requests at once", f.Concurrency)
	}
	if f.Scale.Min > 0 {
		detail += fmt.Sprintf(", %d kept warm", f.Scale.Min)
	}
	return Change{
		Kind: "function", Name: f.Name, Action: ActionCreated,
		Revision: function.NewRevision(f, f.Resources).Name, Detail: detail,
	}
}

// DescribeWorkflow returns the change that deploying a workflow for the first
// time is, with its shape and promise in words.
func DescribeWorkflow(w *workflow.Workflow) Change {
	n := len(Stages(w))
	detail := fmt.Sprintf("%d stages", n)
	if n == 1 {
		detail = "1 stage"
	}
	if w.QoS.Latency > 0 {
		detail += fmt.Sprintf(", %v %% of runs within %s", w.QoS.Percentile, w.QoS.Latency)
	}
	return Change{Kind: "workflow", Name: w.Name, Action: ActionCreated, Detail: detail}
}

// Stages returns the stages of a workflow in order of their first appearance;
// none for a workflow whose graph cannot be derived.
func Stages(w *workflow.Workflow) []Stage {
	g, err := workflow.NewGraph(w, workflow.Branching{})
	if err != nil {
		return nil
	}
	var out []Stage
	seen := map[string]bool{}
	for _, s := range g.Stages {
		if !seen[s.Path] {
			seen[s.Path] = true
			out = append(out, Stage{Path: s.Path, Name: s.Name, Function: s.Function})
		}
	}
	return out
}
