package server

import (
	"maps"
	"slices"
	"strings"

	"github.com/aquatope/aquatope/engine"
	"github.com/aquatope/aquatope/function"
	"github.com/aquatope/aquatope/server/api"
	"github.com/aquatope/aquatope/workflow"
)

// catalog is what is deployed at one moment. It is never changed: a deployment
// makes the next one, so that requests read it without a lock.
type catalog struct {
	functions map[string]deployedFunction
	workflows map[string]deployedWorkflow
}

type deployedFunction struct {
	function function.Function
	revision function.Revision
}

type deployedWorkflow struct {
	workflow *workflow.Workflow
	plan     *engine.Plan
	stages   []api.Stage
}

func (c *catalog) clone() *catalog {
	return &catalog{functions: maps.Clone(c.functions), workflows: maps.Clone(c.workflows)}
}

// callers returns the workflows that call a function, in order of name.
func (c *catalog) callers(fn string) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(c.workflows)) {
		if slices.ContainsFunc(c.workflows[name].stages, func(s api.Stage) bool { return s.Function == fn }) {
			names = append(names, name)
		}
	}
	return names
}

// nearest says which of the names somebody may have meant, as the end of a
// sentence; empty when there is nothing to say.
func nearest[T any](names map[string]T, typed string) string {
	if len(names) == 0 {
		return ""
	}
	sorted := slices.Sorted(maps.Keys(names))
	for _, n := range sorted {
		if strings.Contains(n, typed) || strings.Contains(typed, n) || distance(n, typed) <= 2 {
			return "did you mean " + n + "?"
		}
	}
	const few = 8
	if len(sorted) > few {
		return "there are " + strings.Join(sorted[:few], ", ") + " and others"
	}
	return "there are " + strings.Join(sorted, ", ")
}

// distance is the Levenshtein distance of two short names.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(diagonal+cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
