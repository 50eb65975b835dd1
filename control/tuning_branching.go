package control

import (
	"strings"

	"github.com/aquatope/aquatope/workflow"
)

// BranchingOf estimates from trials which ways the runs of a workflow take. An
// inner loop or condition is taken to depend on nothing but being reached.
func BranchingOf(w *workflow.Workflow, records []TrialRecord) workflow.Branching {
	b := workflow.Branching{
		Cases: map[string][]float64{}, Runs: map[string]float64{}, Iterations: map[string]float64{},
	}
	t := &ways{b: b}
	for _, r := range records {
		if r.Failed {
			continue // it went no further than it failed
		}
		seen := map[string]int{}
		for _, inv := range r.Invocations {
			seen[inv.Stage]++
		}
		t.runs = append(t.runs, seen)
	}
	if len(t.runs) > 0 {
		t.list(w.Do, float64(len(t.runs)))
	}
	return t.b
}

// ways counts, for each run, the invocations of every stage.
type ways struct {
	b    workflow.Branching
	runs []map[string]int
}

// reached counts the runs that invoked a stage at or below a task, and the most
// invocations that one stage there had, over all runs.
func (t *ways) reached(path string) (runs, most float64) {
	total := map[string]int{}
	for _, r := range t.runs {
		hit := false
		for stage, n := range r {
			if stage == path || strings.HasPrefix(stage, path+"/") {
				hit = true
				total[stage] += n
			}
		}
		if hit {
			runs++
		}
	}
	for _, n := range total {
		most = max(most, float64(n))
	}
	return runs, most
}

// list visits tasks that entered runs reach.
func (t *ways) list(tasks []workflow.Task, entered float64) {
	if entered == 0 {
		return
	}
	for i := range tasks {
		task := &tasks[i]
		runs, most := t.reached(task.Path)
		if task.If != "" && hasStage(task) {
			t.b.Runs[task.Path] = min(1, runs/entered)
		}
		if len(task.Switch) > 0 {
			t.choice(task, tasks, entered)
		}
		if task.For != nil && runs > 0 {
			t.b.Iterations[task.Path] = most / runs
		}
		if runs == 0 {
			continue
		}
		for _, inner := range task.Lists() {
			t.list(inner, runs)
		}
	}
}

// choice weighs the cases of a switch by the runs that reach where they lead.
func (t *ways) choice(task *workflow.Task, siblings []workflow.Task, entered float64) {
	weights := make([]float64, len(task.Switch)+1)
	rest, open := entered, []int{}
	fallback := false
	for i, c := range task.Switch {
		fallback = fallback || c.When == ""
		known := false
		for j := range siblings {
			if siblings[j].Name == c.Then && hasStage(&siblings[j]) {
				weights[i], _ = t.reached(siblings[j].Path)
				rest -= weights[i]
				known = true
			}
		}
		if !known {
			open = append(open, i)
		}
	}
	if !fallback {
		open = append(open, len(task.Switch))
	} else {
		weights = weights[:len(task.Switch)]
	}
	for _, i := range open {
		weights[i] = max(rest, 0) / float64(len(open))
	}
	t.b.Cases[task.Path] = weights
}

// hasStage reports whether a task invokes functions, so that runs show whether
// it was reached.
func hasStage(task *workflow.Task) bool {
	if task.Call != nil {
		return task.Call.Function != ""
	}
	for _, inner := range task.Lists() {
		for i := range inner {
			if hasStage(&inner[i]) {
				return true
			}
		}
	}
	return false
}
